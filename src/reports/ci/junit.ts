import { type ContractReport, isBreak, type LocatedFinding } from '../../model/comparison/finding.ts';
import type { CaseReport, Report, SuiteReport, VariantReport } from '../../model/report/report.ts';
import { variantKey } from '../../model/run/cell.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { escapeXml, toSafeLine } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import { createFindGateEffect, type FindGateEffect } from '../cases/gate-effect.ts';
import { headlineOf } from '../headline.ts';
import { locateReport, type Reporter } from '../reporter.ts';
import { findGateEntries } from '../run-facts.ts';
import {
  caseDurationMs,
  caseOutcome,
  describeFinding,
  maxBodyUnits,
  maxMessageColumns,
  shortenMessage,
} from './describe-tests.ts';

export const junit: Reporter = {
  summary: 'JUnit XML for CI systems; only what fails the gate is a failure',
  extension: 'xml',
  locate: locateReport,
  render: renderJunit,
};

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  timeMs: number;
}

/** JUnit has counts before cases, so each suite is read once to count, and once for each variant to write. */
function* renderJunit(report: Report): Iterable<string> {
  const suites = report.suites.map((suite) => countSuite(suite, createFindGateEffect(report, suite)));
  const gate = findGateEntries(report);
  const gateCounts = { ...noCounts(), tests: gate.length };
  for (const { kind } of gate) gateCounts[kind === 'failure' ? 'failures' : 'errors'] += 1;
  const { contracts = [] } = report;
  const contractCounts = countContractTests(contracts);
  const all = [...suites.flatMap(({ variants }) => variants.map(({ counts }) => counts)), gateCounts, contractCounts];

  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="llmcheck"${rootAttributes(all.reduce(addCounts, noCounts()))}>\n`;
  for (const { suite, variants, findEffect } of suites) {
    for (const { variant, counts } of variants) {
      const name = `${suite.suite} · ${variant.prompt} × ${variant.provider}`;
      const place = `${attribute('timestamp', report.run.startedAt)}${attribute('file', suite.path)}`;
      yield `  <testsuite${attribute('name', name)}${countAttributes(counts)}${place}>\n`;
      yield renderCounts(variant);
      for (const entry of suite.cases()) {
        if (variantKey(entry) === variantKey(variant)) yield renderTestCase(entry, suite, findEffect);
      }
      yield '  </testsuite>\n';
    }
  }
  if (contracts.length > 0) yield* renderContractSuite(contracts);
  yield `  <testsuite name="gate"${countAttributes(gateCounts)}${attribute('timestamp', report.run.startedAt)}>\n`;
  yield renderVerdict(report);
  for (const { kind, name, message } of gate) {
    yield `    <testcase${attribute('name', name)} classname="gate" time="0.000">\n`;
    yield `${element(kind, shortenMessage(message), '')}    </testcase>\n`;
  }
  yield '  </testsuite>\n';
  yield '</testsuites>\n';
}

/** The headline and the warnings are properties of a suite: the schema has no other place for them. */
function renderVerdict(report: Report): string {
  const warnings = report.decision.warnings.map((warning) => ['llmcheck.warning', warning] as const);
  const lines = [['llmcheck.headline', headlineOf(report)] as const, ...warnings].map(
    ([name, value]) => `      <property name="${name}"${attribute('value', shortenMessage(value))}/>\n`,
  );
  return `    <properties>\n${lines.join('')}    </properties>\n`;
}

/** Counts of the variant's cells, as in every report. The test counts above are cases. */
function renderCounts(variant: VariantReport): string {
  const { planned, passed, failed, errored, skipped, observed, confirmations } = variant;
  const counts = Object.entries({ planned, passed, failed, errored, skipped, observed, confirmations });
  const lines = [...counts, ...listClassValues(variant)].map(
    ([name, value]) =>
      `      <property${attribute('name', `llmcheck.${name}`)}${attribute('value', String(value))}/>\n`,
  );
  return `    <properties>\n${lines.join('')}    </properties>\n`;
}

/** Macro F1 and the recall of each class, as fractions. */
function listClassValues({ classes }: VariantReport): readonly (readonly [string, number])[] {
  if (classes === undefined) return [];
  const { macro, scores } = classes;
  const recalls = scores
    .slice(0, maxClasses)
    .map(({ class: name, recall }) => [`recall.${name}`, recall.value] as const);
  return [['macroF1', macro.f1.value] as const, ...recalls].flatMap(([name, value]) =>
    value === null ? [] : [[name, Math.round(value * 1e6) / 1e6] as const],
  );
}

const maxClasses = 100;

function countSuite(suite: SuiteReport, findEffect: FindGateEffect) {
  const variants = suite.variants.map((variant) => ({ variant, counts: noCounts() }));
  const byVariant = new Map(variants.map(({ variant, counts }) => [variantKey(variant), counts]));
  for (const entry of suite.cases()) {
    const counts = byVariant.get(variantKey(entry));
    if (counts === undefined) continue;
    counts.tests += 1;
    counts.timeMs += caseDurationMs(entry);
    const { kind } = findEffect(entry);
    if (kind === 'failure') counts.failures += 1;
    if (kind === 'error') counts.errors += 1;
    if (kind === 'skipped' || kind === 'tolerated') counts.skipped += 1;
  }
  return { suite, variants, findEffect };
}

/** The place of a case is in the body: the schema that CI systems use has no `file` and `line` here. */
function renderTestCase(entry: CaseReport, suite: SuiteReport, findEffect: FindGateEffect): string {
  const { caseId, prompt, provider } = entry;
  const head =
    attribute('name', caseId) +
    attribute('classname', `${suite.suite}.${prompt}.${provider}`) +
    attribute('time', seconds(caseDurationMs(entry)));
  const { status, message, body } = caseOutcome(entry, findEffect);
  if (status === 'passed') return `    <testcase${head}/>\n`;
  return `    <testcase${head}>\n${element(elements[status], message, body)}    </testcase>\n`;
}

const elements = { failed: 'failure', errored: 'error', skipped: 'skipped', tolerated: 'skipped' } as const;

type Entries = ContractReport['entries'];

/** The report of a contract command: one test case for each prompt, which fails if its contract breaks. */
export function* renderContractJunit({ entries }: ContractReport): Iterable<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="llmcheck contracts"${rootAttributes(countContractTests(entries))}>\n`;
  yield* renderContractSuite(entries);
  yield '</testsuites>\n';
}

