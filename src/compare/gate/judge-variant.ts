import { isJudged } from '../../model/cell.ts';
import type { Breach } from '../../model/gate.ts';
import type { RecordedSuite } from '../../model/record.ts';
import type { CaseSummary, RowSummary, VariantSummary } from '../../model/summary.ts';
import { quantile } from '../../stats/quantiles.ts';
import { formatCount } from '../../text/format-amount.ts';
import { type Confirmability, judgeContract, type UnsettledCase } from './judge-cases.ts';
import { describeBelow, rounding } from './wording.ts';

/** A variant judged by the absolute limits of its suite. */
export interface VariantGate {
  /** Limits that are missed, whatever the cells without a verdict would say. */
  readonly failures: readonly Breach[];
  /** Limits that can't be judged at all. */
  readonly errors: readonly Breach[];
  /** Limits that the cells without a verdict still decide. */
  readonly undecided: readonly string[];
  /** Failed must-pass cases that no confirmation trial confirmed. */
  readonly unsettled: readonly UnsettledCase[];
  readonly warnings: readonly string[];
}

export interface JudgeVariantOptions {
  /** Where a comparison judges the variant's cases: whether it must pass whole all the same. */
  readonly compared: { readonly mustPassWhole: boolean } | undefined;
  readonly confirmability: Exclude<Confirmability, 'retrials'>;
}

/** Judges the limits that need no baseline. */
export function judgeVariant(
  suite: RecordedSuite,
  variant: VariantSummary,
  { compared, confirmability }: JudgeVariantOptions,
): VariantGate {
  const where = { suite: suite.suite, prompt: variant.recorded.prompt, provider: variant.recorded.provider };
  const gates = [
    ...(compared !== undefined ? [] : [...variant.cases.values()].map((found) => judgeMustPass(found, confirmability))),
    judgePassRate(suite, variant, compared),
    judgeScore(suite, variant),
    judgeCost(suite, variant),
    judgeLatency(suite, variant),
  ];
  const breaches = (pick: 'failure' | 'error') =>
    gates.flatMap((gate) => (gate[pick] === undefined ? [] : [{ ...where, ...gate[pick] }]));
  return {
    failures: breaches('failure'),
    errors: breaches('error'),
    undecided: gates.flatMap(({ undecided }) =>
      undecided === undefined ? [] : [`${undecided} of ${where.suite} · ${where.prompt} × ${where.provider}`],
    ),
    unsettled: gates.flatMap(({ unsettled }) => unsettled ?? []),
    warnings: gates.flatMap(({ warning }) => (warning === undefined ? [] : [`${where.suite}: ${warning}`])),
  };
}

type LocalBreach = Omit<Breach, 'suite' | 'prompt' | 'provider'>;

interface LimitGate {
  readonly failure?: LocalBreach;
  readonly error?: LocalBreach;
  readonly undecided?: string;
  readonly unsettled?: UnsettledCase;
  readonly warning?: string;
}

const met: LimitGate = {};

function judgeMustPass(found: CaseSummary, confirmability: Confirmability): LimitGate {
  if (!found.mustPass) return met;
  const [verdict] = judgeContract(found.caseId, found, 'must-pass', confirmability, false);
  if (verdict?.kind === 'unsettled') return { unsettled: verdict, warning: verdict.message };
  if (verdict?.kind === 'flaky') return { warning: verdict.message };
  if (verdict?.kind !== 'broken') return met;
  return { failure: { code: 'must-pass', caseId: found.caseId, message: verdict.message } };
}

function judgePassRate(
  { gate }: RecordedSuite,
  variant: VariantSummary,
  compared: JudgeVariantOptions['compared'],
): LimitGate {
  // Without a baseline a suite must pass whole; with one the comparison decides, unless the user wrote a limit.
  const min = gate.passRate.min ?? (compared?.mustPassWhole === false ? 0 : 1);
  const range = rangeOfMean(variant, variant.passRate.value, ({ status }) => (status === 'passed' ? 1 : 0));
  if (range === undefined || range.low >= min - rounding) return met;
  if (range.high >= min - rounding) return { undecided: 'pass rate' };
  const candidate = variant.passRate.value ?? 0;
  const why =
    gate.passRate.min === undefined && compared !== undefined ? ': nothing was accepted yet, so all must pass' : '';
  const message = `pass rate ${describeBelow(candidate, min)}${why}`;
  return { failure: { code: 'pass-rate-min', metric: 'passRate', candidate, message } };
}

