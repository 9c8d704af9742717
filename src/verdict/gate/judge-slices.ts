import type { Breach } from '../../model/comparison/gate.ts';
import { isJudged, passOf } from '../../model/run/cell.ts';
import type { RecordedSuite } from '../../model/run/record.ts';
import type { CaseSummary, RowSummary, RunSummary, VariantSummary } from '../../model/run/summary.ts';
import { type ClassPolicy, noClass } from '../../model/suite/classes.ts';
import type { SliceLimits } from '../../model/suite/gate-policy.ts';
import { classifyRows, createFindClass, truthOf } from '../../record/count-classes.ts';
import { type Classified, classScores, confusionMatrix, macroScores } from '../../stats/classification.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { UnsettledCase } from './gate-cases.ts';
import { describeBelow, nameClass, nameMetric, nameSlice, percent, rounding } from './wording.ts';

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

/** Judges the limits on slices that need no baseline: the least pass rate, and that a slice was judged at all. */
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
  // If every cell was reached, the mean is final.
  if (mean !== null && variant.skipped === 0) return { low: mean, high: mean };
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

/** Planned cells that have no verdict yet. */
export function countUnjudged({ skipped, skippedByCase }: VariantSummary): number {
  return skipped - skippedByCase;
}

/** True where a planned cell has no row at all. */
function hasMissingRows(variant: VariantSummary): boolean {
  let unreached = 0;
  for (const { trials, observe } of variant.cases.values()) {
    if (!observe) unreached += trials.filter(isUnreached).length;
  }
  return countUnjudged(variant) > unreached;
}

function isUnreached({ status, skipReason }: RowSummary): boolean {
  return status === 'skipped' && skipReason !== 'case';
}

/** Judges the limits on classes that need no baseline: least recall, precision and macro F1, and that they were judged. */
export function judgeClasses({ classes }: RecordedSuite, variant: VariantSummary): readonly LimitGate[] {
  if (classes === undefined) return [];
  const { recall, precision, f1 } = classes;
  const now = countAnswers(variant, classes);
  const best = countAnswers(variant, classes, (truth) => truth);
  const worst = countAnswers(variant, classes, () => noClass);
  return [
    judgeSelection(now),
    ...Object.entries(recall).map(([name, { min }]) => judgeOne({ metric: 'recall', name, min }, { now, best, worst })),
    ...Object.entries(precision).map(([name, { min }]) => {
      const all = countAnswers(variant, classes, (truth) => (truth === name ? noClass : name));
      return judgeOne({ metric: 'precision', name, min }, { now, best, worst: all });
    }),
    ...(f1.min === undefined ? [] : [judgeF1(f1.min, classes, { now, best, worst })]),
  ];
}

/** Where no answer names a class, none was tested: comparing nothing with nothing would find no change. */
function judgeSelection({ answers, cases }: Counted): LimitGate {
  if (cases.size === 0 || answers.length === 0 || answers.some(({ found }) => found !== noClass)) return {};
  const count = formatCount(answers.length, 'answer');
  const message = `none of the ${count} names a class of the suite: classes.found may select the wrong part`;
  return { unjudged: { code: 'nothing-evaluated', message } };
}

/** The classified answers of a variant. */
interface Counted {
  /** The number of cases by class, judged or not. */
  readonly cases: ReadonlyMap<string, number>;
  readonly answers: readonly Classified[];
}

/** The counts as they are, and as the unreached cells could make them. */
interface Outlook {
  readonly now: Counted;
  readonly best: Counted;
  readonly worst: Counted;
}

interface ClassLimit {
  readonly metric: 'recall' | 'precision';
  readonly name: string;
  readonly min: number | undefined;
}

