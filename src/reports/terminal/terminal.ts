import type { Report, ReportStyle, SuiteReport } from '../../model/report/report.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { formatCount, formatDuration } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { listLoosened } from '../cases/loosened-cases.ts';
import { describeVerdict, needsReview, outcomeWord } from '../headline.ts';
import { createPaint, indentText, listFirstItems, type Paint, printLine } from '../paint.ts';
import type { Reporter } from '../reporter.ts';
import {
  describeAge,
  describeCounts,
  describeNextStep,
  describeSpending,
  findLimitEntries,
  warningsElsewhere,
} from '../run-facts.ts';
import { listCases, renderCases, renderSkipped } from './cases.ts';
import { renderComparisons, renderErosion } from './comparisons.ts';
import { renderContracts } from './contracts.ts';
import { renderClasses, renderSwaps, renderVariantTable } from './tables.ts';

export const terminal: Reporter = {
  summary: 'the verdict in words, what broke with both answers, and the counts',
  extension: 'txt',
  *render(report, style) {
    const paint = createPaint(style);
    for (const line of style.quiet ? renderQuiet(report, paint, { isShort: true }) : renderWhole(report, paint)) {
      yield printLine(line);
    }
    for (const line of renderEnd(report, paint)) yield printLine(line);
  },
};

/** The output of `llmcheck swap`. */
export const swapTable: Reporter = {
  summary: 'the candidates of --swap as a table, and which one to take',
  extension: 'txt',
  *render(report, style) {
    const paint = createPaint(style);
    const lines = report.swaps === undefined ? ['this run compared no candidates: llmcheck swap ID=MODEL'] : [];
    for (const line of [...lines, ...renderSwaps(report, paint)]) yield printLine(line);
    for (const line of [...renderTotals(report, paint), ...renderEnd(report, paint)]) yield printLine(line);
  },
};

/** One round of a watched run: a quiet report that shows the worst cases in full, unless `style.quiet` is set. */
export function* renderBrief(report: Report, style: ReportStyle): Iterable<string> {
  for (const line of renderQuiet(report, createPaint(style), { isShort: style.quiet })) yield printLine(line);
}

/**
 * The whole report. A passed run ends with its verdict. Any other run begins with its verdict and ends with the next
 * step.
 */
function* renderWhole(report: Report, paint: Paint): Iterable<string> {
  const hasPassed = report.decision.outcome === 'passed' && report.decision.interrupted === undefined;
  if (!hasPassed) yield* [...renderVerdict(report, paint), ''];
  yield* renderLoosened(report, paint);
  const listing = listCases(report, paint);
  for (const suite of report.suites) {
    yield* renderTitle(suite, paint);
    yield* renderVariantTable(suite, paint);
    yield* withBlankLine(renderCases(listing, suite));
    yield* withBlankLine(renderComparisons(report, suite, paint));
    yield* withBlankLine(suite.variants.flatMap((variant) => renderClasses(variant, paint)));
    yield* withBlankLine(renderSkipped(report, suite, paint));
    yield* withBlankLine(renderErosion(report, suite, paint));
    yield* withBlankLine(renderContracts(report, suite, paint));
    yield '';
  }
  yield* renderSwaps(report, paint);
  if (hasPassed) yield* renderVerdict(report, paint);
  yield* renderLimits(report, paint);
  yield* renderWarnings(warningsElsewhere(report), paint);
  yield* renderTotals(report, paint);
}

/** The verdict and the failures, for a log that is read only when something is wrong. */
function* renderQuiet(report: Report, paint: Paint, { isShort }: { readonly isShort: boolean }): Iterable<string> {
  yield* renderVerdict(report, paint);
  yield* renderLoosened(report, paint);
  const listing = listCases(report, paint, { isShort });
  for (const suite of report.suites) {
    const title = report.suites.length > 1 ? renderTitle(suite, paint) : [];
    yield* withTitle(title, renderCases(listing, suite));
  }
  yield* renderLimits(report, paint);
  yield* renderShortWarnings(report, paint);
  yield* indentText(describeCounts(report), paint, 0);
}

/** Omits the title of a suite without lines. */
function* withTitle(title: readonly string[], lines: Iterable<string>): Iterable<string> {
  let isFirst = true;
  for (const line of lines) {
    if (isFirst) yield* title;
    isFirst = false;
    yield line;
  }
}

/** A part of the report after a blank line; parts may end with one of their own. */
function* withBlankLine(lines: Iterable<string>): Iterable<string> {
  let isFirst = true;
  let isBlankOpen = false;
  for (const line of lines) {
    if (isFirst) yield '';
    if (isBlankOpen) yield '';
    isFirst = false;
    isBlankOpen = line === '';
    if (!isBlankOpen) yield line;
  }
}

