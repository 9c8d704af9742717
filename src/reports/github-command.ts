import { shortenToWidth } from '../terminal/display-width.ts';
import { sanitizeTerminal, toSafeLine } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';

/** A message that GitHub Actions shows at a line of a changed file. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly title: string;
  readonly message: string;
  readonly at?: { readonly file: string; readonly line: number; readonly column?: number };
}

/** GitHub shows ten errors and ten warnings of a step; what comes after them is lost. */
export const maxAnnotations = 10;

const maxTitleColumns = 200;
const maxMessageUnits = 8000;

/** One line, whatever the texts: nothing in them ends the command, its properties, or starts another one. */
export function renderCommand({ level, title, message, at }: Annotation): string {
  const properties = [
    ...(at === undefined || at.file === '' ? [] : [`file=${escapeProperty(toSafeLine(at.file))}`]),
    ...(at === undefined || at.file === '' ? [] : [`line=${at.line}`]),
    ...(at?.column === undefined || at.file === '' ? [] : [`col=${at.column}`]),
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
