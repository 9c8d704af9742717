import { shortenToWidth } from '../terminal/display-width.ts';
import { sanitizeTerminal } from '../text/sanitize.ts';
import { clipText } from '../text/shorten.ts';

/**
 * Foreign text in Markdown stands in code and nowhere else: a mention, a link or an issue number acts wherever a page
 * finds it in its text, however it was escaped, and code is what every page leaves alone.
 */
export function codeSpan(text: string, columns: number): string {
  const line = shortenLine(text, columns);
  if (line === '') return '(empty)';
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || (line.startsWith(' ') && line.endsWith(' ')) ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A code span for a cell of a table, where a bar ends the cell even in code. */
export function codeCell(text: string, columns: number): string {
  // Parsers differ on a backslash before an escaped bar, so that one is kept apart.
  return codeSpan(text, columns)
    .replace(/\\(?=\|)/g, String.raw`\ `)
    .replaceAll('|', String.raw`\|`);
}

/** Lines in a fence that nothing in them can close; `diff` colours them by their signs. */
export function codeBlock(lines: readonly string[], language: 'diff' | ''): string {
  const whole = lines.join('\n');
  const text = whole.length > maxBlockUnits ? `${clipText(whole, maxBlockUnits)}\n…` : whole;
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}\n${fence}\n`;
}

/** Text for the inside of an HTML element in Markdown, on one line; give it a `<code>` around it. */
export function escapeHtmlLine(text: string, columns: number): string {
  return shortenLine(text, columns).replace(/[^\p{L}\p{N}\p{M} ]/gu, (character) => {
    return `&#${character.codePointAt(0) ?? 0};`;
  });
}

/** A sentence as prose where it holds nothing but words and numbers, else as code. */
export function proseOrCode(text: string, columns: number): string {
  const line = shortenLine(text, columns);
  if (!harmlessProse.test(line) || autolinks.test(line)) return codeSpan(text, columns);
  return line.replaceAll('~', String.raw`\~`).replaceAll('[', String.raw`\[`).replaceAll(']', String.raw`\]`);
}

/** Two dollar signs in a line are a formula on some pages, and a `<` may open a tag. */
export function escapeAmount(text: string): string {
  return text.replaceAll('$', String.raw`\$`).replaceAll('<', '&lt;');
}

/** Letters of European alphabets, digits and the signs that reports are written with. */
const harmlessProse = /^[A-Za-z\u00c0-\u024f0-9 .,;:%()[\]~+−–…'"→×·≥≤?-]*$/;

/** What pages turn into links without being asked: hosts, commits, tickets, emoji codes. */
const autolinks = /www\.|https?:|[0-9a-f]{7}|[A-Za-z]-\d|:\w+:|\]\(|\]:|\]\[/i;

const maxBlockUnits = 6000;
/** Marks can be stacked on a letter, so that columns alone bound nothing. */
const maxUnitsPerColumn = 4;

function shortenLine(text: string, columns: number): string {
  const line = shortenToWidth(sanitizeTerminal(clipText(text, columns * maxClipFactor)), columns);
  const clipped = clipText(line, columns * maxUnitsPerColumn);
  return clipped.length < line.length ? `${clipped}…` : clipped;
}

const maxClipFactor = 40;

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
