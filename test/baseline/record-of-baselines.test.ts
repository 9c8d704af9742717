import { expect, test } from 'vitest';
import { openBaselineText, recordOfBaselines } from '../../src/baseline/open-baseline.ts';
import { renderBaseline } from '../../src/baseline/write-baseline.ts';
import type { BaselineCase } from '../../src/model/comparison/baseline.ts';
import { contentOf } from '../support/baseline-rows.ts';
import { buildVariant } from '../support/build-summary.ts';

function fileOf(suite: string, cases: readonly Partial<BaselineCase>[]) {
  const variants = ['v1', 'v2'].map((prompt) => {
    const { planned: _planned, observed: _observed, acceptedPrompt: _state, ...rest } = buildVariant(1, { prompt });
    return { type: 'variant' as const, ...rest, models: ['snapshot'] };
  });
  const rows = cases.map(
    (one): BaselineCase => ({
      type: 'case',
      prompt: 'v1',
      provider: 'p',
      caseId: 'a',
      caseHash: 'h',
      trials: [],
      ...one,
    }),
  );
  const text = [...renderBaseline(contentOf({ suite, variants, cases: rows }))].join('');
  return { baseline: openBaselineText(text, suite), suitePath: `evals/${suite}.eval.yaml` };
}

const answered = { trial: 0, status: 'passed', score: 1, checks: [], output: 'yes', answerHash: 'h1' } as const;
const refused = { trial: 1, status: 'failed', score: 0, checks: [] } as const;

test('baseline files are a record of their trials, without costs and calls', () => {
  const record = recordOfBaselines(
    [
      fileOf('one', [
        { trials: [answered, refused], mustPass: true, group: 'g', confirmations: [{ ...refused, trial: 2 }] },
        { prompt: 'v2', caseId: 'b', trials: [{ ...answered, output: 'of v2' }] },
        { prompt: 'v2', caseId: 'c', trials: [{ ...answered, trial: 3, output: 'the fourth' }] },
      ]),
      fileOf('two', [{ trials: [{ ...answered, output: 'of two' }] }]),
    ],
    'git:main',
  );
  expect([record.path, record.shownPath, record.header.id, record.end?.type, record.warnings]).toEqual([
    'git:main',
    'git:main',
    'git:main',
    'end',
    [],
  ]);
  const counts = record.summary.suites.map(({ recorded, variants }) => [
    recorded.suite,
    recorded.path,
    recorded.filtered,
    ...variants.map(({ recorded: { prompt, planned, observed }, passed, failed }) => [
      prompt,
      planned,
      observed,
      passed,
      failed,
    ]),
  ]);
  expect(counts).toEqual([
    ['one', 'evals/one.eval.yaml', false, ['v1', 2, 0, 1, 1], ['v2', 2, 0, 2, 0]],
    ['two', 'evals/two.eval.yaml', false, ['v1', 1, 0, 1, 0], ['v2', 0, 0, 0, 0]],
  ]);
  expect(record.summary.stopReason).toBeUndefined();
  const cell = {
    type: 'cell',
    suite: 'one',
    prompt: 'v1',
    provider: 'p',
    caseId: 'a',
    cellHash: '',
    caseHash: 'h',
    at: { file: '', line: 0, column: 0 },
    mustPass: true,
    group: 'g',
    cached: true,
    attempts: 0,
    calls: [],
  };
  expect(record.readRow(0)).toEqual({
    ...cell,
    costUsd: null,
    trial: 0,
    status: 'passed',
    score: 1,
    checks: [],
    output: 'yes',
  });
  expect(record.readRow(1)).toEqual({ ...cell, ...refused });
  const { mustPass: _mustPass, group: _group, ...plain } = cell;
  expect(record.readRow(2)).toMatchObject({ ...plain, prompt: 'v2', caseId: 'b', output: 'of v2' });
  expect(record.readRow(3)).toMatchObject({ prompt: 'v2', caseId: 'c', trial: 3, output: 'the fourth' });
  expect(record.readRow(4)).toMatchObject({ suite: 'two', output: 'of two' });
  expect('mustPass' in record.readRow(4)).toBe(false);
  expect(() => record.readRow(5)).toThrow('row 5 of git:main, which has 5');
  const counted = record.summary.suites.flatMap(({ variants }) => variants.flatMap(({ cases }) => [...cases.values()]));
  const read = counted.flatMap(({ trials }) => trials.map(({ rowIndex }) => record.readRow(rowIndex)));
  expect(read.map(({ suite, caseId, trial }) => `${suite} ${caseId} ${trial}`)).toEqual([
    'one a 0',
    'one a 1',
    'one b 0',
    'one c 3',
    'two a 0',
  ]);
});
