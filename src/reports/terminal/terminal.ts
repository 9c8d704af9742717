import type { Report, SuiteReport, VariantComparison, VariantReport } from '../../model/report.ts';
import { formatDuration } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import {
  changeWords,
  describeBareLimit,
  describeComparison,
  describeMetrics,
  describeSlices,
  findUncompared,
  notesBesideWarnings,
  promptSides,
} from '../comparison.ts';
import { headlineOf } from '../headline.ts';
import { createPaint, indentText, type Paint, printLine } from '../paint.ts';
import { renderDiff } from '../render-diff.ts';
import type { Reporter } from '../reporter.ts';
import { describeBreach, describeCounts, describeSpending, warningsBesideContracts } from '../run-facts.ts';
import { listCases, renderCases, renderSkipped } from './cases.ts';
import { renderClasses } from './classes.ts';
import { renderContracts } from './contracts.ts';
import { renderErosion } from './erosion.ts';
import { renderVariantTable } from './variant-table.ts';

export const terminal: Reporter = {
  summary: 'tables, failing cases with what was found, and the decision in words',
  extension: 'txt',
  *render(report, style) {
    const paint = createPaint(style);
    for (const line of style.quiet ? renderQuiet(report, paint) : renderWhole(report, paint)) yield printLine(line);
  },
};

function* renderWhole(report: Report, paint: Paint): Iterable<string> {
  const listing = listCases(report, paint);
  for (const suite of report.suites) {
    const path = suite.path === '' ? '' : `  ${paint.colors.dim(toSafeLine(suite.path))}`;
    yield* indentText(`${paint.colors.bold(toSafeLine(suite.suite))}${path}`, paint, 0);
    yield '';
    if (suite.variants.length > 0) yield* [...renderVariantTable(suite, paint), ''];
    const comparisons = [
      ...suite.variants.flatMap((variant) => [
        ...renderComparison(report, suite, variant, paint),
        ...renderClasses(variant, paint),
      ]),
      ...renderMissingBaselines(report, suite, paint),
    ];
    if (comparisons.length > 0) yield* [...comparisons, ''];
    yield* renderErosion(report, suite, paint);
    yield* renderContracts(report, suite, paint);
    yield* renderCases(listing, suite);
    const skipped = renderSkipped(report, suite, paint);
    if (skipped.length > 0) yield* [...skipped, ''];
  }
  yield* renderTotals(report, paint);
  yield* renderDecision(report, warningsBesideContracts(report), paint);
}

/** Failures and the decision, for a log that is read only when something is wrong. */
function* renderQuiet(report: Report, paint: Paint): Iterable<string> {
  const listing = listCases(report, paint);
  for (const suite of report.suites) {
    let hasTitle = false;
    for (const line of renderCases(listing, suite)) {
      if (!hasTitle) yield* indentText(paint.colors.bold(toSafeLine(suite.suite)), paint, 0);
      hasTitle = true;
      yield line;
    }
  }
  yield* indentText(describeCounts(report), paint, 0);
  yield* renderDecision(report, report.decision.warnings, paint);
}

/** A comparison with the baseline: metrics with their intervals, the changed cases by name, the prompts. */
function renderComparison(report: Report, suite: SuiteReport, variant: VariantReport, paint: Paint): string[] {
  const { comparison } = variant;
  const name = variantName(variant);
  if (variant.replacedBy !== undefined) {
    return indentText(`${name} is replaced by ${toSafeLine(variant.replacedBy)}: shown, not gated`, paint, 2);
  }
  if (comparison === undefined) {
    const slices = renderSlices(variant, paint);
    return slices.length === 0 ? [] : [...indentText(`${name} by slice:`, paint, 2), ...slices];
  }
  const { against, cases, residue, advice, accepted } = comparison;
  const source = `${toSafeLine(against.source)}${against.prompt === variant.prompt ? '' : ` (${toSafeLine(against.prompt)})`}`;
  const remarks = (label: string, texts: readonly string[]): string[] =>
    texts.flatMap((text) => indentText(`${label}: ${toSafeLine(text)}`, paint, 4));
  return [
    ...indentText(`${name} against ${source}: ${paintOutcome(comparison, paint)}`, paint, 2),
    ...describeMetrics(comparison).flatMap(({ label, text }) => indentText(`${label.padEnd(9)}  ${text}`, paint, 4)),
    ...renderSlices(variant, paint),
    ...renderNames('accepted in this change', accepted, paint),
    ...Object.entries(changeWords).flatMap(([change, words]) =>
      renderNames(words, cases[change as keyof typeof changeWords], paint),
    ),
    ...remarks('also differs', residue),
    ...remarks('note', notesBesideWarnings(report, suite, variant)),
    ...remarks('to settle it', advice),
    ...renderPrompts(variant, comparison, paint),
  ];
}

