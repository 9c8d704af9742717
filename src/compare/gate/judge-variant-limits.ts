import { isJudged } from '../../model/cell.ts';
import type { Breach } from '../../model/gate.ts';
import type { RecordedSuite } from '../../model/record.ts';
import type { SliceLimits } from '../../model/suite.ts';
import type { CaseSummary, RowSummary, RunSummary, VariantSummary } from '../../model/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { UnsettledCase } from './judge-cases.ts';
import { describeBelow, nameMetric, nameSlice, rounding } from './wording.ts';

/** A breach of the variant that is being judged. */
export type LocalBreach = Omit<Breach, 'suite' | 'prompt' | 'provider'>;

/** What one limit says of a variant; nothing where it is met. */
export interface LimitGate {
  readonly failure?: LocalBreach;
  readonly error?: LocalBreach;
  readonly unjudged?: LocalBreach;
  readonly undecided?: string;
  readonly unsettled?: UnsettledCase;
  readonly warning?: string;
}

/** Judges the limits on the slices of a variant that need no baseline: their least pass rate, and that they were judged. */
export function judgeSlices({ gate }: RecordedSuite, variant: VariantSummary): readonly LimitGate[] {
  return Object.entries(gate.slices ?? {}).map(([slice, limits]) => judgeSlice(slice, limits, variant));
}

function judgeSlice(slice: string, { passRate: { min } }: SliceLimits, variant: VariantSummary): LimitGate {
  const isWanted = ({ slices }: CaseSummary) => slices?.includes(slice) === true;
  const name = nameMetric({ metric: 'passRate', slice });
  const range = rangeOfMean(variant, { valueOf: passOf, isWanted });
  const { cases, judged, passed } = countCases(variant, isWanted);
  if (judged === 0 && range === undefined) {
    if (cases === 0) return {};
    const message = `${nameSlice(slice)}: none of its ${formatCount(cases, 'case')} was judged, so its limit says nothing`;
    return { unjudged: { code: 'nothing-evaluated', slice, message } };
  }
  if (min === undefined || range === undefined || range.low >= min - rounding) return {};
  if (range.high >= min - rounding) return { undecided: name };
  const candidate = judged === 0 ? 0 : passed / judged;
  const message = `${name} ${describeBelow(candidate, min)}: ${formatCount(judged, 'case')}`;
  return { failure: { code: 'slice-min', slice, metric: 'passRate', candidate, message } };
}

/** `cases`: in the slice, judged or not, under `observe` or not. `passed`: the sum of their pass rates. */
function countCases({ cases: all }: VariantSummary, isWanted: (found: CaseSummary) => boolean) {
  let [cases, judged, passed] = [0, 0, 0];
  for (const found of all.values()) {
    if (!isWanted(found)) continue;
    cases += 1;
    const rows = found.observe ? [] : found.trials.filter(isJudged);
    if (rows.length === 0) continue;
    judged += 1;
    passed += rows.reduce((sum, row) => sum + passOf(row), 0) / rows.length;
  }
  return { cases, judged, passed };
}

/** Says which gated slices have no case in this run, although the suite has some. */
export function findUnselectedSlices({ suites, ended }: RunSummary): readonly string[] {
  return suites.flatMap(({ recorded: { suite, gate }, variants }) => {
    const missing = new Set(Object.keys(gate.slices ?? {}));
    // A cell without a row may be of any slice.
    if (missing.size === 0 || !ended || variants.some((variant) => hasMissingRows(variant))) return [];
    for (const { cases } of variants) {
      for (const { slices = [] } of cases.values()) for (const slice of slices) missing.delete(slice);
    }
    return [...missing].map(
      (slice) => `${suite}: ${nameSlice(slice)}: none of its cases was selected, so its limits say nothing`,
    );
  });
}

interface RangeOptions {
  readonly valueOf: (row: RowSummary) => number;
  /** Over all cases, where it is known. */
  readonly mean?: number | null;
  /** The cases that count; all where undefined. */
  readonly isWanted?: (found: CaseSummary) => boolean;
}

/** The lowest and highest mean over cases that the cells without a verdict still allow. */
export function rangeOfMean(
  variant: VariantSummary,
  { valueOf, mean = null, isWanted = () => true }: RangeOptions,
): { low: number; high: number } | undefined {
  // If every cell has a verdict, the mean is final.
  if (mean !== null && variant.errored === 0 && variant.skipped === 0) return { low: mean, high: mean };
  let [low, high, cases, unreached] = [0, 0, 0, 0];
  for (const found of variant.cases.values()) {
    if (found.observe) continue;
    let [sum, judged, open] = [0, 0, 0];
    for (const trial of found.trials) {
      if (isJudged(trial)) {
        judged += 1;
        sum += valueOf(trial);
      } else if (isUnreached(trial)) open += 1;
    }
    unreached += open;
    if (judged + open === 0 || !isWanted(found)) continue;
    cases += 1;
    low += sum / (judged + open);
    high += (sum + open) / (judged + open);
  }
  // A cell without a row can move the mean by the weight of one case at most.
  const missing = countUnjudged(variant) - unreached;
  if (cases === 0) return missing > 0 ? { low: 0, high: 1 } : undefined;
  return { low: Math.max(0, (low - missing) / cases), high: Math.min(1, (high + missing) / cases) };
}

/** The value of a row for a pass rate. */
export function passOf({ status }: RowSummary): number {
  return status === 'passed' ? 1 : 0;
}

/** Planned cells that have no verdict yet. */
export function countUnjudged({ skipped, skippedByCase }: VariantSummary): number {
  return skipped - skippedByCase;
}

/** True where a planned cell has no row at all. */
export function hasMissingRows(variant: VariantSummary): boolean {
  let unreached = 0;
  for (const { trials, observe } of variant.cases.values()) {
    if (!observe) unreached += trials.filter(isUnreached).length;
  }
  return countUnjudged(variant) > unreached;
}

function isUnreached({ status, skipReason }: RowSummary): boolean {
  return status === 'skipped' && skipReason !== 'case';
}
