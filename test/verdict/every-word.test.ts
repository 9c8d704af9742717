// oxlint-disable vitest/expect-expect -- expectFile asserts.
import { expect, test } from 'vitest';
import type {
  ComparedCases,
  ComparedSide,
  JudgedMargin,
  MetricEvidence,
} from '../../src/model/comparison/comparison.ts';
import type { Certainty } from '../../src/model/comparison/gate.ts';
import type { CaseSummary, RowSummary } from '../../src/model/run/summary.ts';
import { collectEvidence, meanSteps } from '../../src/verdict/collect-evidence.ts';
import { combineCertainty } from '../../src/verdict/gate/certainty.ts';
import type { Hypothesis } from '../../src/verdict/gate/judge-metrics.ts';
import * as wording from '../../src/verdict/gate/wording.ts';

const hypothesis = (evidence: Partial<MetricEvidence>, more: Partial<Hypothesis> = {}): Hypothesis => ({
  metric: 'passRate',
  code: 'pass-rate-regressed',
  evidence: {
    n: 10,
    delta: null,
    low: null,
    high: null,
    p: null,
    baseline: 1,
    candidate: 0.9,
    ...evidence,
  },
  margin: 0.05,
  isRatio: false,
  level: 'fail',
  p: null,
  ...more,
});

/** Each value in a line of its own. */
async function expectFile(name: string, found: object): Promise<void> {
  const lines = Object.entries(found).map(([key, value]) => `${key}: ${JSON.stringify(value) ?? 'undefined'}`);
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`snapshots/words-${name}.txt`);
}

test('what the gate says of a metric, word for word', async () => {
  const ratio = { isRatio: true, margin: 0.1 } as const;
  const fell = { delta: -0.08, low: -0.12, high: -0.04 };
  const rose = { delta: 0.2, low: 0.15, high: 0.3 };
  const hypotheses: readonly Hypothesis[] = [
    hypothesis({ ...fell, high: -0.06 }),
    hypothesis({ ...fell, high: -0.05 }),
    hypothesis(fell),
    hypothesis({ delta: -0.08, high: -0.01 }),
    hypothesis({ delta: -0.08, low: -0.01 }),
    hypothesis({ delta: null }),
    hypothesis(fell, { slice: 'vip' }),
    hypothesis(fell, { metric: 'recall', class: 'legal' }),
    hypothesis(fell, { metric: 'f1', isOfVerdicts: true, margin: 0.034 }),
    hypothesis(rose, { ...ratio, metric: 'cost' }),
    hypothesis({ ...rose, low: 0.1 }, { ...ratio, metric: 'latency' }),
    hypothesis({ ...rose, low: 0.1, p: 0.01 }, { ...ratio, metric: 'cost' }),
    hypothesis({ ...rose, low: 0, p: 0.0123 }, { ...ratio, metric: 'cost' }),
    hypothesis({ ...rose, low: null, p: 0.001 }, { ...ratio, metric: 'steps' }),
    hypothesis({ ...rose, low: null, p: 0.0009 }, { ...ratio, metric: 'steps' }),
    hypothesis({ ...rose, low: null, p: null }, { ...ratio, metric: 'steps' }),
    hypothesis({ ...rose, low: 0.05, everyCaseRose: true, n: 1 }, { ...ratio, metric: 'cost' }),
    hypothesis({ ...rose, low: 0.05, everyCaseRose: true, n: 4 }, { ...ratio, metric: 'cost' }),
    hypothesis({ delta: null, low: 0.05, everyCaseRose: true, n: 4 }, { ...ratio, metric: 'cost' }),
    hypothesis({ ...rose, baseline: 0, candidate: 0.25 }, { ...ratio, metric: 'cost' }),
    hypothesis({ ...rose, baseline: 0, candidate: 0 }, { ...ratio, metric: 'cost' }),
    hypothesis({ ...rose, baseline: 0, candidate: 0.25 }, { ...ratio, metric: 'steps' }),
  ];
  await expectFile(
    'metrics',
    hypotheses.map((one) => [wording.describeWorse(one), wording.describeWithin(one)]),
  );
});

test('what the gate says of margins, order and open limits', async () => {
  const margin = (more: Partial<JudgedMargin> = {}): JudgedMargin => ({
    maxDrop: 0.05,
    margin: 0.034,
    judged: 1,
    unmeasured: [],
    least: { judge: 'kind', youdenLow: 0.68, labels: 40 },
    ...more,
  });
  const { least: _least, ...unmeasured } = margin({ unmeasured: ['kind', 'short'] });
  await expectFile('margins', [
    ...[
      margin(),
      margin({ judged: 0.5 }),
      margin({ least: { judge: 'kind', youdenLow: -0.2, labels: 1 } }),
      margin({ unmeasured: ['short'] }),
      unmeasured,
    ].map(wording.describeJudgedMargin),
    wording.describeOrder(0.2, { delta: null }),
    wording.describeOrder(-0.2, { delta: -0.051 }),
    ...[[], ['a'], ['a', 'b', 'c']].map(wording.describeOpen),
    ...[0.05, 0.0333, 1].map(wording.points),
    ...[0.000_000_001, 0.999_999_999, 0.5].map((fraction) => wording.describeBelow(fraction, 1)),
  ]);
});

