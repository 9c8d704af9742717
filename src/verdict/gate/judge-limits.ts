import type { BreachCode } from '../../model/comparison/breach.ts';
import type { Breach } from '../../model/comparison/gate.ts';
import { isJudged, passOf } from '../../model/run/cell.ts';
import type { RecordedSuite } from '../../model/run/record.ts';
import type { CaseSummary, RowSummary, RunSummary, VariantSummary } from '../../model/run/summary.ts';
import { mean, quantile } from '../../stats/descriptive.ts';
import { formatCount } from '../../text/format-amount.ts';
import { meanSteps } from '../collect-evidence.ts';
import { failedThroughout } from '../pair-cases.ts';
import type { CaseVerdict, UnsettledCase } from './gate-cases.ts';
import type { JudgedRun } from './judge-comparisons.ts';
import {
  countUnjudged,
  judgeClasses,
  judgeSlices,
  type LimitGate,
  type LocalBreach,
  rangeOfMean,
} from './judge-slices.ts';
import { describeBelow, rounding } from './wording.ts';

/** A variant judged by the absolute limits of its suite. */
interface VariantGate {
  /** Limits that are missed, whatever the cells without a verdict would say. */
  readonly failures: readonly Breach[];
  /** Limits that can't be judged at all. */
  readonly errors: readonly Breach[];
  /** Slices of which no case has a verdict, although some were selected. */
  readonly unjudged: readonly Breach[];
  /** Limits that the cells without a verdict still decide. */
  readonly undecided: readonly string[];
  /** Failed must-pass cases that no fresh trial confirmed. */
  readonly unsettled: readonly UnsettledCase[];
  readonly warnings: readonly string[];
}

/** A variant with what its limits say. */
export interface GatedVariant extends VariantGate {
  readonly variant: VariantSummary;
  /** Its suite requires certainty. */
  readonly certify: boolean;
  /** False where nothing is there to compare it with. */
  readonly isCompared: boolean;
}

interface JudgeVariantOptions {
  /** Given if a comparison judges the variant's cases, and says whether it must still pass whole. */
  readonly compared: { readonly mustPassWhole: boolean } | undefined;
  /** The verdicts on the variant's failed cases. */
  readonly verdicts: readonly CaseVerdict[];
}

/** Judges the limits of every gated variant. */
export function judgeLimits(
  { suites }: RunSummary,
  judged: Pick<JudgedRun, 'comparisons' | 'verdicts'>,
): readonly GatedVariant[] {
  const compared = new Map(judged.comparisons.map(({ variant, mustPassWhole }) => [variant, { mustPassWhole }]));
  return suites.flatMap((suite) =>
    suite.variants
      .filter(({ replacedBy, planned }) => replacedBy === undefined && planned > 0)
      .map((variant) => {
        const verdicts = judged.verdicts.get(variant) ?? [];
        const gate = judgeVariant(suite.recorded, variant, { compared: compared.get(variant), verdicts });
        return { variant, certify: suite.recorded.gate.certify, isCompared: compared.has(variant), ...gate };
      }),
  );
}

/** Judges the limits that need no baseline. */
function judgeVariant(
  suite: RecordedSuite,
  variant: VariantSummary,
  { compared, verdicts }: JudgeVariantOptions,
): VariantGate {
  const where = { suite: suite.suite, prompt: variant.recorded.prompt, provider: variant.recorded.provider };
  const gates = [
    ...(compared !== undefined ? [] : verdicts.map(judgeFirstVerdict)),
    judgePassRate(suite, variant, { compared, verdicts }),
    ...judgeSlices(suite, variant),
    ...judgeClasses(suite, variant),
    judgeScore(suite, variant),
    judgeCost(suite, variant),
    judgeSteps(suite, variant),
    judgeLatency(suite, variant),
    judgeFirstToken(suite, variant),
  ];
  const breaches = (pick: 'failure' | 'error' | 'unjudged') =>
    gates.flatMap((gate) => (gate[pick] === undefined ? [] : [{ ...where, ...gate[pick] }]));
  return {
    failures: breaches('failure'),
    errors: breaches('error'),
    unjudged: breaches('unjudged'),
    undecided: gates.flatMap(({ undecided }) =>
      undecided === undefined ? [] : [`${undecided} of ${where.suite} · ${where.prompt} × ${where.provider}`],
    ),
    unsettled: gates.flatMap(({ unsettled }) => unsettled ?? []),
    warnings: gates.flatMap(({ warning }) => (warning === undefined ? [] : [`${where.suite}: ${warning}`])),
  };
}

const met: LimitGate = {};

/** A failed case of a variant of which nothing was accepted. The limit on the pass rate covers it, unless it must pass. */
function judgeFirstVerdict(verdict: CaseVerdict): LimitGate {
  const { caseId, message, why } = verdict;
  if (why !== undefined) return { unsettled: { ...verdict, why }, warning: message };
  if (verdict.kind === 'flaky') return { warning: message };
  if (verdict.kind !== 'broken' || verdict.because !== 'must-pass') return met;
  return { failure: { code: 'must-pass', caseId, message } };
}