function judgeScore({ gate }: RecordedSuite, variant: VariantSummary): LimitGate {
  const { min } = gate.score;
  if (min === undefined) return met;
  const range = rangeOfMean(variant, variant.score.mean, ({ score }) => score ?? 0);
  if (range === undefined || range.low >= min - rounding) return met;
  if (range.high >= min - rounding) return { undecided: 'mean score' };
  const candidate = variant.score.mean ?? 0;
  const message = `mean score ${Math.floor(candidate * 1000) / 1000} is below ${min}`;
  return { failure: { code: 'score-min', metric: 'score', candidate, message } };
}

function judgeCost({ gate }: RecordedSuite, variant: VariantSummary): LimitGate {
  const { max } = gate.cost;
  if (max === undefined) return met;
  const candidate = variant.costUsd;
  if (candidate === null) {
    const message = `the cost on ${variant.recorded.model} is not known (no price, or an answer without usage), so the limit of $${max} can't be judged`;
    return { error: { code: 'unpriced', metric: 'cost', message } };
  }
  if (candidate <= max + rounding) return countUnjudged(variant) > 0 ? { undecided: 'cost' } : met;
  const message = `cost $${candidate.toFixed(6)} is above $${max}`;
  return { failure: { code: 'cost-max', metric: 'cost', candidate, message } };
}

function judgeLatency({ gate }: RecordedSuite, variant: VariantSummary): LimitGate {
  const { p95MaxMs } = gate.latency;
  if (p95MaxMs === undefined) return met;
  const latencies = latenciesOf(variant);
  const known = latencies.filter((latency) => latency !== undefined);
  const untimed = latencies.length - known.length;
  const unjudged = countUnjudged(variant);
  const p95If = (others: number) =>
    quantile([...known, ...Array.from({ length: untimed + unjudged }, () => others)], 0.95) ?? 0;
  // Missed even if every answer without a latency took no time.
  if (p95If(0) > p95MaxMs) {
    const p95 = quantile(known, 0.95) ?? 0;
    const message = `p95 latency ${(p95 / 1000).toFixed(2)} s is above ${p95MaxMs / 1000} s`;
    return { failure: { code: 'latency-p95-max', metric: 'latency', candidate: p95, message } };
  }
  if (untimed === 0) {
    return unjudged > 0 ? { undecided: 'p95 latency' } : met;
  }
  if (p95If(Number.POSITIVE_INFINITY) <= p95MaxMs) return met;
  const answers = `${untimed} of ${formatCount(latencies.length, 'answer')}`;
  const message = `the latency of ${answers} is not known (from a batch, or recorded by hand), so the limit of ${p95MaxMs / 1000} s for p95 can't be judged`;
  return { error: { code: 'untimed', metric: 'latency', message } };
}

/** Of each judged answer; undefined where it was not measured. */
function latenciesOf(variant: VariantSummary): readonly (number | undefined)[] {
  return [...variant.cases.values()].flatMap(({ trials, observe }) =>
    observe ? [] : trials.filter(isJudged).map(({ latencyMs }) => latencyMs),
  );
}

/** The lowest and highest mean over cases that the cells without a verdict still allow. */
function rangeOfMean(
  variant: VariantSummary,
  mean: number | null,
  valueOf: (row: RowSummary) => number,
): { low: number; high: number } | undefined {
  // If every cell has a verdict, the mean is final.
  if (mean !== null && variant.errored === 0 && variant.skipped === 0) return { low: mean, high: mean };
  let [low, high, cases, unreached] = [0, 0, 0, 0];
  for (const { trials, observe } of variant.cases.values()) {
    if (observe) continue;
    let [sum, judged, open] = [0, 0, 0];
    for (const trial of trials) {
      if (isJudged(trial)) {
        judged += 1;
        sum += valueOf(trial);
      } else if (isUnreached(trial)) open += 1;
    }
    unreached += open;
    if (judged + open === 0) continue;
    cases += 1;
    low += sum / (judged + open);
    high += (sum + open) / (judged + open);
  }
  // A cell without a row can move the mean by the weight of one case at most.
  const missing = countUnjudged(variant) - unreached;
  if (cases === 0) return missing > 0 ? { low: 0, high: 1 } : undefined;
  return { low: Math.max(0, (low - missing) / cases), high: Math.min(1, (high + missing) / cases) };
}

function countUnjudged({ skipped, skippedByCase }: VariantSummary): number {
  return skipped - skippedByCase;
}

function isUnreached({ status, skipReason }: RowSummary): boolean {
  return status === 'skipped' && skipReason !== 'case';
}
