import { formatChange, formatPoints, signed } from '../lib/format-amount.ts';
import { toSafeLine } from '../lib/sanitize.ts';
import type { MetricComparison, VariantComparison, VariantReport } from '../model/report.ts';
import { indentText, type Paint } from './paint.ts';

/** What changed against the baseline, in words: numbers with their intervals, then the cases by name. */
export function renderComparison(variant: VariantReport, paint: Paint): string[] {
  const { comparison } = variant;
  const name = `${toSafeLine(variant.prompt)} × ${toSafeLine(variant.provider)}`;
  if (variant.replacedBy !== undefined) {
    return indentText(`${name} is replaced by ${toSafeLine(variant.replacedBy)}: shown, not gated`, paint, 2);
  }
  if (comparison === undefined) return [];
  const { against, cases, residue, advice } = comparison;
  const source = `${toSafeLine(against.source)}${against.prompt === variant.prompt ? '' : ` (${toSafeLine(against.prompt)})`}`;
  return [
    ...indentText(`${name} against ${source}: ${paintOutcome(comparison, paint)}`, paint, 2),
    ...indentText(describeMetrics(comparison), paint, 4),
    ...caseLists.flatMap(([key, words]) => renderCaseList(words, cases[key], paint)),
    ...residue.flatMap((line) => indentText(`also differs: ${toSafeLine(line)}`, paint, 4)),
    ...advice.flatMap((line) => indentText(`to settle it: ${toSafeLine(line)}`, paint, 4)),
  ];
}

const caseLists: readonly (readonly [keyof VariantComparison['cases'], string])[] = [
  ['regressed', 'regressed'],
  ['fixed', 'fixed'],
  ['stillFailing', 'still failing'],
  ['flaky', 'flaky'],
  ['added', 'added'],
  ['removed', 'removed'],
  ['redefined', 'redefined'],
];

const maxIds = 20;

function paintOutcome({ outcome }: VariantComparison, { colors }: Paint): string {
  switch (outcome) {
    case 'passed':
      return colors.green('not regressed');
    case 'failed':
      return colors.red('regressed');
    case 'inconclusive':
      return colors.yellow('inconclusive');
  }
}

function describeMetrics({ passRate, score, costUsd, latencyMs }: VariantComparison): string {
  return [
    describeMetric('pass rate', passRate, formatPoints),
    describeMetric('score', score, formatPoints),
    describeMetric('cost', costUsd, formatChange),
    describeMetric('latency', latencyMs, formatChange),
  ].join(' · ');
}

function describeMetric(name: string, metric: MetricComparison, format: (delta: number) => string): string {
  const { delta, low, high } = metric;
  if (delta === null) return `${name} –`;
  if (low === null && high === null) return `${name} ${format(delta)}`;
  const bound = (side: number | null): string => (side === null ? '?' : signed(side * 100, 1));
  return `${name} ${format(delta)} [${bound(low)}, ${bound(high)}]`;
}

function renderCaseList(words: string, ids: readonly string[], paint: Paint): string[] {
  if (ids.length === 0) return [];
  const shown = paint.verbose ? ids : ids.slice(0, maxIds);
  const more = ids.length > shown.length ? ` and ${ids.length - shown.length} more` : '';
  return indentText(`${words} (${ids.length}): ${shown.map(toSafeLine).join(', ')}${more}`, paint, 4);
}