function judgeOne({ metric, name, min }: ClassLimit, { now, best, worst }: Outlook): LimitGate {
  const cases = now.cases.get(name) ?? 0;
  const label = nameMetric({ metric, class: name });
  const judged = now.answers.some(({ truth }) => truth === name);
  if (!judged && !best.answers.some(({ truth }) => truth === name)) {
    if (cases === 0) return {};
    const message = `${nameClass(name)}: none of its ${formatCount(cases, 'case')} was judged, so its limit says nothing`;
    return { unjudged: { code: 'nothing-evaluated', class: name, message } };
  }
  if (min === undefined) return {};
  const valueIn = ({ answers }: Counted) => {
    const scores = classScores(confusionMatrix(answers)).find((one) => one.name === name);
    // A class that no answer was put in has no precision: that its limit is met was not seen.
    return scores?.[metric] ?? 0;
  };
  if (valueIn(worst) >= min - rounding) return {};
  if (valueIn(best) >= min - rounding && isOpen(best, now)) return { undecided: label };
  const candidate = valueIn(now);
  const isNeverFound = metric === 'precision' && !now.answers.some(({ found }) => found === name);
  const message = isNeverFound
    ? `${label} can't reach ${percent(min)}: no answer is of this class, and ${formatCount(cases, 'case')} should be`
    : `${label} ${describeBelow(candidate, min)}: ${formatCount(cases, 'case')}`;
  return {
    failure: { code: metric === 'recall' ? 'recall-min' : 'precision-min', class: name, metric, candidate, message },
  };
}

function judgeF1(min: number, { names }: ClassPolicy, { now, best, worst }: Outlook): LimitGate {
  const valueIn = ({ answers }: Counted) => macroScores(confusionMatrix(answers), names).f1;
  if (now.answers.length === 0 && best.answers.length === 0) {
    if (now.cases.size === 0) return {};
    return {
      unjudged: { code: 'nothing-evaluated', message: 'macro F1: no case was judged, so its limit says nothing' },
    };
  }
  if ((valueIn(worst) ?? 0) >= min - rounding) return {};
  if ((valueIn(best) ?? 0) >= min - rounding && isOpen(best, now)) return { undecided: 'macro F1' };
  const candidate = valueIn(now) ?? 0;
  return { failure: { code: 'f1-min', metric: 'f1', candidate, message: `macro F1 ${describeBelow(candidate, min)}` } };
}

/** True where cells that were not reached may still change the value. */
function isOpen(best: Counted, now: Counted): boolean {
  return best.answers.length > now.answers.length;
}

/** `unreached` gives the class that an unreached cell counts as; the cell is left out if it is undefined. */
function countAnswers({ cases }: VariantSummary, classes: ClassPolicy, unreached?: (truth: string) => string): Counted {
  const findClass = createFindClass(classes);
  const count = new Map<string, number>();
  const answers: Classified[] = [];
  for (const found of cases.values()) {
    const truth = found.observe ? undefined : truthOf(found);
    if (truth === undefined) continue;
    count.set(truth, (count.get(truth) ?? 0) + 1);
    const judged = classifyRows(found.trials, truth, findClass);
    const open = unreached === undefined ? 0 : found.trials.filter(isUnreached).length;
    const all = [...judged, ...Array.from({ length: open }, () => ({ truth, found: unreached?.(truth) ?? noClass }))];
    answers.push(...all.map((answer) => ({ ...answer, weight: 1 / all.length })));
  }
  return { cases: count, answers };
}

/** Says which classes with a limit have no case in this run, although the suite has some. */
export function findUnselectedClasses({ suites, ended }: RunSummary): readonly string[] {
  return suites.flatMap(({ recorded: { suite, classes }, variants }) => {
    if (classes === undefined) return [];
    const missing = new Set([...Object.keys(classes.recall), ...Object.keys(classes.precision)]);
    // A cell without a row may be of any class.
    if (missing.size === 0 || !ended || variants.some((variant) => hasMissingRows(variant))) return [];
    for (const { cases } of variants) for (const found of cases.values()) missing.delete(truthOf(found) ?? '');
    return [...missing].map(
      (name) => `${suite}: ${nameClass(name)}: none of its cases was selected, so its limits say nothing`,
    );
  });
}
