import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findKnownAnswers } from '../../src/measuring/known-answers.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { buildSuite } from '../support/build-case.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { writeStoredRun } from '../support/write-run.ts';

test.each([
  ['an answer', 'from the run', 'run 20261124-153012-a1b2'],
  ['no answer', undefined, 'answers.jsonl'],
])('a run with %s and recordings gives the first answers that exist', (_, output, source) => {
  const root = makeFolder();
  const { output: _other, ...row } = buildRow('a', { suite: 's', provider: 'p' });
  const header = buildHeader({ suites: [buildRecordedSuite([buildVariant(1)], {}, { suite: 's' })] });
  writeStoredRun(root, header, [output === undefined ? { ...row, status: 'errored' } : { ...row, output }], endRow);
  const recordings = join(root, 'answers.jsonl');
  const lines = [0, 1].map((trial) => {
    return JSON.stringify({
      prompt: 'v1',
      provider: 'p',
      caseId: 'a',
      trial,
      completion: { text: `recorded ${trial}` },
    });
  });
  writeFileSync(recordings, lines.join('\n'));
  const suite = buildSuite([], { id: 's', path: join(root, 's.eval.yaml'), recordings });
  const found = findKnownAnswers(suite, { root, cwd: root, from: 'auto' });
  const texts = output === undefined ? ['recorded 0', 'recorded 1'] : [output];
  const answers = texts.map((text, trial) => ({ caseId: 'a', trial, completion: { text } }));
  expect(found).toMatchObject({ source, answers });
});

test('everything of a stored answer that a check reads comes from its row', () => {
  const root = makeFolder();
  const answered = {
    output: 'paid',
    toolCalls: [{ name: 'pay', arguments: {}, rawArguments: '{}' }],
    trajectory: [{ text: 'paid', calls: [] }],
    state: { paid: true },
    finishReason: 'stop',
    usage: { inputTokens: 1, outputTokens: 2 },
    latencyMs: 30,
    firstTokenMs: 10,
    reasoning: 'since',
    refusal: 'no',
    costUsd: 0.5,
  } as const;
  const { costUsd, output: text, trajectory: steps, ...rest } = answered;
  const rows = [
    buildRow('a', { suite: 's', provider: 'p', ...answered }),
    buildRow('b', { suite: 's', provider: 'p', ...answered, costUsd: null }),
    buildRow('c', { suite: 'other', provider: 'p', ...answered }),
  ];
  const suites = ['other', 's'].map((suite) => buildRecordedSuite([buildVariant(2)], {}, { suite }));
  writeStoredRun(root, buildHeader({ suites }), rows, endRow);
  // The latest run does not hold the suite.
  const newer = buildHeader({ id: '20261125-153012-a1b2', suites: suites.slice(0, 1) });
  writeStoredRun(root, newer, [buildRow('c', { suite: 'other', provider: 'p' })], endRow);
  const suite = buildSuite([], { id: 's', path: 's.eval.yaml' });
  const found = findKnownAnswers(suite, { root, cwd: root, from: 'run' });
  const known = {
    prompt: 'v1',
    provider: 'p',
    trial: 0,
    checks: rows[0]?.checks,
    completion: { text, steps, ...rest },
  };
  expect(found).toEqual({
    source: 'run 20261124-153012-a1b2',
    answers: [
      { ...known, caseId: 'a', costUsd },
      { ...known, caseId: 'b' },
    ],
  });
  expect(findKnownAnswers(suite, { root, cwd: root, from: 'recordings' })).toBeUndefined();
  expect(findKnownAnswers({ ...suite, id: 'third' }, { root, cwd: root, from: 'auto' })).toBeUndefined();
});

test('the last answer of a recorded conversation is the one that is known, with those before it', () => {
  const root = makeFolder();
  const recordings = join(root, 'answers.jsonl');
  const line = (caseId: string, text: string) => ({
    prompt: 'v1',
    provider: 'p',
    caseId,
    trial: 0,
    completion: { text },
  });
  const lines = [line('a', 'one'), line('b', 'alone'), line('a', 'two'), line('a', 'three')];
  writeFileSync(recordings, lines.map((one) => JSON.stringify(one)).join('\n'));
  const suite = buildSuite([], { id: 's', path: join(root, 's.eval.yaml'), recordings });
  const found = findKnownAnswers(suite, { root, cwd: root, from: 'recordings' });
  expect(
    found?.answers.map(({ caseId, completion, recorded }) => [
      caseId,
      completion.text,
      recorded?.map(({ text }) => text),
    ]),
  ).toEqual([
    ['a', 'three', ['one', 'two', 'three']],
    ['b', 'alone', ['alone']],
  ]);
});
