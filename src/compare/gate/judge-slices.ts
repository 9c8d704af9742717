import { isJudged } from '../../model/cell.ts';
import type { RecordedSuite } from '../../model/record.ts';
import type { SliceLimits } from '../../model/suite.ts';
import type { CaseSummary, RunSummary, VariantSummary } from '../../model/summary.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { LimitGate } from './limit-gate.ts';
import { hasMissingRows, passOf, rangeOfMean } from './range-of-mean.ts';
import { describeBelow, nameMetric, nameSlice, rounding } from './wording.ts';

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
