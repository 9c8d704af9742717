import { defined } from '../json/defined.ts';
import type {
  ComparedCases,
  ComparedSide,
  JudgedMargin,
  MetricEvidence,
  PlanningAdvice,
} from '../model/comparison/comparison.ts';
import type { RecordedJudge } from '../model/run/record.ts';
import type { RecordedCheck } from '../model/run/verdict.ts';
import { judgedMargin } from '../stats/agreement.ts';
import { type CaseComparison, compareWorstCase, type ErroredResults } from '../stats/compare-cases.ts';
import { mean, sum } from '../stats/descriptive.ts';
import type { PairedResults } from '../stats/pairs.ts';
import { sampleSizeToSettle } from '../stats/planning.ts';
import { isPaired } from './pair-cases.ts';

export interface RatePolicy {
  readonly alpha: number;
  readonly margin: number;
  readonly scope: 'population' | 'suite';
  /** True if each result is pass (1) or fail (0). If undefined, the results tell. */
  readonly binary?: boolean;
}

export interface ComparedRate {
  readonly evidence: MetricEvidence;
  readonly planning: PlanningAdvice;
}

/** The means of two sides over their common cases. Errors cannot help the candidate. */
export function compareRates(results: ErroredResults, policy: RatePolicy): ComparedRate {
  const { observed, worst } = compareWorstCase(results, policy);
  return {
    evidence: { ...rateEvidence(results, observed), ...defined({ worstLow: hasAny(results) ? worst.low : undefined }) },
    planning: planOn(results, worst.low, policy),
  };
}

function hasAny({
  baselineErrors,
  candidateErrors,
}: Pick<ErroredResults, 'baselineErrors' | 'candidateErrors'>): boolean {
  return sum(baselineErrors) + sum(candidateErrors) > 0;
}

function rateEvidence(results: PairedResults, comparison: CaseComparison): MetricEvidence {
  return {
    baseline: meanOfCases(results.baseline, results.candidate),
    candidate: meanOfCases(results.candidate, results.baseline),
    delta: comparison.delta,
    low: comparison.low,
    high: comparison.high,
    p: comparison.pWorse,
    n: comparison.n,
  };
}

/** The rate of one side, over the cases that have a result on both sides. */
function meanOfCases(side: readonly (readonly number[])[], other: readonly (readonly number[])[]): number | null {
  let total = 0;
  let cases = 0;
  for (let index = 0; index < side.length; index += 1) {
    const values = side[index] ?? [];
    if (values.length === 0 || other[index]?.length === 0) continue;
    total += mean(values);
    cases += 1;
  }
  return cases === 0 ? null : total / cases;
}

/** The cases or trials that would settle a comparison which can't exclude a drop beyond the margin. */
function planOn(results: PairedResults, low: number | null, policy: RatePolicy): PlanningAdvice {
  const isSettled = low !== null && low >= -policy.margin;
  return isSettled ? { cases: null, repeats: null } : sampleSizeToSettle(results, policy);
}

/** The tolerated drop where judges decide; undefined where only rules decide. */
export function findJudgedMargin(
  cases: ComparedCases,
  sides: { readonly baseline: ComparedSide; readonly candidate: ComparedSide },
  { judges, maxDrop }: { readonly judges: readonly RecordedJudge[]; readonly maxDrop: number },
): JudgedMargin | undefined {
  if (judges.length === 0) return undefined;
  const judged = shareOfJudged(cases, sides, judges);
  if (judged === 0) return undefined;
  const unmeasured = [...new Set(judges.filter(({ measured }) => measured === undefined).map(({ judge }) => judge))];
  const [least] = judges
    .flatMap(({ judge, measured }) => (measured === undefined ? [] : [{ judge, ...measured }]))
    .toSorted((a, b) => a.youdenLow - b.youdenLow);
  const margin = least === undefined ? maxDrop : judgedMargin(maxDrop, least.youdenLow, judged);
  return { maxDrop, margin, judged, unmeasured, ...defined({ least }) };
}

/** Computes the share of failed trials on both sides that only judges failed; 1 if none failed. */
function shareOfJudged(
  cases: ComparedCases,
  { baseline, candidate }: { readonly baseline: ComparedSide; readonly candidate: ComparedSide },
  judges: readonly RecordedJudge[],
): number {
  let [failed, judged] = [0, 0];
  for (const pair of cases.values()) {
    if (!isPaired(pair)) continue;
    for (const side of [baseline, candidate]) {
      const { trials } = side === baseline ? pair.baseline : pair.candidate;
      for (const row of trials) {
        if (row.status !== 'failed') continue;
        failed += 1;
        if (isFailedByJudges(side.checksOf(row), judges)) judged += 1;
      }
    }
  }
  return failed === 0 ? 1 : judged / failed;
}

function isFailedByJudges(checks: readonly RecordedCheck[], judges: readonly RecordedJudge[]): boolean {
  const counted = checks.filter(({ weight = 1, required = false }) => weight > 0 || required);
  const failing = counted.filter(({ pass }) => !pass);
  // Below the case's threshold although every check passed: the scores of all of them decide.
  const deciding = failing.length > 0 ? failing : counted;
  return deciding.length > 0 && deciding.every((check) => isJudged(check, judges));
}

function isJudged({ assertion, judgement }: RecordedCheck, judges: readonly RecordedJudge[]): boolean {
  // Whether a judge is among its parts is not recorded, so the smaller margin holds.
  if (combinators.has(assertion)) return true;
  return judges.some((known) => known.judge === judgement?.judge && known.assertion === assertion);
}

const combinators: ReadonlySet<string> = new Set(['not', 'anyOf', 'allOf']);