function judgePassRate({ gate }: RecordedSuite, variant: VariantSummary, options: JudgeVariantOptions): LimitGate {
  const { compared, verdicts } = options;
  const candidate = variant.passRate.value ?? 0;
  const { min } = gate.passRate;
  if (min !== undefined) {
    const range = rangeOfMean(variant, { valueOf: passOf, mean: variant.passRate.value });
    if (range === undefined || range.low >= min - rounding) return met;
    if (range.high >= min - rounding) return { undecided: 'pass rate' };
    return { failure: passRateBelow(candidate, min, '') };
  }
  // Without a baseline a suite must pass whole; with one the comparison decides.
  if (compared?.mustPassWhole === false) return met;
  const kindOf = new Map(verdicts.map(({ caseId, kind }) => [caseId, kind]));
  const failing = [...variant.cases.values()].filter(
    ({ observe, trials }) => !observe && trials.some(({ status }) => status === 'failed'),
  );
  const doesNotStand: ReadonlySet<CaseVerdict['kind'] | undefined> = new Set(['flaky', 'unsettled', 'not-needed']);
  // A case of which some planned trials passed is flaky, and not flagged.
  const isCleared = (found: CaseSummary) => doesNotStand.has(kindOf.get(found.caseId)) || !failedThroughout(found);
  if (!failing.every(isCleared)) {
    const why = compared === undefined ? '' : ': nothing was accepted yet, so all must pass';
    return { failure: passRateBelow(candidate, 1, why) };
  }
  return countUnjudged(variant) > 0 ? { undecided: 'pass rate' } : met;
}

function passRateBelow(candidate: number, min: number, why: string): LocalBreach {
  const message = `pass rate ${describeBelow(candidate, min)}${why}`;
  return { code: 'pass-rate-min', metric: 'passRate', candidate, message };
}

function judgeScore({ gate }: RecordedSuite, variant: VariantSummary): LimitGate {
  const { min } = gate.score;
  if (min === undefined) return met;
  const range = rangeOfMean(variant, { valueOf: ({ score }) => score ?? 0, mean: variant.score.mean });
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

/** The mean over the cases of an agent. */
function judgeSteps({ gate }: RecordedSuite, variant: VariantSummary): LimitGate {
  const max = gate.steps?.max;
  if (max === undefined) return met;
  const counts = [...variant.cases.values()].flatMap(({ trials, observe }) =>
    observe ? [] : (meanSteps(trials) ?? []),
  );
  if (counts.length === 0) {
    const isJudgedAtAll = [...variant.cases.values()].some(({ trials }) => trials.some(isJudged));
    const warning = `no answer says how many steps it took, so the limit of ${max} steps can't be judged`;
    return isJudgedAtAll ? { warning } : met;
  }
  const candidate = mean(counts);
  if (candidate <= max + rounding) return countUnjudged(variant) > 0 ? { undecided: 'mean of steps' } : met;
  const message = `agents take ${Math.ceil(candidate * 100) / 100} steps in the mean, above ${max}`;
  return { failure: { code: 'steps-max', metric: 'steps', candidate, message } };
}

function judgeLatency({ gate }: RecordedSuite, variant: VariantSummary): LimitGate {
  return judgeP95(variant, gate.latency.p95MaxMs, {
    code: 'latency-p95-max',
    what: 'latency',
    timeOf: ({ latencyMs }) => latencyMs,
    why: 'from a batch, or recorded by hand',
  });
}

function judgeFirstToken({ gate }: RecordedSuite, variant: VariantSummary): LimitGate {
  return judgeP95(variant, gate.latency.firstTokenP95MaxMs, {
    code: 'first-token-p95-max',
    what: 'time to the first token',
    timeOf: ({ firstTokenMs }) => firstTokenMs,
    why: 'not streamed: set stream: true on the provider',
  });
}

interface TimeLimit {
  readonly code: BreachCode;
  readonly what: string;
  readonly timeOf: (trial: RowSummary) => number | undefined;
  /** Why a time may be unknown. */
  readonly why: string;
}

function judgeP95(variant: VariantSummary, maxMs: number | undefined, limit: TimeLimit): LimitGate {
  if (maxMs === undefined) return met;
  const { code, what, timeOf, why } = limit;
  const times = timesOf(variant, timeOf);
  const known = times.filter((time) => time !== undefined);
  const untimed = times.length - known.length;
  const unjudged = countUnjudged(variant);
  const p95If = (others: number) =>
    quantile([...known, ...Array.from({ length: untimed + unjudged }, () => others)], 0.95) ?? 0;
  // Missed even if every answer without a time took none.
  if (p95If(0) > maxMs + rounding) {
    const p95 = quantile(known, 0.95) ?? 0;
    const message = `p95 ${what} ${(p95 / 1000).toFixed(2)} s is above ${maxMs / 1000} s`;
    return { failure: { code, metric: 'latency', candidate: p95, message } };
  }
  if (untimed === 0) {
    return unjudged > 0 ? { undecided: `p95 ${what}` } : met;
  }
  if (p95If(Number.POSITIVE_INFINITY) <= maxMs + rounding) return met;
  const answers = `${untimed} of ${formatCount(times.length, 'answer')}`;
  const message = `the ${what} of ${answers} is not known (${why}), so the limit of ${maxMs / 1000} s for p95 can't be judged`;
  return { error: { code: 'untimed', metric: 'latency', message } };
}

/** Lists the time of each judged answer; undefined if it was not measured. */
function timesOf(variant: VariantSummary, timeOf: TimeLimit['timeOf']): readonly (number | undefined)[] {
  return [...variant.cases.values()].flatMap(({ trials, observe }) =>
    observe ? [] : trials.filter(isJudged).map(timeOf),
  );
}