function renderTitle({ suite, path }: SuiteReport, paint: Paint): readonly string[] {
  const place = path === '' ? '' : `  ${paint.colors.dim(toSafeLine(path))}`;
  return indentText(`${paint.colors.bold(toSafeLine(suite))}${place}`, paint, 0);
}

/** `FAILED  10 of 42 tickets cases broke with v2 (mini and big)`. */
function renderVerdict(report: Report, paint: Paint): readonly string[] {
  const { bold } = paint.colors;
  const word = outcomeWord(report).toUpperCase();
  const lines = indentText(`${word}  ${describeVerdict(report)}`, paint, 0, word.length + 2);
  return lines.map((line, index) =>
    index === 0 ? paintOutcome(report, paint)(bold(word)) + bold(line.slice(word.length)) : bold(line),
  );
}

function paintOutcome(report: Report, { colors }: Paint): (text: string) => string {
  if (needsReview(report)) return colors.yellow;
  const paints = { passed: colors.green, failed: colors.red, inconclusive: colors.yellow, incomplete: colors.yellow };
  return paints[report.decision.outcome];
}

/** Cases that pass under edited checks alone, with both checks. */
function renderLoosened(report: Report, paint: Paint): readonly string[] {
  const { entries, hidden } = listLoosened(report, (text) => shortenToWidth(toSafeLine(text), maxCheckColumns));
  if (entries.length === 0) return [];
  return [
    paint.colors.bold('loosened checks'),
    ...entries.flatMap(({ place, change, reason }) => [
      ...indentText(`${paint.colors.yellow('~')} ${place}: ${change}`, paint, 2),
      ...(reason === undefined ? [] : indentText(`under the accepted checks: ${reason}`, paint, 4)),
    ]),
    ...(hidden === 0 ? [] : [`  … and ${hidden} more (-r json)`]),
    '',
  ];
}

const maxCheckColumns = 160;

/** Broken limits besides single cases. */
function renderLimits(report: Report, paint: Paint): readonly string[] {
  const entries = findLimitEntries(report);
  return listFirstItems(entries, { most: maxLimits, noun: 'broken limit', paint }, ({ message, kind }) => {
    const mark = kind === 'failure' ? paint.colors.red('✗') : paint.colors.yellow('!');
    return indentText(`${mark} ${toSafeLine(message)}`, paint, 0);
  });
}

function renderWarnings(warnings: readonly string[], paint: Paint): readonly string[] {
  return listFirstItems(warnings, { most: maxWarnings, noun: 'warning', paint }, (warning) =>
    indentText(`${paint.colors.yellow('warning:')} ${toSafeLine(warning)}`, paint, 0),
  );
}

/** A failed run only counts its warnings. */
function renderShortWarnings({ decision, run }: Report, paint: Paint): readonly string[] {
  const { warnings, outcome } = decision;
  if (outcome !== 'failed' || warnings.length <= 1) return renderWarnings(warnings, paint);
  return indentText(`${formatCount(warnings.length, 'warning')}: llmcheck report ${toSafeLine(run.id)}`, paint, 0);
}

const maxLimits = 20;
const maxWarnings = 20;

function renderTotals(report: Report, paint: Paint): readonly string[] {
  const { run, notes } = report;
  const facts = [
    describeCounts(report),
    describeSpending(report),
    formatDuration(run.durationMs),
    ...describeAge(report),
  ];
  const lines = [
    ...notes.map((note) => `note: ${toSafeLine(note)}`),
    ...(paint.verbose && run.recordPath !== undefined ? [`record ${toSafeLine(run.recordPath)}`] : []),
    // The id helps to resume or report a run, which a run that passed seldom needs.
    [...facts, ...(paint.verbose || report.exitCode !== 0 ? [`run ${toSafeLine(run.id)}`] : [])].join(' · '),
  ];
  return lines.flatMap((line) => indentText(line, paint, 0));
}

/** People read the end of a log first: it repeats the outcome, with the exit code and the next step. */
function renderEnd(report: Report, paint: Paint): readonly string[] {
  const next = describeNextStep(report);
  if (report.exitCode === 0 && next === undefined) return [];
  const word = paintOutcome(report, paint)(paint.colors.bold(outcomeWord(report).toUpperCase()));
  const end = `${word} (exit code ${report.exitCode})`;
  return indentText(`${end}${next === undefined ? '' : ` · ${toSafeLine(next)}`}`, paint, 0);
}
