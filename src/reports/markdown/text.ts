import picocolors from 'picocolors';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { listFirst } from '../../text/format-amount.ts';
import { sanitizeTerminal } from '../../text/sanitize.ts';
import { clipText } from '../../text/shorten.ts';
import { renderDiff, type SidePart } from '../render-diff.ts';

/**
 * Puts text from outside in a code span. Elsewhere, pages turn even escaped mentions, links and issue numbers into
 * links.
 */
export function codeSpan(text: string, columns: number): string {
  const line = shortenLine(text, columns);
  if (line === '') return '(empty)';
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || (line.startsWith(' ') && line.endsWith(' ')) ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A code span for a table cell. Bars are escaped, because a bar ends the cell even in code. */
export function codeCell(text: string, columns: number): string {
  // Parsers differ on a backslash before an escaped bar, so that one is kept apart.
  return codeSpan(text, columns)
    .replace(/\\(?=\|)/g, String.raw`\ `)
    .replaceAll('|', String.raw`\|`);
}

/** `file:line` for a table cell, as a link if its address is known. */
export function placeCell(
  at: { readonly file: string; readonly line: number; readonly url?: string },
  columns: number,
): string {
  const place = codeCell(`${at.file}:${at.line}`, columns);
  return at.url === undefined ? place : `[${place}](${at.url})`;
}

/** Lines in a fence that their text can't close; `diff` colours them by their signs. */
export function codeBlock(lines: readonly string[], language: 'diff' | ''): string {
  const whole = lines.join('\n');
  const text = whole.length > maxBlockUnits ? `${clipText(whole, maxBlockUnits)}\n…` : whole;
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}\n${fence}\n`;
}

/** Text for an HTML element in Markdown, on one line. The caller puts it into a `<code>` element. */
export function escapeHtmlLine(text: string, columns: number): string {
  return shortenLine(text, columns).replace(/[^\p{L}\p{N}\p{M} ]/gu, (character) => {
    return `&#${character.codePointAt(0) ?? 0};`;
  });
}

/** One side of a difference as a table cell: code, with the changes in bold. */
export function codeWithChanges(parts: readonly SidePart[], columns: number): string {
  let left = columns;
  let html = '';
  for (const { text, isChanged } of parts) {
    if (left <= 0) break;
    const shown = escapeHtmlLine(text, left);
    left -= text.length;
    html += isChanged ? `<b>${shown}</b>` : shown;
  }
  return `<code>${html}</code>`;
}

/** A difference of two texts in a fence. */
export function diffBlock(sides: { readonly expected: string; readonly found: string }): string {
  return codeBlock(renderDiff(sides, diffStyle), 'diff');
}

const diffStyle = { colors: picocolors.createColors(false), width: 100, maxLines: 40, maxUnits: 4000 };

export function tableHead(titles: readonly string[]): string {
  return `${tableRow(titles)}${tableRow(titles.map(() => '---'))}`;
}

export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

/** A folded block of HTML around Markdown; `code` follows the title. */
export function details(title: string, code: string, body: string): string {
  return `${openDetails(`${title}: <code>${escapeHtmlLine(code, 120)}</code>`)}${body}${closeDetails}`;
}

/** Opens a folded block. The blank line ends the HTML, so that Markdown follows. */
export function openDetails(title: string): string {
  return `<details><summary>${title}</summary>\n\n`;
}

export const closeDetails = '\n</details>\n\n';

/** Names in code, and the number of the others in `count`. */
export function codeList(names: readonly string[], count: number, columns: number): string {
  return listFirst(
    names.map((name) => codeSpan(name, columns)),
    names.length,
    count,
  );
}

/** A sentence as prose if it has only words and numbers, else as code. */
export function proseOrCode(text: string, columns: number): string {
  // A command in a message has backticks. Inside of a code span they would be shown.
  const unmarked = text.replaceAll('`', "'");
  const line = shortenLine(unmarked, columns);
  if (!plainProse.test(line) || autolinks.test(line)) return codeSpan(unmarked, columns);
  return line.replaceAll('~', String.raw`\~`).replaceAll('[', String.raw`\[`).replaceAll(']', String.raw`\]`);
}

/** Escapes dollar signs and `<`. On some pages, two dollar signs mark a formula, and `<` may open a tag. */
export function escapeAmount(text: string): string {
  return text.replaceAll('$', String.raw`\$`).replaceAll('<', '&lt;');
}

/** Letters of European alphabets, digits and the signs that reports are written with. */
const plainProse = /^[A-Za-z\u00c0-\u024f0-9 .,;:%()[\]~+−–…'"→×·≥≤?-]*$/;

/** Texts that pages replace by links or pictures: hosts, commits, tickets, emoji codes. */
const autolinks = /www\.|https?:|[0-9a-f]{7}|[A-Za-z]-\d|:\w+:|\]\(|\]:|\]\[/i;

const maxBlockUnits = 6000;
/** Combining marks take no column, so that columns alone do not bound the length. */
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

/** A part of a report that can be shortened from its end. It is omitted if no item fits. */
export interface Section {
  readonly head: string;
  /** Rendered only as long as they fit. */
  readonly items: readonly (() => string)[];
  readonly tail: string;
  /** Plural, for the sentence about omitted items. */
  readonly noun: string;
}

/** Renders sections in order until the room is used up, and counts the omitted items. */
export function fitSections(sections: readonly Section[], maxChars: number): { text: string; leftOut: string[] } {
  const leftOut: string[] = [];
  let text = '';
  for (const { head, items, tail, noun } of sections) {
    if (items.length === 0) continue;
    let body = '';
    let fitting = 0;
    for (const item of items) {
      const next = item();
      if (text.length + head.length + body.length + next.length + tail.length > maxChars) break;
      body += next;
      fitting += 1;
    }
    if (fitting > 0) text += head + body + tail;
    if (fitting < items.length) leftOut.push(`${items.length - fitting} of ${items.length} ${noun}`);
  }
  return { text, leftOut };
}
