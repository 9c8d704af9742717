import { clipText, shortenToWidth, wrapToWidth } from '../lib/display-width.ts';
import { formatCount } from '../lib/format-amount.ts';
import { sanitizeTerminal, toSafeLine } from '../lib/sanitize.ts';
import type { CaseReport, Report, SuiteReport } from '../model/report.ts';
import { type CaseReason, describeError, describeSkip, explainCase } from './explain-case.ts';
import { createFindStanding, type Standing, type Toleration } from './find-standing.ts';
import { indentText, type Paint } from './paint.ts';
import { renderDiff } from './render-diff.ts';

/** Cases in detail are counted over the whole report: a screen is all that anybody reads. */
export interface CaseAllowance {
  left: number;
}

export const maxCases = 20;

/** What the lists of one suite's cases have in common. */
export interface CaseListing {
  readonly report: Report;
  readonly suite: SuiteReport;
  readonly paint: Paint;
  readonly allowance: CaseAllowance;
}

/** The failing cases one by one, then the errored ones by their message, then the flaky ones. */
export function* renderCases(listing: CaseListing): Iterable<string> {
  const { variants } = listing.suite;
  // Each list reads the whole record, which a clean suite is spared.
  const hasFailed = variants.some(({ failed, observed }) => failed + observed > 0);
  const hasErrored = variants.some(({ errored, observed }) => errored + observed > 0);
  if (hasFailed) yield* renderFailing(listing, 'failed');
  if (hasErrored) yield* renderErrored(listing.suite, listing.paint);
  if (hasFailed || hasErrored) yield* renderFailing(listing, 'flaky');
}

