import { describe, expect, test } from 'vitest';
import type { RowSummary, RunSummary } from '../../src/model/run/summary.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import type { CaseVerdict } from '../../src/verdict/gate/gate-cases.ts';
import type { JudgedRun } from '../../src/verdict/gate/judge-comparisons.ts';
import { judgeLimits } from '../../src/verdict/gate/judge-limits.ts';
import {
  buildHeader,
  buildRecordedSuite,
  buildVariant,
  end,
  rowsOf,
  type SummaryOptions,
  summarize,
} from '../support/build-summary.ts';

interface Options extends SummaryOptions {
  readonly verdicts?: readonly CaseVerdict[];
  /** Where a comparison judges the cases. */
  readonly compared?: { readonly mustPassWhole: boolean };
}

/** What the limits say of the only variant, in short. */
function judge(rows: string | readonly RowSummary[], { verdicts = [], compared, ...options }: Options = {}): string {
  const summary = summarize(typeof rows === 'string' ? rowsOf(rows) : rows, options);
  const [variant] = summary.suites[0]?.variants ?? [];
  if (variant === undefined) throw new Error('one variant');
  const comparisons = compared === undefined ? [] : [{ variant, ...compared }];
  const judged = { comparisons, verdicts: new Map([[variant, verdicts]]) } as unknown as JudgedRun;
  const [found] = judgeLimits(summary, judged);
  if (found === undefined) return 'not judged';
  const said = (kind: 'failures' | 'errors' | 'unjudged') =>
    found[kind].map(({ code, candidate, message }) => `${kind} ${code} ${candidate ?? '-'}: ${message}`);
  return [
    ...said('failures'),
    ...said('errors'),
    ...said('unjudged'),
    ...found.undecided.map((one) => `undecided ${one}`),
    ...found.unsettled.map(({ caseId }) => `unsettled ${caseId}`),
    ...found.warnings.map((one) => `warning ${one}`),
  ].join('; ');
}

/** Rows with other figures, one case each. */
const rowsWith = (...figures: readonly Partial<RowSummary>[]) =>
  figures.flatMap((more, index) => rowsOf('p', { ...more, caseId: `c${index}` }));

const undecidedOf = (what: string) => `undecided ${what} of triage · v1 × p`;
const open = undecidedOf('pass rate');

describe('the pass rate', () => {
  test.each<[string, string, Options, string]>([
    ['of a suite without a limit must be whole', 'p p', {}, ''],
    ['of a suite without a limit is not', 'p f', {}, 'failures pass-rate-min 0.5: pass rate 50 % is below 100 %'],
    ['is open without a failure where cells were not reached', 'p s', {}, open],
    ['is missed whatever they say', 'f s', {}, 'failures pass-rate-min 0: pass rate 0 % is below 100 %'],
    ['is the business of a comparison', 'f', { compared: { mustPassWhole: false } }, ''],
    [
      'must be whole where nothing was accepted yet',
      'f',
      { compared: { mustPassWhole: true } },
      'failures pass-rate-min 0: pass rate 0 % is below 100 %: nothing was accepted yet, so all must pass',
    ],
    ['meets its limit', 'p f', { gate: { passRate: { min: 0.5 } } }, ''],
    [
      'misses its limit',
      'p f',
      { gate: { passRate: { min: 0.6 } } },
      'failures pass-rate-min 0.5: pass rate 50 % is below 60 %',
    ],
    [
      'has its limit beside a comparison too',
      'p f',
      { gate: { passRate: { min: 0.6 } }, compared: { mustPassWhole: false } },
      'failures pass-rate-min 0.5: pass rate 50 % is below 60 %',
    ],
    ['may still reach its limit', 'f s', { gate: { passRate: { min: 0.5 } } }, open],
    [
      'can’t reach its limit any more',
      'f s',
      { gate: { passRate: { min: 0.6 } } },
      'failures pass-rate-min 0: pass rate 0 % is below 60 %',
    ],
    ['can’t miss its limit any more', 'p s', { gate: { passRate: { min: 0.5 } } }, ''],
    ['that was never seen misses nothing', 'e', { gate: { passRate: { min: 0.5 } } }, ''],
  ])('%s', (_, outcomes, options, said) => {
    expect(judge(outcomes, options)).toBe(said);
  });

  test('is met where every failed case is flaky or not settled', () => {
    const of = (kind: string, caseId = 'case-1', more = {}): CaseVerdict =>
      ({ kind, caseId, message: `${caseId} is ${kind}`, ...more }) as unknown as CaseVerdict;
    expect(judge('p f', { verdicts: [of('flaky')] })).toBe('warning triage: case-1 is flaky');
    const unsettled = of('unsettled', 'case-1', { why: 'budget' });
    expect(judge('p f', { verdicts: [unsettled] })).toBe('unsettled case-1; warning triage: case-1 is unsettled');
    expect(judge('p f', { verdicts: [of('not-needed')] })).toBe('');
    // A case that passes at times is flaky, and nothing asks for it again.
    expect(judge('p pf')).toBe('');
    expect(judge('f f', { verdicts: [of('flaky')] })).toBe(
      'failures pass-rate-min 0: pass rate 0 % is below 100 %; warning triage: case-1 is flaky',
    );
    expect(judge('p f', { verdicts: [of('broken')] })).toBe(
      'failures pass-rate-min 0.5: pass rate 50 % is below 100 %',
    );
    expect(judge('p f', { verdicts: [of('broken', 'case-1', { because: 'must-pass' })] })).toBe(
      'failures must-pass -: case-1 is broken; failures pass-rate-min 0.5: pass rate 50 % is below 100 %',
    );
    // A comparison says what its cases mean.
    expect(judge('p f', { verdicts: [of('flaky')], compared: { mustPassWhole: false } })).toBe('');
    expect(judge('p f', { verdicts: [of('flaky')], compared: { mustPassWhole: true } })).toBe('');
  });

  test('does not count observed cases', () => {
    expect(judge([...rowsOf('p'), ...rowsOf('f', { caseId: 'z', observe: true })])).toBe('');
  });
});