function renderSlices(variant: VariantReport, paint: Paint): string[] {
  return describeSlices(variant).flatMap(({ slice, text }) =>
    indentText(`slice ${toSafeLine(slice)}  ${text}`, paint, 4),
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

function renderNames(words: string, names: readonly string[], paint: Paint): string[] {
  if (names.length === 0) return [];
  const shown = paint.verbose ? names : names.slice(0, maxNames);
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : '';
  return indentText(`${words} (${names.length}): ${shown.map(toSafeLine).join(', ')}${more}`, paint, 4);
}

function renderPrompts(variant: VariantReport, { prompts, against }: VariantComparison, paint: Paint): string[] {
  if (prompts === undefined) return [];
  const style = { colors: paint.colors, width: paint.width - 6, maxLines: paint.verbose ? 200 : 12 };
  const isOther = against.prompt !== variant.prompt;
  const ids = isOther ? ` (${toSafeLine(against.prompt)} → ${toSafeLine(variant.prompt)})` : '';
  return [
    ...indentText(`prompt${ids}:`, paint, 4),
    ...renderDiff(promptSides(prompts), style).map((line) => `      ${line}`),
  ];
}

/** A missing baseline takes one line: the suite is judged without it. A run that asked for none does not mention it. */
function renderMissingBaselines({ run }: Report, suite: SuiteReport, paint: Paint): string[] {
  const { variants, isWholeSuite } = findUncompared(suite);
  if (variants.length === 0 || run.baseline === 'none') return [];
  const what = isWholeSuite ? ': the suite' : ` of ${variants.map(variantName).join(', ')}:`;
  const text = `no baseline yet${what} ${describeBareLimit(suite)}; \`llmcheck baseline accept\` makes one`;
  return indentText(text, paint, 2).map((line) => paint.colors.dim(line));
}

function variantName({ prompt, provider }: VariantReport): string {
  return `${toSafeLine(prompt)} × ${toSafeLine(provider)}`;
}

/** The counts, the cost, and notes. */
function renderTotals(report: Report, paint: Paint): string[] {
  const { run, notes } = report;
  const lines = [
    describeCounts(report),
    `${describeSpending(report)}; took ${formatDuration(run.durationMs)}`,
    ...(run.recordPath === undefined ? [] : [`record ${toSafeLine(run.recordPath)}`]),
    ...notes.map((note) => `note: ${toSafeLine(note)}`),
  ];
  return lines.flatMap((line) => indentText(line, paint, 0));
}

/** Warnings and breaches, and the headline last: the end of a log is what people see. */
function renderDecision(report: Report, allWarnings: readonly string[], paint: Paint): string[] {
  const { decision } = report;
  const { colors, verbose } = paint;
  const breaches = verbose ? decision.breaches : decision.breaches.slice(0, maxBreaches);
  const hiddenBreaches = decision.breaches.length - breaches.length;
  const warnings = verbose ? allWarnings : allWarnings.slice(0, maxWarnings);
  const hiddenWarnings = allWarnings.length - warnings.length;
  const paintOf = { passed: colors.green, failed: colors.red, inconclusive: colors.yellow, incomplete: colors.yellow };
  const paintHeadline = paintOf[decision.outcome];
  return [
    ...warnings.flatMap((warning) => indentText(`${colors.yellow('warning:')} ${toSafeLine(warning)}`, paint, 0)),
    ...(hiddenWarnings > 0 ? [`… and ${hiddenWarnings} more warnings`] : []),
    ...breaches.flatMap((breach) =>
      indentText(`${colors.red(breach.code)} ${toSafeLine(describeBreach(breach))}`, paint, 0),
    ),
    ...(hiddenBreaches > 0 ? [`… and ${hiddenBreaches} more broken thresholds`] : []),
    ...indentText(headlineOf(report), paint, 0).map((line) => colors.bold(paintHeadline(line))),
  ];
}

const maxNames = 20;
const maxBreaches = 30;
const maxWarnings = 30;
