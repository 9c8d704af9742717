import type { Report } from '../model/report.ts';
import { formatDuration } from '../text/format-amount.ts';
import { toSafeLine } from '../text/sanitize.ts';
import { describeBreach, describeCounts, describeSpending, shoutDecision } from './describe-decision.ts';
import { indentText, type Paint } from './paint.ts';

/** The counts, what it cost, and remarks. */
export function renderTotals(report: Report, paint: Paint): string[] {
  const { run } = report;
  const lines = [
    describeCounts(report),
    `${describeSpending(report)}; took ${formatDuration(run.durationMs)}`,
    ...(run.recordPath === undefined ? [] : [`record ${toSafeLine(run.recordPath)}`]),
  ];
  return [
    ...lines.flatMap((line) => indentText(line, paint, 0)),
    ...report.notes.flatMap((note) => indentText(`note: ${toSafeLine(note)}`, paint, 0)),
  ];
}

/** Warnings, what broke, and last of all the gate's word. */
export function renderDecision(report: Report, allWarnings: readonly string[], paint: Paint): string[] {
  const { decision, exitCode } = report;
  const { colors } = paint;
  const breaches = paint.verbose ? decision.breaches : decision.breaches.slice(0, maxBreaches);
  const hidden = decision.breaches.length - breaches.length;
  const warnings = paint.verbose ? allWarnings : allWarnings.slice(0, maxWarnings);
  const unsaid = allWarnings.length - warnings.length;
  return [
    ...warnings.flatMap((warning) => indentText(`${colors.yellow('warning:')} ${toSafeLine(warning)}`, paint, 0)),
    ...(unsaid > 0 ? [`… and ${unsaid} more warnings`] : []),
    ...breaches.flatMap((breach) =>
      indentText(`${colors.red(breach.code)} ${toSafeLine(describeBreach(breach))}`, paint, 0),
    ),
    ...(hidden > 0 ? [`… and ${hidden} more broken thresholds`] : []),
    ...paintDecision(report, indentText(`${shoutDecision(report)} (exit code ${exitCode})`, paint, 0), paint),
  ];
}

const maxBreaches = 30;
const maxWarnings = 30;

function paintDecision({ decision }: Report, lines: readonly string[], { colors }: Paint): string[] {
  const paint = {
    passed: colors.green,
    failed: colors.red,
    inconclusive: colors.yellow,
    incomplete: colors.yellow,
  }[decision.outcome];
  return lines.map((line) => colors.bold(paint(line)));
}
