import Table from 'cli-table3';
import type { SuiteReport, VariantReport } from '../../model/report.ts';
import { displayWidth, wrapToWidth } from '../../terminal/display-width.ts';
import { noBorders } from '../../terminal/no-borders.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { formatCost, formatLatency, formatRate } from '../comparison.ts';
import type { Paint } from '../paint.ts';

/** One row for each variant, as the width allows: in columns, in fewer columns with stacked cells, or as sentences. */
export function renderVariantTable(suite: SuiteReport, paint: Paint): string[] {
  const room = paint.width - indent.length;
  for (const layout of [wideLayout, stackedLayout]) {
    const lines = layout(suite.variants, paint, room);
    if (lines.every((line) => displayWidth(line) <= room)) return lines.map((line) => indent + line);
  }
  return suite.variants.flatMap((variant) => describeVariant(variant, room)).map((line) => indent + line);
}

const indent = '  ';
const gap = '  ';

function wideLayout(variants: readonly VariantReport[], paint: Paint): string[] {
  const head = ['prompt', 'provider', 'passed', 'failed', 'errored', 'skipped', 'pass rate', 'cost', 'p50', 'p95'];
  const rows = variants.map((variant) => [
    toSafeLine(variant.prompt),
    toSafeLine(variant.provider),
    ...countCells(variant, paint),
    formatRate(variant.passRate),
    formatCost(variant.costUsd),
    formatLatency(variant.latencyMs.p50),
    formatLatency(variant.latencyMs.p95),
  ]);
  return renderRows(head, rows, paint, { leading: 2, gapLine: false });
}

/** Prompt over provider, rate over interval, p50 over p95. */
function stackedLayout(variants: readonly VariantReport[], paint: Paint, room: number): string[] {
  const head = ['variant', 'pass', 'fail', 'err', 'skip', 'pass rate', 'cost', 'latency'];
  const measured = variants.map((variant) => [
    ...countCells(variant, paint),
    formatRate(variant.passRate, '\n'),
    formatCost(variant.costUsd),
    `p50 ${formatLatency(variant.latencyMs.p50)}\np95 ${formatLatency(variant.latencyMs.p95)}`,
  ]);
  const taken = head.slice(1).reduce((total, title, column) => {
    const cells = measured.map((row) => cellWidth(row[column] ?? ''));
    return total + gap.length + Math.max(displayWidth(title), ...cells);
  }, 0);
  const nameWidth = Math.max(minNameWidth, room - taken);
  const rows = variants.map((variant, index) => {
    const names = [variant.prompt, variant.provider].flatMap((name) => wrapToWidth(toSafeLine(name), nameWidth));
    return [names.join('\n'), ...(measured[index] ?? [])];
  });
  return renderRows(head, rows, paint, { leading: 1, gapLine: true });
}

const minNameWidth = 14;

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

export function renderRows(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { colors }: Paint,
  /** `leading`: how many columns are aligned to the left. */
  form: { readonly leading: number; readonly gapLine: boolean },
): string[] {
  const table = new Table({
    chars: { ...noBorders, middle: gap, mid: form.gapLine ? ' ' : '' },
    // By default the library colours heads and borders even where colour is off.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (column < form.leading ? 'left' : 'right')),
  });
  table.push(
    head.map((title) => colors.dim(title)),
    ...rows.map((row) => [...row]),
  );
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line, index) => line !== '' || index > 1);
}

function countCells({ passed, failed, errored, skipped }: VariantReport, { colors }: Paint): string[] {
  return [
    passed > 0 ? colors.green(passed) : '0',
    failed > 0 ? colors.red(failed) : '0',
    errored > 0 ? colors.yellow(errored) : '0',
    String(skipped),
  ];
}

function cellWidth(cell: string): number {
  return Math.max(...cell.split('\n').map(displayWidth));
}
