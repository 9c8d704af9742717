import { expect, test } from 'vitest';
import type { RunSuitesOptions } from '../../src/api/options.ts';
import { openCalls } from '../../src/calls/calls.ts';
import type { CallOptions } from '../../src/calls/run-resources.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import { openRunProject, type Reply, wordsSuite } from '../run/run-project.ts';
import { neverAborted } from '../support/build-case.ts';
import { createManualClock } from '../support/manual-clock.ts';

const file = 'evals/words.eval.yaml';

interface Opened {
  readonly suite?: string;
  readonly run?: RunSuitesOptions;
  readonly calls?: Partial<CallOptions>;
  readonly reply?: Reply;
}

/** The calls of a run of some words, by a clock that jumps. `ask` asks for a word and tells how that went. */
async function open({ suite: text = wordsSuite(3), run = {}, calls: more = {}, reply }: Opened = {}) {
  const project = openRunProject({ [file]: text });
  const asked: string[] = [];
  const answer = reply ?? project.reply;
  project.reply = (said, before, model) => {
    asked.push(said.replace(/^.*: /, ''));
    return answer(said, before, model);
  };
  const { options, ports } = await project.prepare(run);
  const planned = await planRun(options, ports);
  const clock = createManualClock();
  const told: string[] = [];
  const onProgress: typeof ports.onProgress = (event) =>
    void told.push(event.type === 'note' ? event.message : event.type);
  const suites = options.project.suites;
  const calls = openCalls(planned, { ...options, suites, ...more }, { ...ports, clock, onProgress });
  const [suite] = suites;
  if (suite === undefined) throw new Error('there is no suite');
  const cells = planned.plan.providerKeys.flatMap((key) => [...planned.plan.cells(key)]);
  const requestOf = (word: string, provider = 'own') => {
    const cell = cells.find(({ key }) => key.caseId === word && key.provider === provider);
    if (cell === undefined) throw new Error(`there is no ${word}`);
    return cell.request;
  };
  const configOf = (id: string) => {
    const config = suite.providers.find((one) => one.id === id);
    if (config === undefined) throw new Error(`there is no ${id}`);
    return config;
  };
  const ask = async (word: string, complete = calls.completeFor(configOf('own'), suite)) => {
    const outcome = await clock.runUntil(complete(requestOf(word), neverAborted));
    const how =
      outcome.status === 'completed' ? (outcome.cached ? 'cached' : outcome.completion.text) : outcome.failure.kind;
    return `${how} after ${outcome.attempts}`;
  };
  return { project, calls, suite, asked, told, ask, requestOf, configOf, clock };
}

const withLimits = (limits: string) => wordsSuite(3).replace('params:', `limits: ${limits}, params:`);

test('the second answer comes from the cache, unless it is to be replaced', async () => {
  const { calls, ask, asked, suite, configOf, requestOf } = await open();
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
  const { calls, ask, suite, configOf, requestOf } = await open({ run: { cache } });
  expect([await ask('w00'), await ask('w00')]).toEqual(expected);
  expect(calls.refreshFor(configOf('own'), suite)).toBeUndefined();
  expect([calls.answersFromStoreOnly(suite), calls.needsNoCall(requestOf('w00'), suite)]).toEqual([
    isHermetic,
    isHermetic,
  ]);
});

test('recordings answer alone, and what they lack is not asked', async () => {
  const { project, calls, ask, asked, suite } = await open({
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

test.each([
  ['as often as usual', wordsSuite(3), 5],
  ['as often as its limits say', withLimits('{ retries: 1 }'), 2],
  ['never', withLimits('{ retries: 0 }'), 1],
])('a failed call is tried again %s', async (_what, suite, attempts) => {
  const { ask, asked } = await open({ suite, reply: () => 500 });
  expect(await ask('w00')).toBe(`server after ${attempts}`);
  expect(asked).toHaveLength(attempts);
});

test('a call that may not begin any more is not made', async () => {
  const { ask, asked } = await open({ calls: { mayBegin: async ({ origin }) => origin.caseId !== 'w01' } });
  expect([await ask('w00'), await ask('w01')]).toEqual(['w00 after 1', 'aborted after 0']);
  expect(asked).toEqual(['w00']);
});

test('what is sent is paid from the budget, and what it has no room for is not sent', async () => {
  // An answer may cost 0.0002 USD and costs 0.00002.
  const { ask, asked, calls } = await open({ run: { maxCost: 0.00022 } });
  expect([await ask('w00'), calls.isBudgetExhausted()]).toEqual(['w00 after 1', false]);
  expect([await ask('w01'), calls.isBudgetExhausted()]).toEqual(['budget after 0', true]);
  expect([await ask('w00'), asked]).toEqual(['cached after 0', ['w00']]);
});

test('an estimate of output tokens is reported once', async () => {
  const open_ = wordsSuite(3).replace('params: { max_tokens: 100 }', 'params: {}');
  const { ask, calls, told } = await open({ suite: open_, run: { maxCost: 1 } });
  await ask('w00');
  await ask('w01');
  expect(calls.notes()).toEqual([expect.stringContaining('set no limit on output tokens')]);
  expect(told).toEqual(calls.notes());
});

test('an answer costs by the price of its provider, which is not known of a batch', async () => {
  const { calls, configOf } = await open();
  const usage = { inputTokens: 1_000_000, outputTokens: 0 };
  expect([calls.costOf(configOf('own'), { usage }), calls.costOf(configOf('own'), { usage }, 'batch')]).toEqual([
    1,
    undefined,
  ]);
  expect(calls.costOf(configOf('own'), {})).toBeUndefined();
});

test.each([
  ['as many as -j says', wordsSuite(3), { concurrency: 5 }, 10],
  ['as many as the limits of the provider say', withLimits('{ concurrency: 3 }'), {}, 6],
  ['no more than -j says', withLimits('{ concurrency: 3 }'), { concurrency: 2 }, 4],
])('a provider is worth having in work twice %s', async (_what, suite, run, expected) => {
  const { calls, configOf } = await open({ suite, run: { concurrency: 99, ...run } });
  expect(calls.cellsAtOnceFor(configOf('own'))()).toBe(expected);
});

test('a call that waits for its retry makes room for one more in work', async () => {
  const reply: Reply = (_text, before) => (before === 0 ? 500 : 'w00');
  const { calls, suite, configOf, requestOf, clock } = await open({ run: { concurrency: 5 }, reply });
  const cellsAtOnce = calls.cellsAtOnceFor(configOf('own'));
  const call = calls.completeFor(configOf('own'), suite)(requestOf('w00'), neverAborted);
  await expect.poll(() => clock.waits, { interval: 1 }).toHaveLength(1);
  expect(cellsAtOnce()).toBe(11);
  await clock.runUntil(call);
  expect(cellsAtOnce()).toBe(10);
});
