import { isJudged } from '../../model/cell.ts';
import { type ClassPolicy, noClass } from '../../model/classes.ts';
import type { RecordedSuite } from '../../model/record.ts';
import type { CaseSummary, RunSummary, VariantSummary } from '../../model/summary.ts';
import { classifyRows, createFindClass, truthOf } from '../../record/count-classes.ts';
import { type Classified, classScores, confusionMatrix, macroScores } from '../../stats/classification.ts';
import { formatCount } from '../../text/format-amount.ts';
import { hasMissingRows, type LimitGate } from './judge-variant-limits.ts';
import { describeBelow, nameClass, nameMetric, percent, rounding } from './wording.ts';

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
  /** By the class of the case: how many of them there are, judged or not. */
  readonly cases: ReadonlyMap<string, number>;
  readonly answers: readonly Classified[];
}

/** As it is, and as the cells that were not reached could make it. */
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

/** `unreached`: the class that a cell counts as which the run did not reach; it is left out where that is undefined. */
function countAnswers({ cases }: VariantSummary, classes: ClassPolicy, unreached?: (truth: string) => string): Counted {
  const findClass = createFindClass(classes);
  const count = new Map<string, number>();
  const answers: Classified[] = [];
  for (const found of cases.values()) {
    const truth = found.observe ? undefined : truthOf(found);
    if (truth === undefined) continue;
    count.set(truth, (count.get(truth) ?? 0) + 1);
    const judged = classifyRows(found.trials.filter(isJudged), truth, findClass);
    const open = unreached === undefined ? 0 : countUnreached(found);
    const all = [...judged, ...Array.from({ length: open }, () => ({ truth, found: unreached?.(truth) ?? noClass }))];
    answers.push(...all.map((answer) => ({ ...answer, weight: 1 / all.length })));
  }
  return { cases: count, answers };
}

function countUnreached({ trials }: CaseSummary): number {
  return trials.filter(({ status, skipReason }) => status === 'skipped' && skipReason !== 'case').length;
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
