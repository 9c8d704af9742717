import { isJudged } from '../../model/cell.ts';
import type { CaseSummary, RowSummary, VariantSummary } from '../../model/summary.ts';

export interface RangeOptions {
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
