import type { CaseReport, Report, SuiteReport, VariantReport } from '../model/report.ts';
import { escapeXml } from '../text/sanitize.ts';
import { countContractTests, renderContractSuite } from './contract-junit.ts';
import { defineReporter } from './define.ts';
import { findGateEntries } from './find-gate-entries.ts';
import { createFindStanding, type FindStanding } from './find-standing.ts';
import { caseDurationMs, caseOutcome, shortenMessage } from './list-tests.ts';

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
  yield `<testsuites name="llmcheck"${rootAttributes(all.reduce(addCounts, noCounts()))}>\n`;
  for (const { suite, variants, findStanding } of suites) {
    for (const { variant, counts } of variants) {
      const name = `${suite.suite} · ${variant.prompt} × ${variant.provider}`;
      const place = `${attribute('timestamp', report.run.startedAt)}${attribute('file', suite.path)}`;
      yield `  <testsuite${attribute('name', name)}${countAttributes(counts)}${place}>\n`;
      yield renderCounts(variant);
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
      yield `${element(kind, shortenMessage(message), '')}    </testcase>\n`;
    }
    yield '  </testsuite>\n';
  }
  yield renderWarnings(report);
  yield '</testsuites>\n';
}

/** The schema has no place for them but the properties of a suite. */
function renderWarnings({ decision, run }: Report): string {
  if (decision.warnings.length === 0) return '';
  const lines = decision.warnings.map(
    (warning) => `      <property name="llmcheck.warning"${attribute('value', shortenMessage(warning))}/>\n`,
  );
  const head = `${attribute('name', 'warnings')}${countAttributes(noCounts())}${attribute('timestamp', run.startedAt)}`;
  return `  <testsuite${head}>\n    <properties>\n${lines.join('')}    </properties>\n  </testsuite>\n`;
}

/** A test is a case, over its trials; these are the variant's cells, as every report counts them. */
function renderCounts(variant: VariantReport): string {
  const { planned, passed, failed, errored, skipped, observed, confirmations } = variant;
  const counts = Object.entries({ planned, passed, failed, errored, skipped, observed, confirmations });
  const lines = counts.map(([name, value]) => `      <property name="llmcheck.${name}" value="${value}"/>\n`);
  return `    <properties>\n${lines.join('')}    </properties>\n`;
}

function countSuite(suite: SuiteReport, findStanding: FindStanding) {
  const variants = suite.variants.map((variant) => ({ variant, counts: noCounts() }));
  for (const entry of suite.cases()) {
    const counts = variants.find(({ variant }) => isOf(entry, variant))?.counts;
    if (counts === undefined) continue;
    counts.tests += 1;
    counts.timeMs += caseDurationMs(entry);
    const { kind } = findStanding(entry);
    if (kind === 'failure') counts.failures += 1;
    if (kind === 'error') counts.errors += 1;
    if (kind === 'skipped' || kind === 'tolerated') counts.skipped += 1;
  }
  return { suite, variants, findStanding };
}

/** Without `file` and `line`: the schema that CI systems read by refuses them there, so the place stands in the body. */
function renderTestCase(entry: CaseReport, suite: SuiteReport, findStanding: FindStanding): string {
  const { caseId, prompt, provider } = entry;
  const head =
    attribute('name', caseId) +
    attribute('classname', `${suite.suite}.${prompt}.${provider}`) +
    attribute('time', seconds(caseDurationMs(entry)));
  const { status, message, body } = caseOutcome(entry, findStanding);
  if (status === 'passed') return `    <testcase${head}/>\n`;
  return `    <testcase${head}>\n${element(elements[status], message, body)}    </testcase>\n`;
}

const elements = { failed: 'failure', errored: 'error', skipped: 'skipped', tolerated: 'skipped' } as const;

function element(name: string, message: string, body: string): string {
  const head = `      <${name}${attribute('message', message)}`;
  return body === '' ? `${head}/>\n` : `${head}>${escapeXml(body)}</${name}>\n`;
}

function attribute(name: string, value: string): string {
  return ` ${name}="${escapeXml(value, { attribute: true })}"`;
}

function countAttributes({ tests, failures, errors, skipped, timeMs }: Counts): string {
  return ` tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${seconds(timeMs)}"`;
}

/** The root counts no skipped tests in that schema; its suites do. */
function rootAttributes({ tests, failures, errors, timeMs }: Counts): string {
  return ` tests="${tests}" failures="${failures}" errors="${errors}" time="${seconds(timeMs)}"`;
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

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
