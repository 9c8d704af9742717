import { defined } from '../../json/defined.ts';
import { type ContractReport, isBreak, type LocatedFinding } from '../../model/finding.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { sanitizeTerminal, toSafeLine } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import { describeRejected } from '../run-facts.ts';

/** A message that GitHub Actions shows at a line of a changed file. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  readonly at?: { readonly file: string; readonly line: number; readonly column?: number };
}

/** GitHub shows ten errors and ten warnings of a step and drops the others. */
export const maxAnnotations = 10;

const maxTitleColumns = 200;
const maxMessageUnits = 8000;

/** A workflow command on one line. No text in it can end the command or start another one. */
export function renderCommand({ level, title, message, at }: Annotation): string {
  const place =
    at === undefined || at.file === '' ? [] : [`file=${escapeProperty(toSafeLine(at.file))}`, `line=${at.line}`];
  const properties = [
    ...place,
    ...(place.length === 0 || at?.column === undefined ? [] : [`col=${at.column}`]),
    `title=${escapeProperty(shortenToWidth(toSafeLine(title), maxTitleColumns))}`,
  ];
  const text = sanitizeTerminal(clipText(message, maxMessageUnits), { keepNewlines: true });
  return `::${level} ${properties.join(',')}::${escapeData(text)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

type Entry = ContractReport['entries'][number];

/** Breaks as errors; doubtful findings and rejected stored answers as warnings. Each is at the line of its schema. */
export function annotateContracts(entries: readonly Entry[]): readonly Annotation[] {
  return entries.flatMap((entry) => [
    ...entry.findings
      .filter(({ severity, approved }) => severity !== 'info' && approved !== true)
      .map((finding) => annotate(entry, finding)),
    ...(entry.observed ?? [])
      .filter(({ rejected, unjudged = 0 }) => rejected > 0 || unjudged > 0)
      .map((seen): Annotation => {
        const title = [entry.suite, entry.prompt, 'stored answers'].filter((part) => part !== undefined).join(' · ');
        return { level: 'warning', title, message: [seen.message, ...describeRejected(seen)].join('\n') };
      }),
  ]);
}

/** Contract findings as annotations. Those that a job does not show are counted. */
export function* renderContractGithub({ entries }: ContractReport): Iterable<string> {
  const all = annotateContracts(entries);
  let hidden = 0;
  for (const level of ['error', 'warning'] as const) {
    const own = all.filter((annotation) => annotation.level === level);
    for (const annotation of own.slice(0, maxAnnotations)) yield renderCommand(annotation);
    hidden += Math.max(0, own.length - maxAnnotations);
  }
  if (hidden > 0) {
    const message = `and ${hidden} more contract findings; the terminal report lists them all`;
    yield renderCommand({ level: 'notice', title: 'llmcheck', message });
  }
}

function annotate({ suite, prompt }: Entry, finding: LocatedFinding): Annotation {
  const { ruleId, path, message, fingerprint, at, direction } = finding;
  return {
    level: isBreak(finding) ? 'error' : 'warning',
    title: [suite, prompt, `${direction} contract`, ruleId].filter((part) => part !== undefined).join(' · '),
    message: toSafeLine(`${path === '' ? '(root)' : path}: ${message} (${fingerprint})`),
    ...defined({ at }),
  };
}