describe('a limit on the score', () => {
  const gate = { passRate: { min: 0 }, score: { min: 0.75 } };
  const scores = (...list: readonly number[]) => rowsWith(...list.map((score) => ({ score })));
  test('is on the mean, with cells that were not reached in between', () => {
    expect(judge(scores(1, 0.5), { gate })).toBe('');
    expect(judge(scores(1, 0.4997), { gate })).toBe('failures score-min 0.74985: mean score 0.749 is below 0.75');
    expect(judge(scores(1, 0.4), { gate, planned: 3 })).toBe(undecidedOf('mean score'));
    expect(judge(scores(0.2, 0.1), { gate, planned: 3 })).toContain('failures score-min');
    expect(judge(scores(1, 1, 1), { gate, planned: 4 })).toBe(undecidedOf('mean score'));
    expect(judge([...scores(1), ...rowsOf('s', { caseId: 'z' })], { gate: { ...gate, score: { min: 0.5 } } })).toBe('');
    expect(judge('e', { gate })).toBe('');
  });
});

describe('a limit on the cost', () => {
  const gate = (max: number) => ({ gate: { passRate: { min: 0 }, cost: { max } } });
  test('is on the sum, and can’t be judged without a price', () => {
    const rows = rowsWith({ costUsd: 0.1 }, { costUsd: 0.2 });
    expect(judge(rows, gate(0.3))).toBe('');
    expect(judge(rows, gate(0.29))).toBe(`failures cost-max ${0.1 + 0.2}: cost $0.300000 is above $0.29`);
    expect(judge(rows, { ...gate(0.3), planned: 3 })).toBe(undecidedOf('cost'));
    expect(judge(rows, { ...gate(0.29), planned: 3 })).toContain('failures cost-max');
    expect(judge(rowsWith({ costUsd: null }, { costUsd: 9 }), gate(0.3))).toBe(
      "errors unpriced -: the cost on gpt-4o-mini is not known (no price, or an answer without usage), so the limit of $0.3 can't be judged",
    );
  });
});

describe('a limit on steps', () => {
  const gate = (max: number) => ({ gate: { passRate: { min: 0 }, steps: { max } } });
  test('is on the mean over the cases of an agent', () => {
    const rows = [...rowsWith({ steps: 2 }, { steps: 3 }), ...rowsOf('p', { caseId: 'z', steps: 9, observe: true })];
    expect(judge(rows, gate(2.5))).toBe('');
    expect(judge(rows, gate(2.4))).toBe('failures steps-max 2.5: agents take 2.5 steps in the mean, above 2.4');
    expect(judge(rowsWith({ steps: 2 }, { steps: 2 }, { steps: 3 }), gate(2))).toContain('agents take 2.34 steps');
    expect(judge(rows, { ...gate(2.5), planned: 4 })).toBe(undecidedOf('mean of steps'));
    expect(judge(rows, { ...gate(2.4), planned: 4 })).toContain('failures steps-max');
    expect(judge(rows, { gate: { passRate: { min: 0 } } })).toBe('');
    expect(judge('p', gate(1))).toBe(
      "warning triage: no answer says how many steps it took, so the limit of 1 steps can't be judged",
    );
    expect(judge('e', gate(1))).toBe('');
  });
});

