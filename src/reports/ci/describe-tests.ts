import { defined } from '../../json/defined.ts';
import { isBreak, type LocatedFinding, type PromptFindings } from '../../model/comparison/finding.ts';
import type { CaseReport, Report, SuiteReport } from '../../model/report/report.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { sanitizeTerminal } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import { type CaseExplanation, describeError, explainCase, skipReasonOf } from '../cases/explain-case.ts';
import { createFindGateEffect, type FindGateEffect } from '../cases/gate-effect.ts';
import { findGateEntries } from '../run-facts.ts';

/** The result of one case, contract or limit in a test report. It is `failed` only if it fails the gate. */
export interface TestOutcome {
  /** `tolerated`: it did not pass, but does not fail the gate. */
  readonly status: 'passed' | 'failed' | 'errored' | 'skipped' | 'tolerated';
  /** The message on one line; empty if the test passed. */
  readonly message: string;
  /** Reasons and answers; empty if there are none to show. */
  readonly body: string;
}

/** A line of a test report. */
export interface TestEntry extends TestOutcome {
  /** Outermost first: a suite and a variant, `contracts`, or `gate`. */
  readonly group: readonly [string, ...string[]];
  readonly name: string;
  readonly durationMs: number;
  readonly at?: { readonly file: string; readonly line: number };
  /** The status of the case over all its trials; absent for contracts and limits. */
  readonly caseStatus?: CaseReport['status'];
}

/** The tests of a report in order: cases, contracts, then other limits that fail the gate. */
export function* listTests(report: Report): Iterable<TestEntry> {
  for (const suite of report.suites) yield* listCases(report, suite);
  for (const entry of report.contracts ?? []) yield contractTest(entry);
  for (const { kind, name, message } of findGateEntries(report)) {
    const status = kind === 'failure' ? 'failed' : 'errored';
    yield { status, group: ['gate'], name, durationMs: 0, message: shortenMessage(message), body: '' };
  }
}

export function caseOutcome(entry: CaseReport, findEffect: FindGateEffect): TestOutcome {
  const effect = findEffect(entry);
  switch (effect.kind) {
    case 'passed':
      return { status: 'passed', message: '', body: '' };
    case 'skipped':
      return { status: 'skipped', message: shortenMessage(skipReasonOf(entry)), body: '' };
    case 'tolerated':
      return {
        status: 'tolerated',
        message: shortenMessage(`${effect.reason}: ${summarize(entry, explainCase(entry))}`),
        body: '',
      };
    case 'failure':
    case 'error': {
      const explanation = explainCase(entry);
      return {
        status: effect.kind === 'failure' ? 'failed' : 'errored',
        message: shortenMessage(summarize(entry, explanation)),
        body: describeWhole(entry, explanation),
      };
    }
  }
}

export function caseDurationMs(entry: CaseReport): number {
  return entry.trials.reduce((total, row) => total + (row.latencyMs ?? 0), 0);
}

/** CI systems refuse files that are too large. The json report has the answers in full. */
export const maxBodyUnits = 8000;
export const maxMessageColumns = 500;

export function shortenMessage(message: string): string {
  return shortenToWidth(sanitizeTerminal(clipText(message, maxBodyUnits)), maxMessageColumns);
}

function clip(text: string): string {
  return clipText(text, maxBodyUnits);
}

function* listCases(report: Report, suite: SuiteReport): Iterable<TestEntry> {
  const findEffect = createFindGateEffect(report, suite);
  for (const entry of suite.cases()) {
    const { caseId, prompt, provider, at, status } = entry;
    yield {
      ...caseOutcome(entry, findEffect),
      group: [suite.suite, `${prompt} × ${provider}`],
      name: caseId,
      durationMs: caseDurationMs(entry),
      at,
      caseStatus: status,
    };
  }
}

/** A test for the contract of a prompt. It fails only if the contract breaks. */
function contractTest({ suite, prompt, findings }: PromptFindings): TestEntry {
  const breaks = findings.filter(isBreak);
  const [first] = breaks;
  const place = { group: ['contracts', suite] as const, name: prompt, durationMs: 0 };
  if (first === undefined) return { ...place, status: 'passed', message: '', body: '' };
  const message = shortenMessage(describeFinding(first));
  return {
    ...place,
    status: 'failed',
    message,
    body: clip(breaks.map(describeFinding).join('\n')),
    ...defined({ at: first.at }),
  };
}

export function describeFinding({ ruleId, direction, path, message, fingerprint }: LocatedFinding): string {
  return `${ruleId} ${direction} ${path}: ${message} (${fingerprint})`;
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
