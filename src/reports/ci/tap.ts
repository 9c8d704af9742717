import type { Report } from '../../model/report/report.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { sanitizeTerminal } from '../../text/sanitize.ts';
import { headlineOf } from '../headline.ts';
import { renderSafeJson } from '../json/json.ts';
import { locateReport, type Reporter } from '../reporter.ts';
import { describeCounts } from '../run-facts.ts';
import { listTests, type TestEntry } from './describe-tests.ts';

export const tap: Reporter = {
  summary: 'Test Anything Protocol (TAP 14); only what fails the gate is `not ok` without a directive',
  extension: 'tap',
  locate: locateReport,
  render: renderTap,
};

/** The plan comes last, so that a run of any size is read once. */
function* renderTap(report: Report): Iterable<string> {
  const areErrorsFatal = report.decision.breaches.some(({ code }) => code === 'errors-exceeded');
  let count = 0;
  yield 'TAP version 14\n';
  for (const entry of listTests(report)) {
    count += 1;
    yield renderTest(entry, count, areErrorsFatal);
  }
  yield count === 0 ? '1..0 # nothing was planned\n' : `1..${count}\n`;
  for (const warning of report.decision.warnings) yield `# warning: ${toComment(warning)}\n`;
  yield `# ${toComment(describeCounts(report))}\n# ${toComment(headlineOf(report))}\n`;
}

function renderTest(entry: TestEntry, number: number, areErrorsFatal: boolean): string {
  const { status, group, name, message, caseStatus } = entry;
  const description = escape(shorten([...group, name].join(' · '), maxDescriptionColumns));
  const line = (word: 'ok' | 'not ok', directive = '') => `${word} ${number} - ${description}${directive}\n`;
  const reason = escape(shorten(message, maxReasonColumns));
  switch (status) {
    case 'passed':
      return line('ok');
    case 'skipped':
      return line('ok', ` # SKIP ${reason}`);
    // In TAP a TODO is an expected failure that does not fail the run.
    case 'tolerated':
      return line('not ok', ` # TODO ${reason}`);
    case 'failed':
      return line('not ok') + renderDiagnostics(entry, 'fail');
    case 'errored':
      return areErrorsFatal || caseStatus === undefined
        ? line('not ok') + renderDiagnostics(entry, 'error')
        : line('ok', ` # SKIP could not be judged, within --max-errors: ${reason}`);
  }
}

/** YAML with strings written as JSON: no text in them ends the block. */
function renderDiagnostics({ message, body, at }: TestEntry, severity: 'fail' | 'error'): string {
  const details = body === '' ? [] : body.split(/\r?\n/, maxDetailLines);
  const lines = [
    '---',
    `message: ${renderSafeJson(message)}`,
    `severity: ${severity}`,
    ...(at === undefined ? [] : ['at:', `  file: ${renderSafeJson(at.file)}`, `  line: ${at.line}`]),
    ...(details.length === 0 ? [] : ['details:', ...details.map((line) => `  - ${renderSafeJson(line)}`)]),
    '...',
  ];
  return lines.map((line) => `  ${line}\n`).join('');
}

const maxDescriptionColumns = 300;
const maxReasonColumns = 300;
const maxDetailLines = 200;

function shorten(text: string, columns: number): string {
  const line = shortenToWidth(sanitizeTerminal(text), columns).trim();
  return line === '' ? '(empty)' : line;
}

/** A `#` would begin a directive. */
function escape(text: string): string {
  return text.replace(/[\\#]/g, String.raw`\$&`);
}

function toComment(text: string): string {
  return shorten(text, maxReasonColumns);
}
