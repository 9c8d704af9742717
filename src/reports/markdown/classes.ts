import type { PageClasses } from '../../model/page.ts';
import type { Report } from '../../model/report.ts';
import { describeClasses, noneOfThem } from '../classes.ts';
import { codeCell, codeList, codeSpan, type Section, tableHead, tableRow } from './text.ts';

/** For each variant macro F1, what moved, the scores of each class, and the confusion matrix. */
export function classSection({ suites }: Report): Section {
  const items = suites.flatMap((suite) =>
    suite.variants.flatMap((variant) => {
      const classes = describeClasses(variant);
      if (classes === undefined) return [];
      const place = codeSpan(`${suite.suite} · ${variant.prompt} × ${variant.provider}`, 100);
      return [() => renderClasses(place, classes)];
    }),
  );
  return { head: '', items, tail: '', noun: 'confusion matrices' };
}

function renderClasses(place: string, { macroF1, moved, scores, matrix, others }: PageClasses): string {
  const lines = [
    `- ${place}: macro F1 ${macroF1}`,
    ...moved.map(({ truth, found, change, entered }) => {
      const names = entered.length === 0 ? '' : ` (${codeList(entered, entered.length, 60)})`;
      return `  - moved: ${codeSpan(truth, 40)} found as ${nameFound(found)} ${change}${names}`;
    }),
    ...(others.length === 0
      ? []
      : [
          `  - answers of none of the classes: ${others
            .map(
              ({ found, answers }) => `${found === undefined ? 'no class at all' : codeSpan(found, 40)} × ${answers}`,
            )
            .join(', ')}`,
        ]),
  ];
  const rows = scores
    .slice(0, maxScores)
    .map((score) =>
      tableRow([codeCell(score.class, 40), String(score.cases), score.recall, score.precision, score.f1]),
    );
  const table = `${tableHead(['class', 'cases', 'recall', 'precision', 'F1'])}${rows.join('')}`;
  return `${lines.join('\n')}\n\n${table}\n${matrix === undefined ? '' : renderMatrix(matrix)}`;
}

function renderMatrix({ names, rows }: NonNullable<PageClasses['matrix']>): string {
  const head = tableHead(['class ↓ found →', ...names.map((name) => codeCell(name, 24)), noneOfThem]);
  return `${head}${rows.map(({ truth, counts }) => tableRow([codeCell(truth, 40), ...counts])).join('')}\n`;
}

function nameFound(found: string | undefined): string {
  return found === undefined ? noneOfThem : codeSpan(found, 40);
}

const maxScores = 30;