describe('a limit on a time', () => {
  const times = (count: number, ms: number | undefined, key: 'latencyMs' | 'firstTokenMs' = 'latencyMs') =>
    Array.from({ length: count }, (_, index) => rowsOf('p', { caseId: `${ms}-${index}`, [key]: ms })).flat();
  const latency = (p95MaxMs: number) => ({ gate: { passRate: { min: 0 }, latency: { p95MaxMs } } });

  test('is on the 95th percentile of judged answers', () => {
    const rows = [...times(19, 100), ...times(1, 2000)];
    expect(judge(rows, latency(195))).toBe('');
    expect(judge(rows, latency(194))).toMatch(
      /^failures latency-p95-max 195[.\d]*: p95 latency 0\.20 s is above 0\.194 s$/,
    );
    expect(
      judge([...times(2, 100), ...rowsOf('p', { caseId: 'z', latencyMs: 9000, observe: true })], latency(150)),
    ).toBe('');
    expect(judge([...times(2, 100), ...rowsOf('e', { caseId: 'z', latencyMs: 9000 })], latency(150))).toBe('');
  });

  test('is open while later cells may break it, and missed where they can’t change that', () => {
    expect(judge(times(2, 100), { ...latency(150), planned: 3 })).toBe(undecidedOf('p95 latency'));
    expect(judge(times(30, 200), { ...latency(150), planned: 31 })).toContain('failures latency-p95-max');
    expect(judge(times(2, 200), { ...latency(150), planned: 90 })).toBe(undecidedOf('p95 latency'));
  });

  test('can’t be judged where times are unknown that may break it', () => {
    expect(judge([...times(2, 100), ...times(1, undefined)], latency(150))).toBe(
      "errors untimed -: the latency of 1 of 3 answers is not known (from a batch, or recorded by hand), so the limit of 0.15 s for p95 can't be judged",
    );
    expect(judge([...times(99, 100), ...times(1, undefined)], latency(150))).toBe('');
    expect(judge([...times(30, 200), ...times(1, undefined)], latency(150))).toContain('failures latency-p95-max');
  });

  test('is another one for the first token', () => {
    const first = { gate: { passRate: { min: 0 }, latency: { firstTokenP95MaxMs: 150 } } };
    expect(judge(times(2, 100, 'firstTokenMs'), first)).toBe('');
    expect(judge(times(2, 200, 'firstTokenMs'), first)).toBe(
      'failures first-token-p95-max 200: p95 time to the first token 0.20 s is above 0.15 s',
    );
    expect(judge(times(1, 100), first)).toBe(
      "errors untimed -: the time to the first token of 1 of 1 answer is not known (not streamed: set stream: true on the provider), so the limit of 0.15 s for p95 can't be judged",
    );
  });
});

test('variants that another one replaces, and those without a cell, are not judged', () => {
  const variants = [
    buildVariant(1, { prompt: 'old' }),
    buildVariant(1, { prompt: 'new', replaces: 'old' }),
    buildVariant(0, { prompt: 'none' }),
  ];
  const suites = [
    buildRecordedSuite(variants, { certify: true }),
    buildRecordedSuite([buildVariant(1)], {}, { suite: 'other' }),
  ];
  const rows = [
    ...rowsOf('f', { prompt: 'old' }),
    ...rowsOf('p', { prompt: 'new' }),
    ...rowsOf('f', { suite: 'other' }),
  ];
  const summary: RunSummary = summarizeRun(buildHeader(suites), rows, end);
  const judged = { comparisons: [], verdicts: new Map() } as unknown as JudgedRun;
  const found = judgeLimits(summary, judged);
  expect(found.map(({ variant: { recorded }, certify, isCompared }) => [recorded.prompt, certify, isCompared])).toEqual(
    [
      ['new', true, false],
      ['v1', false, false],
    ],
  );
  expect(found.flatMap(({ failures }) => failures)).toMatchObject([{ suite: 'other', prompt: 'v1', provider: 'p' }]);
});
