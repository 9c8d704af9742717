import Table from 'cli-table3';
import type { SuiteReport, VariantReport } from '../../model/report.ts';
import { displayWidth, wrapToWidth } from '../../terminal/display-width.ts';
import { noBorders } from '../../terminal/no-borders.ts';
import { formatPercent, percentOf } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { formatCost, formatLatency, formatRate } from '../comparison.ts';
import type { Paint } from '../paint.ts';

/** A line for each variant: `v2 × mini  40/42 passed, 2 failed  95.2 %  [84.2–98.7]  $0.0041  p50 600 ms`. */
export function renderVariantTable(suite: SuiteReport, paint: Paint): string[] {
  const room = paint.width - indent.length;
  const rows = suite.variants.map((variant) => columnsOf(variant, paint));
  for (const columns of layouts) {
    const lines = renderRows(
      rows.map((row) => columns.map((column) => row[column])),
      2,
    );
    if (lines.every((line) => displayWidth(line) <= room)) return lines.map((line) => indent + line);
  }
  return suite.variants.flatMap((variant) => describeVariant(variant, room)).map((line) => indent + line);
}

const indent = '  ';
const gap = '  ';

function columnsOf(variant: VariantReport, paint: Paint) {
  const { passRate, latencyMs } = variant;
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
  };
}

/** The widest one that fits. */
const layouts = [
  ['name', 'counts', 'rate', 'interval', 'cost', 'p50', 'p95'],
  ['name', 'counts', 'rate', 'interval', 'cost', 'p50'],
  ['name', 'counts', 'rate', 'interval', 'cost'],
  ['name', 'counts', 'rate', 'cost'],
  ['name', 'counts', 'rate'],
] as const satisfies readonly (readonly (keyof ReturnType<typeof columnsOf>)[])[];

/** For a terminal too narrow for any table. */
function describeVariant(variant: VariantReport, room: number): string[] {
  const { passed, failed, errored, skipped, passRate, costUsd, latencyMs } = variant;
  const text = [
    `${toSafeLine(variant.prompt)} × ${toSafeLine(variant.provider)}: ${passed} passed, ${failed} failed`,
    `${errored} errored, ${skipped} skipped, pass rate ${formatRate(passRate)}`,
    `cost ${formatCost(costUsd)}, p50 ${formatLatency(latencyMs.p50)}, p95 ${formatLatency(latencyMs.p95)}`,
  ];
  return wrapToWidth(text.join(', '), room - 2).map((line, index) => (index === 0 ? line : `  ${line}`));
}

/** Rows in columns, of which the first so many are aligned to the left. */
export function renderRows(rows: readonly (readonly string[])[], leading: number): string[] {
  if (rows.length === 0) return [];
  const table = new Table({
    chars: { ...noBorders, middle: gap },
    // By default the library colours borders even where colour is off.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: (rows[0] ?? []).map((_, column) => (column < leading ? 'left' : 'right')),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
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
