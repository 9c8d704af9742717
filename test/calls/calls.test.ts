import { expect, test } from 'vitest';
import { openCalls } from '../../src/calls/calls.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import { wordsSuite } from '../run/run-project.ts';
import { neverAborted } from '../support/build-case.ts';
import { openRunCalls } from './open-run-calls.ts';

test('the second answer comes from the cache, unless it is to be replaced', async () => {
  const { calls, ask, asked, suite, configOf, requestOf } = await openRunCalls();
  expect(calls.needsNoCall(requestOf('w00'), suite)).toBe(false);
  expect([await ask('w00'), await ask('w00')]).toEqual(['w00 after 1', 'cached after 0']);
  expect([calls.needsNoCall(requestOf('w00'), suite), calls.needsNoCall(requestOf('w01'), suite)]).toEqual([
    true,
    false,
  ]);
  expect(await ask('w00', calls.refreshFor(configOf('own'), suite))).toBe('w00 after 1');
  expect([asked, calls.answersFromStoreOnly(suite), calls.notes()]).toEqual([['w00', 'w00'], false, []]);
});

test.each([
  ['off', ['w00 after 1', 'w00 after 1'], false],
  ['refresh', ['w00 after 1', 'w00 after 1'], false],
  ['replay', ['cacheMiss after 0', 'cacheMiss after 0'], true],
] as const)('nothing is asked past the cache with --cache %s', async (cache, expected, isHermetic) => {
  const { calls, ask, suite, configOf, requestOf } = await openRunCalls({ run: { cache } });
  expect([await ask('w00'), await ask('w00')]).toEqual(expected);
  expect(calls.refreshFor(configOf('own'), suite)).toBeUndefined();
  expect([calls.answersFromStoreOnly(suite), calls.needsNoCall(requestOf('w00'), suite)]).toEqual([
    isHermetic,
    isHermetic,
  ]);
});

test('recordings answer alone, and what they lack is not asked', async () => {
  const { project, calls, ask, asked, suite } = await openRunCalls({
    suite: wordsSuite(2, 'recordings: words.recordings.jsonl'),
    run: { record: true },
  });
  expect(await ask('w00')).toBe('w00 after 1');
  calls.writeRecordings();
  expect(project.files('evals')).toContain('evals/words.recordings.jsonl');
  expect([asked, calls.answersFromStoreOnly(suite)]).toEqual([['w00'], false]);
  const { options, ports } = await project.prepare();
  const planned = await planRun(options, ports);
  const [recorded] = options.project.suites;
  const replayed = openCalls(planned, { ...options, suites: options.project.suites }, ports);
  if (recorded === undefined) throw new Error('there is no suite');
  const [config = recorded.providers[0]] = recorded.providers;
  if (config === undefined) throw new Error('there is no provider');
  const complete = replayed.completeFor(config, recorded);
  const cells = [...planned.plan.cells(planned.plan.providerKeys[0] ?? '')];
  const outcomes = await Promise.all(cells.map(({ request }) => complete(request, neverAborted)));
  expect(
    outcomes.map((outcome) => (outcome.status === 'failed' ? outcome.failure.kind : outcome.completion.text)),
  ).toEqual(['w00', 'recording']);
  expect([replayed.refreshFor(config, recorded), replayed.answersFromStoreOnly(recorded), asked]).toEqual([
    undefined,
    true,
    ['w00'],
  ]);
});

test('an answer costs by the price of its provider, which is not known of a batch', async () => {
  const { calls, configOf } = await openRunCalls();
  const usage = { inputTokens: 1_000_000, outputTokens: 0 };
  expect([calls.costOf(configOf('own'), { usage }), calls.costOf(configOf('own'), { usage }, 'batch')]).toEqual([
    1,
    undefined,
  ]);
  expect(calls.costOf(configOf('own'), {})).toBeUndefined();
});
