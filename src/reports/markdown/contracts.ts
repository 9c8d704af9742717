import { exitCodes } from '../../model/comparison/exit-code.ts';
import {
  type ContractReport,
  isBreak,
  type LocatedFinding,
  type ObservedAnswers,
} from '../../model/comparison/finding.ts';
import type { Report } from '../../model/report/report.ts';
import { describeRejected } from '../run-facts.ts';
import { codeCell, codeSpan, placeCell, proseOrCode, type Section, tableHead, tableRow } from './text.ts';

type Entry = ContractReport['entries'][number];

/** A job summary: the verdict, then a table of breaking changes, and the rest folded. */
export function* renderContractMarkdown({ entries, notes, exitCode }: ContractReport): Iterable<string> {
  const broken = entries.flatMap((entry) => entry.findings.filter(isBreak)).length;
  if (exitCode === exitCodes.incomplete) yield '**Incomplete: a path that was named has no suite.**\n';
  else yield exitCode === 0 ? '**The contract holds.**\n' : `**The contract breaks: ${broken} unapproved.**\n`;
  for (const entry of entries) {
    const breaks = entry.findings.filter(isBreak);
    const others = entry.findings.filter((finding) => !isBreak(finding));
    const { observed = [] } = entry;
    if (entry.findings.length === 0 && observed.length === 0) continue;
    if (entry.prompt !== undefined) yield `\n### ${titleOf(entry)}\n`;
    if (breaks.length > 0) yield `\n${findingsHead}${breaks.map(rowOf).join('')}`;
    for (const answers of observed) yield `\n${renderObserved(answers)}`;
    if (others.length === 0) continue;
    const rows = others.map(rowOf).join('');
    yield `\n<details><summary>${others.length} more that break nothing</summary>\n\n${findingsHead}${rows}\n</details>\n`;
  }
  for (const note of notes) yield `\n> ${proseOrCode(note, remarkColumns)}\n`;
}

/** Sections of a run's report: the prompts whose contract differs, breaking changes first. */
export function contractSections({ contracts = [] }: Report): readonly Section[] {
  return contracts
    .filter(({ findings, observed = [] }) => findings.length > 0 || observed.length > 0)
    .flatMap((entry): readonly Section[] => {
      const { findings, observed = [] } = entry;
      const rank = (finding: LocatedFinding): number => (isBreak(finding) ? 0 : finding.severity === 'info' ? 2 : 1);
      const shown = findings.toSorted((a, b) => rank(a) - rank(b));
      const breaks = findings.filter(isBreak).length;
      const word = breaks === 0 ? 'breaks nothing' : `breaks: ${breaks} unapproved`;
      const title = `### Contract of ${titleOf(entry)}: ${word}\n\n`;
      return [
        {
          head: title + findingsHead,
          items: shown.map((finding) => () => rowOf(finding)),
          tail: '\n',
          noun: 'findings',
        },
        {
          head: findings.length === 0 ? title : '',
          items: observed.map((answers) => () => `${renderObserved(answers)}\n`),
          tail: '',
          noun: 'counts of stored answers',
        },
      ];
    });
}

const remarkColumns = 400;
const nameColumns = 100;
const findingsHead = tableHead(['', 'rule', 'contract', 'path', 'what', 'where', 'fingerprint']);

function titleOf({ suite, prompt, against }: Entry): string {
  const name = [suite, prompt].filter((part) => part !== undefined).join(' · ');
  return `${codeSpan(name, nameColumns)} against ${codeSpan(against, nameColumns)}`;
}

function rowOf({ severity, approved, ruleId, direction, path, message, fingerprint, at }: LocatedFinding): string {
  return tableRow([
    approved === true ? 'approved' : severity,
    codeCell(ruleId, nameColumns),
    direction,
    codeCell(path === '' ? '(root)' : path, remarkColumns),
    messageCell(message),
    at === undefined ? '' : placeCell(at, remarkColumns),
    codeCell(fingerprint, nameColumns),
  ]);
}

/** A code span made for a paragraph would let a bar end the cell. */
function messageCell(message: string): string {
  const prose = proseOrCode(message, remarkColumns);
  return prose.startsWith('`') ? codeCell(message, remarkColumns) : prose;
}

function renderObserved(answers: ObservedAnswers): string {
  const lines = describeRejected(answers).map((line) => `- ${codeSpan(line, remarkColumns)}\n`);
  const list = lines.length === 0 ? '' : `\n${lines.join('')}`;
  // A line that begins with backticks could open a fence.
  return `Stored answers: ${proseOrCode(answers.message, remarkColumns)}\n${list}`;
}
