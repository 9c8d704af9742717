import type { SwapCandidate, SwapReport, SwapRow } from '../../model/comparison/comparison.ts';
import type { PageClasses } from '../../model/report/page.ts';
import type { Report, SuiteReport, VariantReport } from '../../model/report/report.ts';
import { displayWidth, shortenToWidth, wrapToWidth } from '../../terminal/display-width.ts';
import { renderPlainTable } from '../../terminal/plain-table.ts';
import { formatCount, formatPercent, formatPoints, percentOf } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { describeClasses, noneOfThem } from '../classes.ts';
import { describeRatio, formatCost, formatLatency, formatRate } from '../comparison.ts';
import { indentText, listFirstItems, type Paint } from '../paint.ts';

/** A line for each variant: `v2 × mini  40/42 passed, 2 failed  95.2 %  [84.2–98.7]  $0.0041  p50 600 ms`. */
export function renderVariantTable(suite: SuiteReport, paint: Paint): string[] {
  const room = paint.width - indent.length;
  const rows = suite.variants.map((variant) => columnsOf(variant, paint));
  const isStreamed = suite.variants.some(({ firstTokenMs }) => firstTokenMs !== undefined);
  for (const columns of isStreamed ? [...streamedLayouts, ...layouts] : layouts) {
    const lines = renderRows(
      rows.map((row) => columns.map((column) => row[column])),
      2,
    );
    if (lines.every((line) => displayWidth(line) <= room)) return lines.map((line) => indent + line);
  }
  return suite.variants.flatMap((variant) => describeVariant(variant, room)).map((line) => indent + line);
}

const indent = '  ';

function columnsOf(variant: VariantReport, paint: Paint) {
  const { passRate, latencyMs, firstTokenMs } = variant;
  const { low, high } = passRate;
  const hasInterval = passRate.value !== null && low !== null && high !== null;
  return {
    name: `${toSafeLine(variant.prompt)} × ${toSafeLine(variant.provider)}`,
    counts: countCells(variant, paint),
    rate: passRate.value === null ? '–' : formatPercent(passRate.value),
    interval: hasInterval ? paint.colors.dim(`[${percentOf(low)}–${percentOf(high)}]`) : '',
    cost: formatCost(variant.costUsd),
    p50: latencyMs.p50 === null ? '' : `p50 ${formatLatency(latencyMs.p50)}`,
    p95: latencyMs.p95 === null ? '' : `p95 ${formatLatency(latencyMs.p95)}`,
    firstToken: firstTokenMs === undefined ? '' : `first token p95 ${formatLatency(firstTokenMs.p95)}`,
  };
}

/** The columns for streamed answers, which come before the others. */
const streamedLayouts = [
  ['name', 'counts', 'rate', 'interval', 'cost', 'p50', 'p95', 'firstToken'],
  ['name', 'counts', 'rate', 'cost', 'p95', 'firstToken'],
] as const satisfies readonly (readonly (keyof ReturnType<typeof columnsOf>)[])[];

/** The widest one that fits. */
const layouts = [
  ['name', 'counts', 'rate', 'interval', 'cost', 'p50', 'p95'],
  ['name', 'counts', 'rate', 'interval', 'cost', 'p50'],
  ['name', 'counts', 'rate', 'interval', 'cost'],
  ['name', 'counts', 'rate', 'cost'],
  ['name', 'counts', 'rate'],
] as const satisfies readonly (readonly (keyof ReturnType<typeof columnsOf>)[])[];

/** The same figures as a sentence, for a terminal that is too narrow for any table. */
function describeVariant(variant: VariantReport, room: number): string[] {
  const { passed, failed, errored, skipped, passRate, costUsd, latencyMs, firstTokenMs } = variant;
  const text = [
    `${toSafeLine(variant.prompt)} × ${toSafeLine(variant.provider)}: ${passed} passed, ${failed} failed`,
    `${errored} errored, ${skipped} skipped, pass rate ${formatRate(passRate)}`,
    `cost ${formatCost(costUsd)}, p50 ${formatLatency(latencyMs.p50)}, p95 ${formatLatency(latencyMs.p95)}`,
    ...(firstTokenMs === undefined ? [] : [describeFirstToken(firstTokenMs)]),
  ];
  return wrapToWidth(text.join(', '), room - 2).map((line, index) => (index === 0 ? line : `  ${line}`));
}

function describeFirstToken({ p50, p95 }: NonNullable<VariantReport['firstTokenMs']>): string {
  return `first token p50 ${formatLatency(p50)}, p95 ${formatLatency(p95)}`;
}

/** Aligns rows in columns with two spaces between them. The first `leading` columns are aligned to the left. */
function renderRows(rows: readonly (readonly string[])[], leading: number): string[] {
  return renderPlainTable(rows, { gap: '  ', leading });
}

