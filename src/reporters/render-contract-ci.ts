import { escapeXml, sanitizeTerminal, toSafeLine } from '../lib/sanitize.ts';
import { type ContractReport, isBreak, type LocatedFinding } from '../model/finding.ts';

type Entry = ContractReport['entries'][number];

/** A job summary: the word first, then a table of what breaks, the rest folded away. */
export function* renderContractMarkdown({ entries, notes, exitCode }: ContractReport): Iterable<string> {
  const broken = entries.flatMap((entry) => entry.findings.filter(isBreak)).length;
  yield exitCode === 0 ? '**The contract holds.**\n' : `**The contract breaks: ${broken} unapproved.**\n`;
  for (const entry of entries) {
    const breaks = entry.findings.filter(isBreak);
    const others = entry.findings.filter((finding) => !isBreak(finding));
    const observed = entry.observed ?? [];
    if (entry.findings.length === 0 && observed.length === 0) continue;
    const name = nameOf(entry);
    if (name !== '') yield `\n### ${code(name)} against ${code(entry.against)}\n`;
    if (breaks.length > 0) yield `\n${tableOf(breaks)}`;
    for (const { message, offenders } of observed) {
      yield `\n${escapeMarkdown(message)}\n`;
      for (const { caseId, reason } of offenders) yield `- ${code(caseId)}: ${code(reason)}\n`;
    }
    if (others.length === 0) continue;
    yield `\n<details><summary>${others.length} more that break nobody</summary>\n\n${tableOf(others)}\n</details>\n`;
  }
  for (const note of notes) yield `\n> ${escapeMarkdown(note)}\n`;
}

function tableOf(findings: readonly LocatedFinding[]): string {
  const rows = findings.map(({ severity, approved, ruleId, direction, path, message, fingerprint, at }) => [
    approved === true ? 'approved' : severity,
    code(ruleId),
    direction,
    code(path === '' ? '(root)' : path),
    escapeMarkdown(message),
    at === undefined ? '' : code(`${at.file}:${at.line}`),
    code(fingerprint),
  ]);
  const head = ['', 'rule', 'contract', 'path', 'what', 'where', 'fingerprint'];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`);
  return lines.join('');
}

/** Workflow commands that become annotations; a job shows ten of a kind. */
export function* renderContractGithub({ entries }: ContractReport): Iterable<string> {
  const shown = entries.flatMap((entry) =>
    entry.findings
      .filter(({ severity, approved }) => severity !== 'info' && approved !== true)
      .map((finding) => ({ entry, finding })),
  );
  const breaks = shown.filter(({ finding }) => isBreak(finding));
  const warnings = shown.filter(({ finding }) => !isBreak(finding));
  for (const { entry, finding } of breaks.slice(0, maxOfAKind)) yield annotate('error', entry, finding);
  for (const { entry, finding } of warnings.slice(0, maxOfAKind)) yield annotate('warning', entry, finding);
  const hidden = Math.max(0, breaks.length - maxOfAKind) + Math.max(0, warnings.length - maxOfAKind);
  if (hidden > 0) yield `::notice title=llmcheck::and ${hidden} more contract findings; the log has them all\n`;
}

const maxOfAKind = 10;

function annotate(kind: 'error' | 'warning', entry: Entry, finding: LocatedFinding): string {
  const { ruleId, path, message, fingerprint, at, direction } = finding;
  const properties = [
    ...(at === undefined ? [] : [`file=${property(at.file)}`, `line=${at.line}`, `col=${at.column}`]),
    `title=${property([nameOf(entry), `${direction} contract`, ruleId].filter((part) => part !== '').join(' · '))}`,
  ];
  return `::${kind} ${properties.join(',')}::${commandText(`${path === '' ? '(root)' : path}: ${message} (${fingerprint})`)}\n`;
}

/** What the runner would read as the end of a command is made visible, and what it would decode is escaped. */
function commandText(text: string): string {
  return sanitizeTerminal(text).replaceAll('%', '%25');
}

function property(text: string): string {
  return commandText(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** One test case a prompt: it fails where its contract breaks. */
export function* renderContractJunit({ entries }: ContractReport): Iterable<string> {
  const failures = entries.filter(({ findings }) => findings.some(isBreak)).length;
  const counts = `tests="${entries.length}" failures="${failures}" errors="0" skipped="0" time="0.000"`;
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="llmcheck contracts" ${counts}>\n  <testsuite name="contracts" ${counts}>\n`;
  for (const entry of entries) {
    const { suite, prompt, against, findings } = entry;
    const breaks = findings.filter(isBreak);
    const at = breaks[0]?.at;
    const place = at === undefined ? '' : `${attribute('file', at.file)}${attribute('line', String(at.line))}`;
    const head = `    <testcase${attribute('name', prompt ?? against)}${attribute('classname', `contract.${suite ?? 'schema'}`)}${place} time="0.000"`;
    if (breaks.length === 0) {
      yield `${head}/>\n`;
      continue;
    }
    const lines = breaks.map(
      ({ ruleId, direction, path, message, fingerprint }) =>
        `${ruleId} ${direction} ${path}: ${message} (${fingerprint})`,
    );
    yield `${head}>\n      <failure${attribute('message', toSafeLine(lines[0] ?? ''))}>${escapeXml(lines.join('\n'))}</failure>\n    </testcase>\n`;
  }
  yield '  </testsuite>\n</testsuites>\n';
}

function attribute(name: string, value: string): string {
  return ` ${name}="${escapeXml(value, { attribute: true })}"`;
}

function nameOf({ suite, prompt }: Entry): string {
  return [suite, prompt].filter((part) => part !== undefined).join(' · ');
}

/** Inside a fence of more backticks than it holds; a table's bar would end the cell even there. */
function code(text: string): string {
  const line = toSafeLine(text).replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || line === '' ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** Nothing in it is markup, a link, a mention or a reference to an issue. */
function escapeMarkdown(text: string): string {
  return toSafeLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;')
    .replaceAll('#', '&#35;')
    .replaceAll('://', '&#58;//')
    .replaceAll(/\bwww\./gi, (found) => `${found.slice(0, 3)}&#46;`)
    .replaceAll(/[\\`*_{}[\]()+!|~-]/g, String.raw`\$&`);
}
