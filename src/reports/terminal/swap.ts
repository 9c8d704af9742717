import type { Report } from '../../model/report.ts';
import type { SwapCandidate, SwapReport, SwapRow } from '../../model/swap.ts';
import { displayWidth } from '../../terminal/display-width.ts';
import { renderPlainTable } from '../../terminal/plain-table.ts';
import { formatCount, formatPercent, formatPoints } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { describeRatio } from '../comparison.ts';
import { indentText, type Paint } from '../paint.ts';

/** A table for each provider: candidates by suites, why some do not hold, and which one to take. */
export function renderSwaps({ swaps = [] }: Report, paint: Paint): readonly string[] {
  return swaps.flatMap((swap) => [
    paint.colors.bold(`${toSafeLine(swap.provider)} and what could take its place`),
    ...renderTable(swap, paint),
    ...renderReasons(swap, paint),
    ...indentText(paint.colors.bold(toSafeLine(capitalize(`${swap.conclusion}.`))), paint, 0),
    '',
  ]);
}

/** A block of lines for each candidate: one a suite, and one for all suites where there are several. */
function renderTable(swap: SwapReport, paint: Paint): readonly string[] {
  const blocks = swap.candidates.map((candidate) => ({ candidate, rows: rowsOf(candidate, swap, paint) }));
  for (const columns of layouts) {
    const cells = [heads, ...blocks.flatMap(({ rows }) => rows)].map((row) => columns.map((column) => row[column]));
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
  return swap.rows.flatMap((row) => indentText(describeRow(row), paint, 2, 4));
}

const heads = {
  suite: 'suite',
  verdict: 'verdict',
  rate: 'pass rate',
  cost: 'cost',
  latency: 'latency',
} as const;
type Column = keyof typeof heads;

/** The widest one that fits. */
const layouts: readonly (readonly Column[])[] = [
  ['suite', 'verdict', 'rate', 'cost', 'latency'],
  ['suite', 'verdict', 'cost', 'latency'],
  ['suite', 'verdict', 'cost'],
  ['suite', 'verdict'],
];

/** The model too, where the name is not the model. */
function describeCandidate({ candidate, model }: SwapCandidate): string {
  return toSafeLine(candidate === model || model === '' ? candidate : `${candidate} (${model})`);
}

function rowsOf(candidate: SwapCandidate, { rows }: SwapReport, paint: Paint): Record<Column, string>[] {
  const own = rows.filter((row) => row.candidate === candidate.candidate);
  const cells = own.map((row) => cellsOf(row, own, paint));
  if (own.length < 2) return cells;
  const { verdict, costUsd, latencyMs } = candidate;
  const whole = { suite: 'all', verdict: paintVerdict(verdict, verdict, paint), rate: '' };
  return [...cells, { ...whole, cost: describeRatio(costUsd) ?? 'unknown', latency: describeRatio(latencyMs) ?? '–' }];
}

function cellsOf(row: SwapRow, own: readonly SwapRow[], paint: Paint): Record<Column, string> {
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
function describeRow({ candidate, suite, prompt, verdict, costUsd }: SwapRow): string {
  return toSafeLine(`${candidate} in ${suite} (${prompt}): ${verdict}, cost ${describeRatio(costUsd) ?? 'unknown'}`);
}

/** The first reasons of each row that does not hold. */
function renderReasons({ rows }: SwapReport, paint: Paint): readonly string[] {
  return rows.flatMap(({ candidate, suite, reasons, verdict }) => {
    const shown = paint.verbose ? reasons : reasons.slice(0, maxReasons);
    const hidden = reasons.length - shown.length;
    const mark = verdict === 'worse' ? paint.colors.red('✗') : paint.colors.yellow('!');
    return [
      ...shown.flatMap((reason) =>
        indentText(`${mark} ${toSafeLine(`${candidate}, ${suite}: ${reason}`)}`, paint, 2, 2),
      ),
      ...(hidden > 0 ? [`    … and ${formatCount(hidden, 'more reason')} (--verbose)`] : []),
    ];
  });
}

const maxReasons = 2;

function capitalize(text: string): string {
  // An id stays as it is written.
  return /^(?:no|nothing) /.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
}
