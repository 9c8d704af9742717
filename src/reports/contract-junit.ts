import { type ContractReport, isBreak, type LocatedFinding } from '../model/finding.ts';
import { shortenToWidth } from '../terminal/display-width.ts';
import { escapeXml, toSafeLine } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';

type Entries = ContractReport['entries'];

/** CI systems refuse whole files for their size; the json report has every finding. */
const maxBodyUnits = 8000;
const maxMessageColumns = 500;

/** One test case a prompt: it fails where its contract breaks. */
export function* renderContractJunit({ entries }: ContractReport): Iterable<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  const { tests, failures } = countContractTests(entries);
  yield `<testsuites name="llmcheck contracts" tests="${tests}" failures="${failures}" errors="0" time="0.000">\n`;
  yield* renderContractSuite(entries);
  yield '</testsuites>\n';
}

/** The test suite alone, for a report that has others. */
export function* renderContractSuite(entries: Entries): Iterable<string> {
  yield `  <testsuite name="contracts"${contractCounts(entries)}>\n`;
  for (const { suite, prompt, against, findings } of entries) {
    const breaks = findings.filter(isBreak);
    const head = `    <testcase${attribute('name', prompt ?? against)}${attribute('classname', `contract.${suite ?? 'schema'}`)} time="0.000"`;
    if (breaks.length === 0) {
      yield `${head}/>\n`;
      continue;
    }
    const lines = breaks.map(describeFinding);
    const message = attribute('message', shortenToWidth(lines[0] ?? '', maxMessageColumns));
    yield `${head}>\n      <failure${message}>${escapeXml(clip(lines))}</failure>\n    </testcase>\n`;
  }
  yield '  </testsuite>\n';
}

export function countContractTests(entries: Entries): { readonly tests: number; readonly failures: number } {
  return { tests: entries.length, failures: entries.filter(({ findings }) => findings.some(isBreak)).length };
}

function contractCounts(entries: Entries): string {
  const { tests, failures } = countContractTests(entries);
  return ` tests="${tests}" failures="${failures}" errors="0" skipped="0" time="0.000"`;
}

function describeFinding({ ruleId, direction, path, message, fingerprint, at }: LocatedFinding): string {
  const place = at === undefined ? '' : ` at ${at.file}:${at.line}:${at.column}`;
  return toSafeLine(`${ruleId} ${direction} ${path}: ${message} (${fingerprint})${place}`);
}

/** Whole lines, and how many were left out. */
function clip(lines: readonly string[]): string {
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

function attribute(name: string, value: string): string {
  return ` ${name}="${escapeXml(value, { attribute: true })}"`;
}
