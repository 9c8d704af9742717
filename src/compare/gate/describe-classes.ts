import type { ComparedClasses, ComparedVariant } from '../../model/comparison.ts';
import type { ClassComparison } from '../../model/report.ts';
import { formatCount } from '../../text/format-amount.ts';
import type { describeMetric } from './describe-metric.ts';
import { nameClass } from './wording.ts';

/** The classes of both sides as a report shows them. */
export function describeClasses(
  { cases, f1, recall, cells }: ComparedClasses,
  describe: typeof describeMetric,
): ClassComparison {
  return {
    cases,
    f1: { maxDrop: f1.maxDrop, ...describe(f1.evidence) },
    recall: [...recall].map(([name, { evidence, maxDrop, isLimited }]) => ({
      class: name,
      cases: evidence.n,
      ...(isLimited ? { maxDrop } : {}),
      ...describe(evidence),
    })),
    cells,
  };
}

/** What the comparison of classes could not see. */
export function describeClassGaps({ classes }: ComparedVariant): readonly string[] {
  if (classes === undefined) return [];
  const { recall, relabelled, unclassified, vanished, cases } = classes;
  const limited = [...recall].filter(([, { isLimited, evidence }]) => isLimited && evidence.n === 0);
  return [
    ...vanished.map(
      ({ name, cases: count }) =>
        `${nameClass(name)} has no case any more: its ${formatCount(count, 'case')} ${count === 1 ? 'was' : 'were'} removed since the baseline`,
    ),
    ...(relabelled === 0
      ? []
      : [
          `${formatCount(relabelled, 'case')} ${relabelled === 1 ? 'is' : 'are'} of another class than when accepted, and not compared by class`,
        ]),
    ...(unclassified === 0
      ? []
      : [
          `${formatCount(unclassified, 'case')} can't be compared by class: the baseline holds neither a class nor an answer`,
        ]),
    ...(cases === 0 ? ['no case can be compared by class, so a drop of recall or macro F1 cannot be seen'] : []),
    ...limited.map(
      ([name]) => `${nameClass(name)}: none of its cases can be compared, so a drop of its recall can't be seen`,
    ),
  ];
}
