import { canonicalJson } from '../json/canonical-json.ts';
import { exitCodes } from '../model/exit-code.ts';
import { type ContractReport, type FindingSeverity, isBreak } from '../model/finding.ts';
import type { ReportStyle } from '../model/report.ts';
import { formatCount } from '../text/format-amount.ts';
import { breakWorkflowCommands, escapeJsonText, toSafeLine } from '../text/sanitize.ts';
import { renderContractGithub } from './contract-annotations.ts';
import { renderContractJunit } from './contract-junit.ts';
import { renderContractMarkdown } from './contract-markdown.ts';
import { createPaint, indentText, type Paint } from './paint.ts';
import { renderFindings, renderObserved, sortFindings } from './terminal-contracts.ts';

/** One format of what `contract check` and `contract diff` found. */
export interface ContractReporter {
  readonly summary: string;
  readonly extension: string;
  render(report: ContractReport, style: ReportStyle): Iterable<string>;
}

/** By the name that `--reporter` of the contract commands takes. */
export const contractReporters: Readonly<Record<string, ContractReporter>> = {
  terminal: { summary: 'findings in words, the worst first', extension: 'txt', render: renderTerminal },
  json: { summary: 'findings as one JSON document', extension: 'json', render: renderJson },
  markdown: { summary: 'findings as tables', extension: 'md', render: renderContractMarkdown },
  github: { summary: 'annotations at the lines of the schemas', extension: 'txt', render: renderContractGithub },
  junit: { summary: 'a test case each prompt', extension: 'xml', render: renderContractJunit },
};

function* renderTerminal(report: ContractReport, style: ReportStyle): Iterable<string> {
  const paint = createPaint(style);
  for (const line of renderLines(report, paint, style)) yield `${breakWorkflowCommands(line).trimEnd()}\n`;
}

function* renderLines(report: ContractReport, paint: Paint, { quiet }: ReportStyle): Iterable<string> {
  const { colors } = paint;
  for (const entry of report.entries) {
    const findings = sortFindings(entry.findings).filter((finding) => !quiet || isBreak(finding));
    const observed = quiet ? [] : (entry.observed ?? []);
    if (findings.length === 0 && observed.length === 0) continue;
    const name = [entry.suite, entry.prompt].filter((part) => part !== undefined).join(' · ');
    if (name !== '') {
      yield* indentText(
        `${colors.bold(toSafeLine(name))}  ${colors.dim(`against ${toSafeLine(entry.against)}`)}`,
        paint,
        0,
      );
    }
    yield* renderFindings(findings, paint);
    yield* observed.flatMap((seen) => renderObserved(seen, paint));
    yield '';
  }
  for (const note of quiet ? [] : report.notes) yield* indentText(`note: ${toSafeLine(note)}`, paint, 0);
  yield* renderSum(report, paint);
}

function* renderSum({ entries, exitCode }: ContractReport, { colors }: Paint): Iterable<string> {
  const findings = entries.flatMap((entry) => entry.findings);
  const broken = findings.filter(isBreak);
  const approved = findings.filter((finding) => finding.approved === true).length;
  const count = (severity: FindingSeverity) =>
    findings.filter((finding) => finding.severity === severity && finding.approved !== true).length;
  const prompts = entries.some(({ prompt }) => prompt !== undefined)
    ? `${formatCount(entries.length, 'prompt')}: `
    : '';
  const counts = [
    formatCount(broken.length, 'error'),
    formatCount(count('warn'), 'warning'),
    `${count('info')} for information`,
    ...(approved > 0 ? [`${approved} approved`] : []),
  ];
  yield prompts + counts.join(', ');
  yield colors.bold(`${describeVerdict(exitCode, colors)} (exit code ${exitCode})`);
}

function describeVerdict(exitCode: number, colors: Paint['colors']): string {
  switch (exitCode) {
    case exitCodes.passed:
      return `${colors.green('KEPT')}: the contract holds`;
    case exitCodes.incomplete:
      return `${colors.yellow('INCOMPLETE')}: a path that was named has no suite`;
    default:
      return `${colors.red('BROKEN')}: the contract breaks`;
  }
}

/** One finding a line, so that two documents can be compared by lines. */
function* renderJson({ entries, notes }: ContractReport): Iterable<string> {
  const findings = entries.flatMap(({ suite, prompt, findings: own }) =>
    sortFindings(own).map((finding) => ({ suite, prompt, ...finding })),
  );
  const observed = entries.flatMap(({ suite, prompt, observed: own = [] }) =>
    own.map((seen) => ({ suite, prompt, ...seen })),
  );
  yield `{\n"findings":${renderList(findings)},\n"format":1,\n`;
  yield `"notes":${renderList(notes)},\n"observed":${renderList(observed)}\n}\n`;
}

function renderList(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map((item) => escapeJsonText(canonicalJson(item))).join(',\n')}]`;
}