/** Why cells were left out, counted. */
export function renderSkipped(suite: SuiteReport, paint: Paint): string[] {
  if (suite.variants.every((variant) => variant.skipped === 0 && variant.observed === 0)) return [];
  const counts = new Map<string, number>();
  for (const { trials } of suite.cases({ statuses: ['skipped'] })) {
    for (const { skip } of trials) {
      const reason = skip === undefined ? 'no reason was recorded' : describeSkip(skip);
      const key = counts.size < maxGroups || counts.has(reason) ? reason : 'other reasons';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].flatMap(([reason, count]) =>
    indentText(`${paint.colors.dim('–')} skipped ${formatCount(count, 'cell')}: ${toSafeLine(reason)}`, paint, 2),
  );
}

const maxGroups = 20;
const maxReasons = 5;
const maxLabels = 5;

function* renderFailing(listing: CaseListing, status: 'failed' | 'flaky'): Iterable<string> {
  const { report, suite, paint, allowance } = listing;
  const findStanding = createFindStanding(report, suite);
  let hidden = 0;
  const tolerated = new Map<Toleration, { readonly reason: string; readonly labels: string[]; count: number }>();
  for (const entry of suite.cases({ statuses: [status] })) {
    const standing = findStanding(entry);
    if (standing.kind === 'tolerated' && standing.because !== 'within-limits' && !paint.verbose) {
      const group = tolerated.get(standing.because) ?? { reason: standing.reason, labels: [], count: 0 };
      tolerated.set(standing.because, group);
      group.count += 1;
      if (group.labels.length < maxLabels) group.labels.push(caseLabel(entry));
    } else if (allowance.left > 0 || paint.verbose) {
      allowance.left -= 1;
      for (const line of renderCase(entry, standing, paint)) yield line;
      yield '';
    } else {
      hidden += 1;
    }
  }
  for (const { reason, labels, count } of tolerated.values()) {
    const text = `${status} but tolerated (${count}), ${toSafeLine(reason)}: ${listLabels(labels, count)}`;
    for (const line of indentText(`${paint.colors.dim('·')} ${text}`, paint, 2)) yield line;
  }
  if (tolerated.size > 0) yield '';
  if (hidden > 0) {
    const where = `llmcheck report ${toSafeLine(report.run.id)} --verbose`;
    for (const line of indentText(`… and ${hidden} more ${status}: ${where}`, paint, 2)) yield line;
    yield '';
  }
}

function* renderErrored(suite: SuiteReport, paint: Paint): Iterable<string> {
  const groups = new Map<string, { labels: string[]; count: number }>();
  for (const entry of suite.cases({ statuses: ['errored'] })) {
    const row = entry.trials.find(({ status }) => status === 'errored');
    const message = clipText(row === undefined ? 'no reason was recorded' : describeError(row), 1000);
    // A message that names each case would make as many groups as cases.
    const key = groups.size < maxGroups || groups.has(message) || paint.verbose ? message : 'other messages';
    const group = groups.get(key) ?? { labels: [], count: 0 };
    groups.set(key, group);
    group.count += 1;
    if (group.labels.length < maxLabels || paint.verbose) group.labels.push(caseLabel(entry));
  }
  for (const [message, { labels, count }] of groups) {
    const mark = paint.colors.yellow('!');
    for (const line of indentText(`${mark} ${formatCount(count, 'case')} errored: ${toSafeLine(message)}`, paint, 2))
      yield line;
    for (const line of indentText(paint.colors.dim(listLabels(labels, count)), paint, 6)) yield line;
    yield '';
  }
}

function renderCase(entry: CaseReport, standing: Standing, paint: Paint): string[] {
  const { colors } = paint;
  const { trials, reasons, output } = explainCase(entry);
  const mark = entry.status === 'flaky' ? colors.yellow('~') : colors.red('✗');
  const flaky = entry.status === 'flaky' ? 'flaky' : '';
  const tolerated = standing.kind === 'tolerated' ? standing.reason : '';
  const remarks = [flaky, trials, tolerated].filter((part) => part !== '').join('; ');
  const shown = paint.verbose ? reasons : reasons.slice(0, maxReasons);
  const hasDiff = shown.some(({ diff }) => diff !== undefined);
  return [
    ...indentText(`${mark} ${caseLabel(entry)}${remarks === '' ? '' : ` (${toSafeLine(remarks)})`}`, paint, 2),
    ...indentText(colors.dim(toSafeLine(`${entry.at.file}:${entry.at.line}`)), paint, 4),
    ...shown.flatMap((reason) => renderReason(reason, entry, paint)),
    ...(reasons.length > shown.length ? [`    … and ${reasons.length - shown.length} more reasons`] : []),
    ...(output !== undefined && (!hasDiff || paint.verbose) ? renderOutput(output, paint) : []),
  ];
}

function renderReason({ label, reason, diff, count }: CaseReason, entry: CaseReport, paint: Paint): string[] {
  const times = entry.trials.length > 1 && count > 1 ? ` (in ${count} trials)` : '';
  const style = { colors: paint.colors, width: paint.width - 6, maxLines: paint.verbose ? 200 : 12 };
  return [
    ...indentText(`${toSafeLine(label)}: ${toSafeLine(reason)}${times}`, paint, 4),
    ...(diff === undefined ? [] : renderDiff(diff, style).map((line) => `      ${line}`)),
  ];
}

function renderOutput(output: string, paint: Paint): string[] {
  const { colors, width } = paint;
  if (output === '') return ['    answer: (empty)'];
  if (!paint.verbose) {
    const line = shortenToWidth(sanitizeTerminal(clipText(output, 4000)), (width - 12) * 2);
    return indentText(`answer: ${colors.dim(line)}`, paint, 4);
  }
  const clipped = clipText(output, maxVerboseUnits);
  const lines = wrapToWidth(sanitizeTerminal(clipped, { keepNewlines: true }), width - 6);
  const cut = clipped.length < output.length ? [`      … ${output.length - clipped.length} more characters`] : [];
  return ['    answer:', ...lines.map((line) => `      ${colors.dim(line)}`), ...cut];
}

/** 64 KiB is what a baseline keeps; more of one answer belongs into a file. */
const maxVerboseUnits = 65_536;

function caseLabel({ caseId, prompt, provider }: CaseReport): string {
  return `${toSafeLine(caseId)} · ${toSafeLine(prompt)} × ${toSafeLine(provider)}`;
}

function listLabels(labels: readonly string[], count: number): string {
  const more = count > labels.length ? ` and ${count - labels.length} more` : '';
  return `${labels.join(', ')}${more}`;
}
