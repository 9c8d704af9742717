import type { PageClasses, PageMatrix } from '../model/report/page.ts';
import type { ClassComparison, ClassReport, ShareEstimate, VariantReport } from '../model/report/report.ts';
import { formatCount } from '../text/format-amount.ts';
import { describeRateChange, formatRate } from './comparison.ts';

/** The title of the column for answers that name no class. */
export const noneOfThem = 'none of them';

/** Class figures of a variant as text and tables, the same in every report. Undefined if no answer was classified. */
export function describeClasses({ classes, comparison }: VariantReport): PageClasses | undefined {
  if (classes === undefined || classes.scores.length === 0) return undefined;
  const compared = comparison?.classes;
  return {
    macroF1: describeMacroF1(classes, compared),
    moved: (compared?.cells ?? [])
      .filter(({ baseline, candidate }) => Math.abs(candidate - baseline) > leastMove)
      .slice(0, maxMoved)
      .map(({ truth, found, baseline, candidate, entered }) => ({
        truth,
        found: found ?? undefined,
        change: `${formatShare(baseline)} → ${formatShare(candidate)}`,
        entered: entered.slice(0, maxEntered),
      })),
    scores: classes.scores.map((score) => {
      const before = compared?.recall.find((one) => one.class === score.class);
      return {
        class: score.class,
        cases: score.cases,
        recall: (before && describeRateChange(before)) ?? formatEstimate(score.recall),
        precision: formatEstimate(score.precision),
        f1: formatEstimate(score.f1),
      };
    }),
    matrix: describeMatrix(classes),
    others: classes.others.map(({ found, answers }) => ({ found: found ?? undefined, answers })),
  };
}

function describeMacroF1({ macro, scores }: ClassReport, compared: ClassComparison | undefined): string {
  const change = compared && describeRateChange(compared.f1);
  if (compared === undefined || change === undefined) {
    return `${formatEstimate(macro.f1)} over ${formatCount(scores.length, 'class', 'classes')}`;
  }
  return `${change} in ${formatCount(compared.cases, 'case')}`;
}

function describeMatrix({ cells, names }: ClassReport): PageMatrix | undefined {
  // Classes without a selected case are omitted.
  const used = names.filter((name) => cells.some(({ truth, found }) => truth === name || found === name));
  if (used.length > maxMatrix) return undefined;
  const rows = used.map((truth) => {
    const counts = [...used, null].map((name) => {
      const cell = cells.find((one) => one.truth === truth && one.found === name);
      return formatShare(cell?.cases ?? 0);
    });
    return { truth, counts };
  });
  return { names: used, rows };
}

/** A number of cases; a case with several trials counts in fractions. */
function formatShare(cases: number): string {
  return String(Math.round(cases * 10) / 10);
}

function formatEstimate(estimate: ShareEstimate): string {
  return formatRate({ ...estimate, n: 0 });
}

const leastMove = 0.05;
const maxMoved = 10;
const maxEntered = 3;
/** The largest matrix. A larger one is unreadable; the JSON report has all cells. */
const maxMatrix = 12;