/** `40/42 passed, 2 failed`: zeros are left out. */
function countCells({ planned, passed, failed, errored, skipped }: VariantReport, { colors }: Paint): string {
  const passes = `${passed}/${planned} passed`;
  return [
    passed === planned && planned > 0 ? colors.green(passes) : passes,
    ...(failed > 0 ? [colors.red(`${failed} failed`)] : []),
    ...(errored > 0 ? [colors.yellow(`${errored} errored`)] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
}

/** Macro F1, moved answers, the scores of each class and the confusion matrix; empty for a suite without classes. */
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

/** The widest form that fits: one line a class, intervals on a second line, or sentences. */
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
  // A matrix that is too wide for this terminal is omitted.
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

/** A table for each provider: candidates by suites, why some do not hold, and which one to take. */
export function renderSwaps({ swaps = [] }: Report, paint: Paint): readonly string[] {
  return swaps.flatMap((swap) => [
    paint.colors.bold(`${toSafeLine(swap.provider)} and what could take its place`),
    ...renderSwapTable(swap, paint),
    ...renderReasons(swap, paint),
    ...indentText(paint.colors.bold(toSafeLine(capitalize(`${swap.conclusion}.`))), paint, 0),
    '',
  ]);
}

/** A block of lines for each candidate: one a suite, and one for all suites if there are several. */
function renderSwapTable(swap: SwapReport, paint: Paint): readonly string[] {
  const blocks = swap.candidates.map((candidate) => ({ candidate, rows: rowsOf(candidate, swap, paint) }));
  for (const columns of swapLayouts) {
    const cells = [swapHeads, ...blocks.flatMap(({ rows }) => rows)].map((row) => columns.map((column) => row[column]));
    const lines = renderPlainTable(cells, { gap: '  ' }).map((line) => `    ${line}`);
    if (lines.some((line) => displayWidth(line) > paint.width)) continue;
    const [head = '', ...rest] = lines;
    return [
      paint.colors.dim(head),
      ...blocks.flatMap(({ candidate, rows }) => [
        ...indentText(describeCandidate(candidate), paint, 2, 4),
        ...rest.splice(0, rows.length),
      ]),
    ];
  }
  return swap.rows.flatMap((row) => indentText(describeSwapRow(row), paint, 2, 4));
}

const swapHeads = {
  suite: 'suite',
  verdict: 'verdict',
  rate: 'pass rate',
  cost: 'cost',
  latency: 'latency',
} as const;
type SwapColumn = keyof typeof swapHeads;

/** The widest one that fits. */
const swapLayouts: readonly (readonly SwapColumn[])[] = [
  ['suite', 'verdict', 'rate', 'cost', 'latency'],
  ['suite', 'verdict', 'cost', 'latency'],
  ['suite', 'verdict', 'cost'],
  ['suite', 'verdict'],
];

/** The candidate's name, with its model if the name is not the model. */
function describeCandidate({ candidate, model }: SwapCandidate): string {
  return toSafeLine(candidate === model || model === '' ? candidate : `${candidate} (${model})`);
}

function rowsOf(candidate: SwapCandidate, { rows }: SwapReport, paint: Paint): Record<SwapColumn, string>[] {
  const own = rows.filter((row) => row.candidate === candidate.candidate);
  const cells = own.map((row) => cellsOf(row, own, paint));
  if (own.length < 2) return cells;
  const { verdict, costUsd, latencyMs } = candidate;
  const whole = { suite: 'all', verdict: paintVerdict(verdict, verdict, paint), rate: '' };
  return [...cells, { ...whole, cost: describeRatio(costUsd) ?? 'unknown', latency: describeRatio(latencyMs) ?? '–' }];
}

function cellsOf(row: SwapRow, own: readonly SwapRow[], paint: Paint): Record<SwapColumn, string> {
  const { suite, prompt, verdict, broken, passRate, costUsd, latencyMs } = row;
  const isOfSeveral = own.filter((other) => other.suite === suite).length > 1;
  const count = broken.length === 0 ? '' : `, ${broken.length} broken`;
  const { candidate: rate, delta } = passRate;
  return {
    suite: toSafeLine(isOfSeveral ? `${suite} · ${prompt}` : suite),
    verdict: paintVerdict(verdict, `${verdict}${count}`, paint),
    rate: rate === null || delta === null ? '–' : `${formatPercent(rate)}, ${formatPoints(delta)}`,
    cost: describeRatio(costUsd) ?? 'unknown',
    latency: describeRatio(latencyMs) ?? '–',
  };
}

function paintVerdict(verdict: SwapRow['verdict'], text: string, { colors }: Paint): string {
  const paints = {
    better: colors.green,
    holds: colors.green,
    undecided: colors.yellow,
    partial: colors.yellow,
    worse: colors.red,
  };
  return paints[verdict](text);
}

/** For a terminal that is too narrow for a table. */
function describeSwapRow({ candidate, suite, prompt, verdict, costUsd }: SwapRow): string {
  return toSafeLine(`${candidate} in ${suite} (${prompt}): ${verdict}, cost ${describeRatio(costUsd) ?? 'unknown'}`);
}

/** The first reasons of each row that does not hold. */
function renderReasons({ rows }: SwapReport, paint: Paint): readonly string[] {
  return rows.flatMap(({ candidate, suite, reasons, verdict }) => {
    const mark = verdict === 'worse' ? paint.colors.red('✗') : paint.colors.yellow('!');
    return listFirstItems(reasons, { most: maxSwapReasons, noun: 'reason', paint, indent: '    ' }, (reason) =>
      indentText(`${mark} ${toSafeLine(`${candidate}, ${suite}: ${reason}`)}`, paint, 2, 2),
    );
  });
}

const maxSwapReasons = 2;

function capitalize(text: string): string {
  // An id stays as it is written.
  return /^(?:no|nothing) /.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
}
