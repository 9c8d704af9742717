import type { Report, SuiteReport, VariantComparison, VariantReport } from '../../model/report/report.ts';
import { formatCount, listFirst } from '../../text/format-amount.ts';
import { groupBy } from '../../text/group-by.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { nameVariants } from '../cases/name-cases.ts';
import {
  describeBareLimit,
  describeComparison,
  describeMetrics,
  describeRunSince,
  describeSlices,
  findUncompared,
  listErosion,
  listPromptChanges,
  type MetricText,
  maxRunsSince,
} from '../comparison.ts';
import { indentText, type Paint } from '../paint.ts';
import { renderDiff } from '../render-diff.ts';
import { listRemarks, type Remark } from '../run-facts.ts';

/** The differences from the baseline: figures that moved, remarks, and each changed prompt once. */
export function renderComparisons(report: Report, suite: SuiteReport, paint: Paint): readonly string[] {
  return [
    ...renderFigures(suite, paint),
    ...suite.variants.flatMap((variant) => renderSlices(suite, variant, paint)),
    ...renderRemarks(report, suite, paint),
    ...renderMissingBaselines(report, suite, paint),
    ...renderPrompts(suite, paint),
  ];
}

/** The figures of each variant. Variants with the same figures share a line. */
function renderFigures(suite: SuiteReport, paint: Paint): readonly string[] {
  const groups = groupBy(suite.variants, (variant) => describeFigures(variant, paint));
  return [...groups].flatMap(([text, variants]) => {
    return text === '' ? [] : indentText(`${nameVariants(variants, suite, toSafeLine)}  ${text}`, paint, 2);
  });
}

function describeFigures({ prompt, comparison }: VariantReport, paint: Paint): string {
  if (comparison === undefined) return '';
  const metrics = describeMetrics(comparison).filter((metric) => paint.verbose || hasMoved(metric, comparison));
  const figures = metrics.map(({ label, text }) => `${label} ${text}`);
  if (!paint.verbose) return figures.join(' · ');
  const { against } = comparison;
  const source = `${toSafeLine(against.source)}${against.prompt === prompt ? '' : ` (${toSafeLine(against.prompt)})`}`;
  return [`against ${source}: ${paintOutcome(comparison, paint)}`, ...figures].join(' · ');
}

/** Hides a score that equals the pass rate, and latency that differs by no more than chance. */
function hasMoved({ key }: MetricText, comparison: VariantComparison): boolean {
  const metric = comparison[key];
  if (metric === undefined) return false;
  const { baseline, candidate, delta, low, high } = metric;
  if (key === 'latencyMs') return low !== null && high !== null && (low > 0 || high < 0);
  if (delta === null || baseline === candidate) return key === 'costUsd' && baseline !== candidate;
  const { passRate } = comparison;
  return key !== 'score' || baseline !== passRate.baseline || candidate !== passRate.candidate;
}

function renderSlices(suite: SuiteReport, variant: VariantReport, paint: Paint): readonly string[] {
  const { comparison, replacedBy } = variant;
  if (replacedBy !== undefined) return [];
  if (comparison?.outcome === 'passed' && comparison.certainty.kind === 'unchanged' && !paint.verbose) return [];
  const name = nameVariants([variant], suite, toSafeLine);
  return describeSlices(variant).flatMap(({ slice, text }) =>
    indentText(`${name}  slice ${toSafeLine(slice)} ${text}`, paint, 2),
  );
}

function paintOutcome(comparison: VariantComparison, { colors }: Paint): string {
  const text = describeComparison(comparison);
  switch (comparison.outcome) {
    case 'passed':
      return colors.green(text);
    case 'failed':
      return colors.red(text);
    case 'inconclusive':
      return colors.yellow(`inconclusive: ${text}`);
  }
}

/** Renders remarks. A failed run shows only two warnings, so that they do not hide the failures. */
function renderRemarks(report: Report, suite: SuiteReport, paint: Paint): readonly string[] {
  const remarks = listRemarks(report, suite, { isVerbose: paint.verbose });
  const isLimited = report.decision.outcome === 'failed' && !paint.verbose;
  const warnings = remarks.filter(({ label }) => label === 'warning');
  const hidden = isLimited ? warnings.slice(maxWarnings) : [];
  return [
    ...remarks.filter((remark) => !hidden.includes(remark)).flatMap((remark) => renderRemark(remark, suite, paint)),
    ...(hidden.length > 0 ? [`  … and ${formatCount(hidden.length, 'more warning')} (--verbose)`] : []),
  ];
}

const maxWarnings = 2;

function renderRemark({ label, variants, text, caseNames = [] }: Remark, suite: SuiteReport, paint: Paint): string[] {
  const where = suite.variants.length > 1 ? ` with ${nameVariants(variants, suite, toSafeLine)}` : '';
  const title = label === 'warning' ? paint.colors.yellow(label) : label;
  if (text !== undefined) return indentText(`${title}${where}: ${toSafeLine(text)}`, paint, 2);
  const names = listFirst(caseNames.map(toSafeLine), paint.verbose ? caseNames.length : maxNames);
  return indentText(`${label} (${caseNames.length})${where}: ${names}`, paint, 2);
}

const maxNames = 20;

/** A missing baseline takes one line: the suite is judged without it. A run that asked for none does not mention it. */
function renderMissingBaselines({ run }: Report, suite: SuiteReport, paint: Paint): readonly string[] {
  const { variants, isWholeSuite } = findUncompared(suite);
  if (variants.length === 0 || run.baseline === 'none') return [];
  const what = isWholeSuite ? ': the suite' : ` of ${nameVariants(variants, suite, toSafeLine)}:`;
  const text = `no baseline yet${what} ${describeBareLimit(suite)}; \`llmcheck baseline accept\` makes one`;
  return indentText(text, paint, 2).map((line) => paint.colors.dim(line));
}

function renderPrompts(suite: SuiteReport, paint: Paint): readonly string[] {
  const style = { colors: paint.colors, width: paint.width - 4, maxLines: paint.verbose ? 200 : 12 };
  return listPromptChanges(suite).flatMap(({ name, ...sides }) => [
    ...indentText(`prompt ${toSafeLine(name)}:`, paint, 2),
    ...renderDiff(sides, style).map((line) => `    ${line}`),
  ]);
}

/** The runs since the pin of each variant that fell below its pinned reference. */
export function* renderErosion(report: Report, { suite }: SuiteReport, paint: Paint): Iterable<string> {
  for (const { prompt, provider, source, message, since } of listErosion(report, suite)) {
    const { colors, verbose } = paint;
    const name = `${toSafeLine(prompt)} × ${toSafeLine(provider)}`;
    yield* indentText(`${name} against ${toSafeLine(source)}: ${colors.yellow(toSafeLine(message))}`, paint, 2);
    const shown = verbose ? since : since.slice(-maxRunsSince);
    if (since.length > shown.length) {
      yield* indentText(colors.dim(`… and ${since.length - shown.length} earlier runs`), paint, 4);
    }
    for (const run of shown) {
      const { date, rate, change, commit } = describeRunSince(run);
      yield* indentText(
        `${date}  ${rate.padStart(7)}  ${toSafeLine(change)}  ${commit}  ${colors.dim(toSafeLine(run.run))}`,
        paint,
        4,
      );
    }
    yield '';
  }
}