function* renderContractSuite(entries: Entries): Iterable<string> {
  yield `  <testsuite name="contracts"${countAttributes(countContractTests(entries))}>\n`;
  for (const { suite, prompt, against, findings } of entries) {
    const breaks = findings.filter(isBreak);
    const head = `    <testcase${attribute('name', prompt ?? against)}${attribute('classname', `contract.${suite ?? 'schema'}`)} time="0.000"`;
    if (breaks.length === 0) {
      yield `${head}/>\n`;
      continue;
    }
    const lines = breaks.map(locateFinding);
    const message = attribute('message', shortenToWidth(lines[0] ?? '', maxMessageColumns));
    yield `${head}>\n      <failure${message}>${escapeXml(clipLines(lines))}</failure>\n    </testcase>\n`;
  }
  yield '  </testsuite>\n';
}

function countContractTests(entries: Entries): Counts {
  const failures = entries.filter(({ findings }) => findings.some(isBreak)).length;
  return { ...noCounts(), tests: entries.length, failures };
}

function locateFinding(finding: LocatedFinding): string {
  const { at } = finding;
  const place = at === undefined ? '' : ` at ${at.file}:${at.line}:${at.column}`;
  return toSafeLine(`${describeFinding(finding)}${place}`);
}

/** Whole lines, and the number of the others. */
function clipLines(lines: readonly string[]): string {
  const kept: string[] = [];
  let units = 0;
  for (const line of lines) {
    units += line.length + 1;
    if (units > maxBodyUnits) break;
    kept.push(line);
  }
  if (kept.length === 0) return clipText(lines[0] ?? '', maxBodyUnits);
  return kept.length === lines.length
    ? kept.join('\n')
    : `${kept.join('\n')}\nand ${lines.length - kept.length} more; the json report has them all`;
}

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

/** The root's attributes. In the schema, only suites count skipped tests. */
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

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
