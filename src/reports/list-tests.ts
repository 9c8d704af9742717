import { isBreak, type LocatedFinding, type PromptFindings } from '../model/finding.ts';
import type { CaseReport, Report, SuiteReport } from '../model/report.ts';
import { shortenToWidth } from '../terminal/display-width.ts';
import { sanitizeTerminal } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';
import { type CaseExplanation, describeError, describeSkip, explainCase } from './explain-case.ts';
import { findGateEntries } from './find-gate-entries.ts';
import { createFindStanding, type FindStanding } from './find-standing.ts';

/** What a test report has to say of one case, contract or limit: only what fails the gate is `failed`. */
export interface TestOutcome {
  /** `tolerated`: it did not do well, and the gate lets it through. */
  readonly status: 'passed' | 'failed' | 'errored' | 'skipped' | 'tolerated';
  /** On one line; empty where it passed. */
  readonly message: string;
  /** Reasons and answers; empty where there are none to show. */
  readonly body: string;
}

/** A line of a test report. */
export interface TestEntry extends TestOutcome {
  /** Outermost first: a suite and a variant, `contracts`, or `gate`. */
  readonly group: readonly [string, ...string[]];
  readonly name: string;
  readonly durationMs: number;
  readonly at?: { readonly file: string; readonly line: number };
  /** Of the case over its trials; absent for what is no case. */
  readonly caseStatus?: CaseReport['status'];
}

/** Everything that a test report shows, in its order: cases, contracts, and what fails the gate besides. */
export function* listTests(report: Report): Iterable<TestEntry> {
  for (const suite of report.suites) yield* listCases(report, suite);
  for (const entry of report.contracts ?? []) yield contractTest(entry);
  for (const { kind, name, message } of findGateEntries(report)) {
    const status = kind === 'failure' ? 'failed' : 'errored';
    yield { status, group: ['gate'], name, durationMs: 0, message: shortenMessage(message), body: '' };
  }
}

/** How a case stands in a test report. */
export function caseOutcome(entry: CaseReport, findStanding: FindStanding): TestOutcome {
  const standing = findStanding(entry);
  switch (standing.kind) {
    case 'passed':
      return { status: 'passed', message: '', body: '' };
    case 'skipped':
      return { status: 'skipped', message: shortenMessage(skipReason(entry)), body: '' };
    case 'tolerated':
      return {
        status: 'tolerated',
        message: shortenMessage(`${standing.reason}: ${summarize(entry, explainCase(entry))}`),
        body: '',
      };
    case 'failure':
    case 'error': {
      const explanation = explainCase(entry);
      return {
        status: standing.kind === 'failure' ? 'failed' : 'errored',
        message: shortenMessage(summarize(entry, explanation)),
        body: describeWhole(entry, explanation),
      };
    }
  }
}

/** The time that the model took over all trials. */
export function caseDurationMs(entry: CaseReport): number {
  return entry.trials.reduce((total, row) => total + (row.latencyMs ?? 0), 0);
}

/** CI systems refuse whole files for their size; the json report has the answers in full. */
const maxBodyUnits = 8000;
const maxMessageColumns = 500;

export function shortenMessage(message: string): string {
  return shortenToWidth(sanitizeTerminal(clipText(message, maxBodyUnits)), maxMessageColumns);
}

function clip(text: string): string {
  return clipText(text, maxBodyUnits);
}

function* listCases(report: Report, suite: SuiteReport): Iterable<TestEntry> {
  const findStanding = createFindStanding(report, suite);
  for (const entry of suite.cases()) {
    const { caseId, prompt, provider, at, status } = entry;
    yield {
      ...caseOutcome(entry, findStanding),
      group: [suite.suite, `${prompt} × ${provider}`],
      name: caseId,
      durationMs: caseDurationMs(entry),
      at,
      caseStatus: status,
    };
  }
}

/** It fails where a contract breaks, and only there. */
function contractTest({ suite, prompt, findings }: PromptFindings): TestEntry {
  const breaks = findings.filter(isBreak);
  const [first] = breaks;
  const place = { group: ['contracts', suite] as const, name: prompt, durationMs: 0 };
  if (first === undefined) return { ...place, status: 'passed', message: '', body: '' };
  const body = clipText(breaks.map(describeFinding).join('\n'), maxBodyUnits);
  const at = first.at === undefined ? {} : { at: first.at };
  return { ...place, status: 'failed', message: shortenMessage(describeFinding(first)), body, ...at };
}

function describeFinding({ ruleId, direction, path, message, fingerprint }: LocatedFinding): string {
  return `${ruleId} ${direction} ${path}: ${message} (${fingerprint})`;
}

function skipReason(entry: CaseReport): string {
  const skip = entry.trials.find((row) => row.skip !== undefined)?.skip;
  return skip === undefined ? 'skipped' : describeSkip(skip);
}

function summarize(entry: CaseReport, { trials, reasons }: CaseExplanation): string {
  const change = entry.change === 'regressed' ? 'regressed' : '';
  const errored = entry.status === 'errored' ? entry.trials.find((row) => row.status === 'errored') : undefined;
  const first =
    errored === undefined
      ? reasons.map(({ label, reason }) => `${label}: ${clip(reason)}`)[0]
      : clip(describeError(errored));
  return [change, trials, first].filter((part) => part !== undefined && part !== '').join('; ');
}

function describeWhole(entry: CaseReport, { reasons, answer, before }: CaseExplanation): string {
  const lines = [`at ${entry.at.file}:${entry.at.line}`];
  for (const { label, reason, diff, count } of reasons) {
    lines.push(`${label}: ${clip(reason)}${count > 1 ? ` (${count} times)` : ''}`);
    if (diff !== undefined) lines.push(`expected: ${clip(diff.expected)}`, `found: ${clip(diff.found)}`);
  }
  if (before !== undefined) lines.push(`answer on the baseline: ${clip(before)}`);
  if (answer !== undefined) lines.push(`${before === undefined ? 'answer' : 'answer now'}: ${clip(answer)}`);
  return lines.join('\n');
}
