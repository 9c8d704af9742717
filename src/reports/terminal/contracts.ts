import { exitCodes } from '../../model/comparison/exit-code.ts';
import {
  type ContractReport,
  type FindingSeverity,
  isBreak,
  type LocatedFinding,
  type ObservedAnswers,
} from '../../model/comparison/finding.ts';
import type { Report, ReportStyle, SuiteReport } from '../../model/report/report.ts';
import { formatCount } from '../../text/format-amount.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import { createPaint, indentText, type Paint, printLine } from '../paint.ts';
import { describeRejected } from '../run-facts.ts';

/** The most findings for each prompt in a run. `contract check` and --verbose show all. */
const maxFindings = 20;

/** The contracts of a suite's prompts in a run's report. Informational findings are only counted. */
export function* renderContracts({ contracts = [] }: Report, { suite }: SuiteReport, paint: Paint): Iterable<string> {
  const { colors, verbose } = paint;
  for (const { prompt, against, findings, observed = [] } of contracts.filter((entry) => entry.suite === suite)) {
    if (findings.length === 0 && observed.length === 0) continue;
    const important = sortFindings(findings).filter(
      ({ severity, approved }) => verbose || severity !== 'info' || approved === true,
    );
    const shown = verbose ? important : important.slice(0, maxFindings);
    const hidden = findings.length - shown.length;
    yield* renderTitle(`contract of ${colors.bold(toSafeLine(prompt))}`, against, paint);
    yield* renderFindings(shown, paint);
    for (const answers of observed) yield* renderObserved(answers, paint);
    if (hidden > 0) {
      const more = shown.length === 0 ? `${hidden} for information` : `… and ${hidden} more`;
      yield* indentText(colors.dim(`${more}; --verbose or llmcheck contract check shows them`), paint, 2);
    }
    yield '';
  }
}

export function* renderContractTerminal(report: ContractReport, style: ReportStyle): Iterable<string> {
  for (const line of renderLines(report, createPaint(style), style.quiet)) yield printLine(line);
}

function* renderLines({ entries, notes, exitCode }: ContractReport, paint: Paint, quiet: boolean): Iterable<string> {
  for (const { suite, prompt, against, findings, observed = [] } of entries) {
    const shown = sortFindings(findings).filter((finding) => !quiet || isBreak(finding));
    const answers = quiet ? [] : observed;
    if (shown.length === 0 && answers.length === 0) continue;
    const name = [suite, prompt].filter((part) => part !== undefined).join(' · ');
    if (name !== '') yield* renderTitle(paint.colors.bold(toSafeLine(name)), against, paint);
    yield* renderFindings(shown, paint);
    yield* answers.flatMap((seen) => renderObserved(seen, paint));
    yield '';
  }
  for (const note of quiet ? [] : notes) yield* indentText(`note: ${toSafeLine(note)}`, paint, 0);
  yield countFindings(entries);
  yield paint.colors.bold(`${describeExit(exitCode, paint)} (exit code ${exitCode})`);
}

function renderTitle(title: string, against: string, paint: Paint): readonly string[] {
  return indentText(`${title}  ${paint.colors.dim(`against ${toSafeLine(against)}`)}`, paint, 0);
}

function renderFindings(findings: readonly LocatedFinding[], paint: Paint): readonly string[] {
  const { colors } = paint;
  const words: Readonly<Record<FindingSeverity, string>> = {
    error: colors.red('error'),
    warn: colors.yellow('warn '),
    info: colors.dim('info '),
  };
  return findings.flatMap(({ severity, ruleId, direction, path, message, fingerprint, approved, at }) => {
    const place = at === undefined ? '' : ` ${at.file}:${at.line}:${at.column}`;
    const head = [
      approved === true ? colors.green('ok   ') : words[severity],
      colors.bold(toSafeLine(ruleId)),
      toSafeLine(`${direction} ${path || '(root)'}${place}`),
      colors.dim(toSafeLine(fingerprint)),
    ];
    const tail = approved === true ? `approved: ${message}` : message;
    return [...indentText(head.join(' '), paint, 2, 6), ...indentText(toSafeLine(tail), paint, 8)];
  });
}

/** The result on stored answers, with the first rejected ones. */
function renderObserved(answers: ObservedAnswers, paint: Paint): readonly string[] {
  const { message, rejected, unjudged = 0 } = answers;
  const text = toSafeLine(message);
  const head = rejected === 0 && unjudged === 0 ? text : paint.colors.yellow(text);
  return [
    ...indentText(`seen  ${head}`, paint, 2, 6),
    ...describeRejected(answers).flatMap((line) => indentText(line, paint, 8)),
  ];
}

function countFindings(entries: ContractReport['entries']): string {
  const findings = entries.flatMap((entry) => entry.findings);
  const approved = findings.filter((finding) => finding.approved === true).length;
  const count = (severity: FindingSeverity) =>
    findings.filter((finding) => finding.severity === severity && finding.approved !== true).length;
  const counts = [
    formatCount(count('error'), 'error'),
    formatCount(count('warn'), 'warning'),
    `${count('info')} for information`,
    ...(approved > 0 ? [`${approved} approved`] : []),
  ];
  const hasPrompts = entries.some(({ prompt }) => prompt !== undefined);
  return `${hasPrompts ? `${formatCount(entries.length, 'prompt')}: ` : ''}${counts.join(', ')}`;
}

function describeExit(exitCode: number, { colors }: Paint): string {
  switch (exitCode) {
    case exitCodes.passed:
      return `${colors.green('KEPT')}: the contract holds`;
    case exitCodes.incomplete:
      return `${colors.yellow('INCOMPLETE')}: a path that was named has no suite`;
    default:
      return `${colors.red('BROKEN')}: the contract breaks`;
  }
}

const ranks: Readonly<Record<FindingSeverity, number>> = { error: 0, warn: 1, info: 2 };

/** Sorts findings: breaking changes first, approved findings last. */
export function sortFindings(findings: readonly LocatedFinding[]): readonly LocatedFinding[] {
  const rank = ({ severity, approved }: LocatedFinding) => (approved === true ? 3 : ranks[severity]);
  return findings.toSorted((a, b) => rank(a) - rank(b));
}