test('the certainty of a run is that of its least certain variant', async () => {
  const unseen = (drop: number | null, slice?: object): Certainty =>
    ({ kind: 'unseen', cases: 3, drop, ...(slice === undefined ? {} : { slice }) }) as Certainty;
  const vip = (drop: number | null) => ({ name: 'vip', cases: 2, drop });
  const unchanged: Certainty = { kind: 'unchanged', cases: 4 };
  const certain: Certainty = { kind: 'certain', cases: 5 };
  await expectFile('certainty', [
    combineCertainty([]),
    combineCertainty([unchanged]),
    combineCertainty([unchanged, unchanged]),
    combineCertainty([unchanged, certain]),
    combineCertainty([unchanged, unseen(0.2), unseen(0.1)]),
    combineCertainty([unseen(0.2), unseen(null)]),
    combineCertainty([unseen(0.2, vip(0.1)), unseen(0.1, { ...vip(0.3), name: 'new' })]),
    combineCertainty([unseen(0.2, vip(null)), unseen(0.1, vip(0.3))]),
    combineCertainty([unchanged], 0),
    combineCertainty([unchanged], 1),
    combineCertainty([], 1),
  ]);
});

let position = 0;
const row = (more: Partial<RowSummary> = {}): RowSummary => {
  position += 1;
  return {
    status: 'passed',
    position,
    latencyMs: 100,
    costUsd: 0.01,
    answerHash: `h${position}`,
    ...more,
  } as RowSummary;
};
const summary = (trials: readonly RowSummary[], more: Partial<CaseSummary> = {}): CaseSummary =>
  ({
    caseId: 'c',
    status: 'passed',
    observe: false,
    mustPass: false,
    trials,
    confirmations: [],
    accepted: [],
    ...more,
  }) as CaseSummary;

test('the evidence of cases that both sides have', async () => {
  const pairs: Readonly<Record<string, readonly [CaseSummary | undefined, CaseSummary | undefined]>> = {
    plain: [summary([row()]), summary([row({ latencyMs: 200, costUsd: 0.02 })])],
    repeats: [
      summary([row(), row({ status: 'failed', latencyMs: 300, costUsd: 0.03 })]),
      summary([row({ status: 'failed' }), row({ latencyMs: 50 }), row()], { group: 'g' }),
    ],
    scored: [summary([row({ score: 0.5 })]), summary([row({ score: 1 })])],
    same: [summary([row({ score: 1 })]), summary([row({ status: 'failed', score: 0 })])],
    errored: [summary([row({ status: 'errored' }), row()]), summary([row(), row({ status: 'errored' })])],
    untimed: [summary([row({ latencyMs: undefined })]), summary([row()])],
    late: [summary([row()]), summary([row({ latencyMs: undefined })])],
    unpriced: [summary([row({ costUsd: null })]), summary([row()])],
    free: [summary([row({ costUsd: undefined })]), summary([row()])],
    agents: [summary([row({ steps: 2 }), row({ steps: 4 })]), summary([row({ steps: 5 })])],
    human: [summary([row({ steps: 2 })]), summary([row()])],
    added: [undefined, summary([row()])],
    removed: [summary([row()]), undefined],
  };
  const side = {} as ComparedSide;
  const collect = (names: readonly string[], latencyComparable: boolean, options: Partial<ComparedSide> = {}) => {
    const cases = names.map((name) => {
      const [baseline, candidate] = pairs[name] ?? [];
      return [name, { baseline, candidate, change: 'stillPassing' }] as const;
    });
    const found = collectEvidence(new Map(cases) as unknown as ComparedCases, {
      baseline: { ...side, ...options },
      candidate: { ...side, ...options },
      latencyComparable,
    });
    const { latencies, ...rest } = found;
    const round = (value: number) => Number(value.toPrecision(9));
    return {
      ...rest,
      latencies: {
        ...latencies,
        before: [...latencies.before],
        after: [...latencies.after],
        logs: latencies.logs.map(round),
      },
    };
  };
  const names = Object.keys(pairs);
  await expectFile('evidence', {
    all: [collect(names, true), collect(names, false)],
    ...Object.fromEntries(names.map((name) => [name, collect([name], true)])),
    pricedByLatency: collect(names.slice(0, 2), true, { costOf: ({ latencyMs }: RowSummary) => latencyMs }),
  });
  expect([
    meanSteps([]),
    meanSteps([row({ steps: 1 }), row({ steps: 4 }), row({ status: 'errored', steps: 99 }), row()]),
  ]).toEqual([undefined, 2.5]);
});
