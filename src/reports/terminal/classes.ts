import type { PageClasses } from '../../model/page.ts';
import type { VariantReport } from '../../model/report.ts';
import { displayWidth, shortenToWidth } from '../../terminal/display-width.ts';
import { formatCount } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { describeClasses, noneOfThem } from '../classes.ts';
import { indentText, type Paint } from '../paint.ts';
import { renderRows } from './variant-table.ts';

/** Macro F1, what moved, the scores of each class and the confusion matrix; nothing where a suite has no classes. */
export function renderClasses(variant: VariantReport, paint: Paint): string[] {
  const classes = describeClasses(variant);
  if (classes === undefined) return [];
  const { macroF1, moved, others } = classes;
  const name = `${toSafeLine(variant.prompt)} × ${toSafeLine(variant.provider)}`;
  const lines = (label: string, texts: readonly string[]) =>
    texts.length === 0 ? [] : indentText(`${label}: ${texts.join(', ')}`, paint, 4);
  return [
    ...indentText(`${name} by class: macro F1 ${macroF1}`, paint, 2),
    ...lines(
      'moved',
      moved.map(({ truth, found, change, entered }) => {
        const names = entered.length === 0 ? '' : ` (${entered.map(toSafeLine).join(', ')})`;
        return `${shortName(truth)} found as ${shortName(found)} ${change}${names}`;
      }),
    ),
    ...renderScores(classes, paint),
    ...lines(
      'answers of none of the classes',
      others.map(({ found, answers }) => {
        return `${found === undefined ? 'no class at all' : `"${shortName(found)}"`} ${formatCount(answers, 'time')}`;
      }),
    ),
    ...renderMatrix(classes, paint),
  ];
}

/** As the width allows: in one line a class, with intervals below, or as sentences. */
function renderScores({ scores }: PageClasses, paint: Paint): string[] {
  const shown = paint.verbose ? scores : scores.slice(0, maxScores);
  const head = ['class', 'cases', 'recall', 'precision', 'F1'];
  const table = (cell: (text: string) => string) => {
    const rows = shown.map(({ class: name, cases, recall, precision, f1 }) => {
      return [shortName(name), String(cases), cell(recall), cell(precision), cell(f1)];
    });
    return fitRows(renderRows([head.map(paint.colors.dim), ...rows], 1), paint);
  };
  const sentences = () =>
    shown.flatMap(({ class: name, cases, recall, precision, f1 }) =>
      indentText(
        `class ${shortName(name)}: ${formatCount(cases, 'case')}, recall ${recall}, precision ${precision}, F1 ${f1}`,
        paint,
        4,
      ),
    );
  const hidden = scores.length - shown.length;
  const more = hidden === 0 ? [] : [`    … and ${formatCount(hidden, 'more class', 'more classes')}`];
  return [...(table((text) => text) ?? table(stack) ?? sentences()), ...more];
}

/** `100.0 % → 50.0 %` over `−50.0 pts [−74.6, −18.8]`; a rate over its interval. */
function stack(text: string): string {
  return text.includes(', ') ? text.replace(', ', '\n') : text.replace(' [', '\n[');
}

function renderMatrix({ matrix }: PageClasses, paint: Paint): string[] {
  if (matrix === undefined) return [];
  const head = ['class ↓ found →', ...matrix.names.map(shortName), noneOfThem];
  const rows = matrix.rows.map(({ truth, counts }) => [shortName(truth), ...counts]);
  // Too wide for this terminal: what moved and the scores say most of it.
  return fitRows(renderRows([head.map(paint.colors.dim), ...rows], 1), paint) ?? [];
}

function fitRows(lines: readonly string[], paint: Paint): string[] | undefined {
  const indented = lines.map((line) => `    ${line}`);
  return indented.every((line) => displayWidth(line) <= paint.width) ? indented : undefined;
}

function shortName(name: string | undefined): string {
  return name === undefined ? noneOfThem : shortenToWidth(toSafeLine(name), maxNameWidth);
}

const maxNameWidth = 24;
const maxScores = 20;
