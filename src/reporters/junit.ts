import { clipText, shortenToWidth } from '../lib/display-width.ts';
import { escapeXml, sanitizeTerminal } from '../lib/sanitize.ts';
import type { CaseReport, Report, SuiteReport, VariantReport } from '../model/report.ts';
import { countContractTests, renderContractSuite } from './contract-junit.ts';
import { defineReporter } from './define.ts';
import { describeError, describeSkip, explainCase } from './explain-case.ts';
import { findGateEntries } from './find-gate-entries.ts';
import { createFindStanding, type FindStanding } from './find-standing.ts';

export const junit = defineReporter({
  summary: 'JUnit XML for CI systems; only what fails the gate is a failure',
  extension: 'xml',
  render: renderJunit,
});

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  timeMs: number;
}

/** JUnit wants the counts before the cases, so each suite is read once to count and once a variant to write. */
function* renderJunit(report: Report): Iterable<string> {
  const suites = report.suites.map((suite) => countSuite(suite, createFindStanding(report, suite)));
  const gate = findGateEntries(report);
  const gateCounts = { ...noCounts(), tests: gate.length };
  for (const { kind } of gate) gateCounts[kind === 'failure' ? 'failures' : 'errors'] += 1;
  const { contracts = [] } = report;
  const contractCounts = { ...noCounts(), ...countContractTests(contracts) };
  const all = [...suites.flatMap(({ variants }) => variants.map(({ counts }) => counts)), gateCounts, contractCounts];

  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="llmcheck"${countAttributes(all.reduce(addCounts, noCounts()))}>\n`;
  for (const { suite, variants, findStanding } of suites) {
    for (const { variant, counts } of variants) {
      const name = `${suite.suite} · ${variant.prompt} × ${variant.provider}`;
      const place = `${attribute('timestamp', report.run.startedAt)}${attribute('file', suite.path)}`;
      yield `  <testsuite${attribute('name', name)}${countAttributes(counts)}${place}>\n`;
      for (const entry of suite.cases()) {
        if (isOf(entry, variant)) yield renderTestCase(entry, suite, findStanding);
      }
      yield '  </testsuite>\n';
    }
  }
  if (contracts.length > 0) yield* renderContractSuite(contracts);
  if (gate.length > 0) {
    yield `  <testsuite name="gate"${countAttributes(gateCounts)}${attribute('timestamp', report.run.startedAt)}>\n`;
    for (const { kind, name, message } of gate) {
      yield `    <testcase${attribute('name', name)} classname="gate" time="0.000">\n`;
      yield `${element(kind, message, '')}    </testcase>\n`;
    }
    yield '  </testsuite>\n';
  }
  yield '</testsuites>\n';
}

function countSuite(suite: SuiteReport, findStanding: FindStanding) {
  const variants = suite.variants.map((variant) => ({ variant, counts: noCounts() }));
  for (const entry of suite.cases()) {
    const counts = variants.find(({ variant }) => isOf(entry, variant))?.counts;
    if (counts === undefined) continue;
    counts.tests += 1;
    counts.timeMs += latencyMs(entry);
    const { kind } = findStanding(entry);
    if (kind === 'failure') counts.failures += 1;
    if (kind === 'error') counts.errors += 1;
    if (kind === 'skipped' || kind === 'tolerated') counts.skipped += 1;
  }
  return { suite, variants, findStanding };
}

function renderTestCase(entry: CaseReport, suite: SuiteReport, findStanding: FindStanding): string {
  const { caseId, prompt, provider, at } = entry;
  const head =
    attribute('name', caseId) +
    attribute('classname', `${suite.suite}.${prompt}.${provider}`) +
    attribute('file', at.file) +
    attribute('line', String(at.line)) +
    attribute('time', seconds(latencyMs(entry)));
  const body = renderOutcome(entry, findStanding);
  return body === '' ? `    <testcase${head}/>\n` : `    <testcase${head}>\n${body}    </testcase>\n`;
}

function renderOutcome(entry: CaseReport, findStanding: FindStanding): string {
  const standing = findStanding(entry);
  switch (standing.kind) {
    case 'passed':
      return '';
    case 'skipped':
      return element('skipped', skipReason(entry), '');
    case 'tolerated':
      return element('skipped', `${standing.reason}: ${summarize(entry)}`, '');
    case 'failure':
      return element('failure', summarize(entry), describeWhole(entry));
    case 'error':
      return element('error', summarize(entry), describeWhole(entry));
  }
}

function skipReason(entry: CaseReport): string {
  const skip = entry.trials.find((row) => row.skip !== undefined)?.skip;
  return skip === undefined ? 'skipped' : describeSkip(skip);
}

function summarize(entry: CaseReport): string {
  const { trials, reasons } = explainCase(entry);
  const change = entry.change === 'regressed' ? 'regressed' : '';
  const errored = entry.status === 'errored' ? entry.trials.find((row) => row.status === 'errored') : undefined;
  const first =
    errored === undefined ? reasons.map(({ label, reason }) => `${label}: ${reason}`)[0] : describeError(errored);
  return [change, trials, first].filter((part) => part !== undefined && part !== '').join('; ');
}

function describeWhole(entry: CaseReport): string {
  const { reasons, answer, before } = explainCase(entry);
  const clip = (text: string): string => clipText(text, maxBodyUnits);
  const lines: string[] = [];
  for (const { label, reason, diff, count } of reasons) {
    lines.push(`${label}: ${clip(reason)}${count > 1 ? ` (${count} times)` : ''}`);
    if (diff !== undefined) lines.push(`expected: ${clip(diff.expected)}`, `found: ${clip(diff.found)}`);
  }
  if (before !== undefined) lines.push(`answer on the baseline: ${clip(before)}`);
  if (answer !== undefined) lines.push(`${before === undefined ? 'answer' : 'answer now'}: ${clip(answer)}`);
  return lines.join('\n');
}

/** CI systems refuse whole files for their size; the json report has the answers in full. */
const maxBodyUnits = 8000;
const maxMessageColumns = 500;

function element(name: string, message: string, body: string): string {
  const line = shortenToWidth(sanitizeTerminal(clipText(message, maxBodyUnits)), maxMessageColumns);
  const head = `      <${name}${attribute('message', line)}`;
  return body === '' ? `${head}/>\n` : `${head}>${escapeXml(body)}</${name}>\n`;
}

function attribute(name: string, value: string): string {
  return ` ${name}="${escapeXml(value, { attribute: true })}"`;
}

function countAttributes({ tests, failures, errors, skipped, timeMs }: Counts): string {
  return ` tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${seconds(timeMs)}"`;
}

function noCounts(): Counts {
  return { tests: 0, failures: 0, errors: 0, skipped: 0, timeMs: 0 };
}

function addCounts(a: Counts, b: Counts): Counts {
  return {
    tests: a.tests + b.tests,
    failures: a.failures + b.failures,
    errors: a.errors + b.errors,
    skipped: a.skipped + b.skipped,
    timeMs: a.timeMs + b.timeMs,
  };
}

function isOf(entry: CaseReport, variant: VariantReport): boolean {
  return entry.prompt === variant.prompt && entry.provider === variant.provider;
}

function latencyMs(entry: CaseReport): number {
  return entry.trials.reduce((total, row) => total + (row.latencyMs ?? 0), 0);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
