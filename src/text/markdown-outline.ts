// mdast-util-from-markdown was tried: 1 MB of plain text takes it over 500 ms, and nested brackets take it time squared.
export interface MarkdownOutline {
  readonly headings: readonly { readonly level: number; readonly text: string }[];
  readonly lists: number;
  readonly listItems: number;
  readonly codeBlocks: number;
  readonly tables: number;
  readonly links: number;
  /** The line, from 1, of a fence that is never closed. */
  readonly openFenceLine: number | undefined;
}

/** Reads the blocks and links of a text by the rules of CommonMark 0.31 and the tables of GFM; fenced code is not looked into. */
export function outlineMarkdown(text: string): MarkdownOutline {
  const headings: { level: number; text: string }[] = [];
  const counts = { lists: 0, listItems: 0, codeBlocks: 0, tables: 0, links: 0 };
  let fence: { readonly mark: string; readonly length: number; readonly line: number } | undefined;
  let list: OpenList | undefined;
  let previous = '';
  const lines = text.split(/\r\n|\n|\r/);
  for (const [index, whole] of lines.entries()) {
    // What a block quote holds is read as if it stood alone.
    const line = fence === undefined ? whole.replace(quoteMarks, '') : whole;
    const mark = /^[ \t>]{0,12}(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4})?(`{3,}|~{3,})([^\n]*)$/.exec(line);
    const [, run = '', info = ''] = mark ?? [];
    if (fence !== undefined) {
      if (run.startsWith(fence.mark) && run.length >= fence.length && info.trim() === '') fence = undefined;
      continue;
    }
    const item = readItem(line);
    if (item !== undefined && !(list === undefined && !item.interrupts && isParagraph(previous))) {
      counts.listItems += 1;
      if (list === undefined || (item.indent <= list.indent + 1 && item.mark !== list.mark)) {
        counts.lists += 1;
        list = item;
      }
    } else if (line.trim() !== '' && !/^[ \t]/.test(line) && previous.trim() === '') {
      // A paragraph after an empty line, at the margin, ends a list.
      list = undefined;
    }
    if (run !== '' && !(run.startsWith('`') && info.includes('`'))) {
      fence = { mark: run.charAt(0), length: run.length, line: index + 1 };
      counts.codeBlocks += 1;
      previous = '';
      continue;
    }
    const atx = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/.exec(line);
    const setext = /^ {0,3}(=+|-+)[ \t]*$/.exec(line);
    if (atx !== null) {
      headings.push({ level: (atx[1] ?? '').length, text: cleanHeading(atx[2] ?? '') });
      list = undefined;
    } else if (setext !== null && isParagraph(previous)) {
      headings.push({ level: line.includes('=') ? 1 : 2, text: cleanHeading(previous) });
    } else if (isDelimiterRow(line) && countCells(previous) === countCells(line) && previous.includes('|')) {
      counts.tables += 1;
    }
    counts.links += countLinks(line);
    previous = line;
  }
  return { headings, ...counts, openFenceLine: fence?.line };
}

interface OpenList {
  readonly indent: number;
  /** The character that makes an item of it: another one starts another list (CommonMark 5.3). */
  readonly mark: string;
}

const quoteMarks = /^(?: {0,3}> ?){1,12}/;

/** An item's start; only one that is bulleted or numbered 1, and not empty, may cut a paragraph short. */
function readItem(line: string): (OpenList & { readonly interrupts: boolean }) | undefined {
  const found = /^([ \t]{0,12})([-*+]|(\d{1,9})[.)])(?:[ \t]+(\S)|[ \t]*$)/.exec(line);
  if (found === null || isRule(line)) return undefined;
  const [, indent = '', mark = '', number, first] = found;
  const interrupts = first !== undefined && (number === undefined || Number(number) === 1);
  return { indent: indent.length, mark: mark.slice(-1), interrupts };
}

function isRule(line: string): boolean {
  return /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,})$/.test(line);
}

function isParagraph(line: string): boolean {
  return (
    line.trim() !== '' &&
    !/^(?: {0,3}(?:#{1,6}(?:[ \t]|$)|>|[-*+][ \t]|\d{1,9}[.)][ \t])| {4}|\t)/.test(line) &&
    !isRule(line)
  );
}

/** A heading's text without closing marks and emphasis. */
function cleanHeading(text: string): string {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (end > 0 && trimmed[end - 1] === '#') end -= 1;
  const closes = end === 0 || trimmed[end - 1] === ' ';
  return (closes ? trimmed.slice(0, end) : trimmed).replace(/[*_`]/g, '').trim();
}

function isDelimiterRow(line: string): boolean {
  if (!/^[ \t|:-]+$/.test(line) || !line.includes('-')) return false;
  return splitCells(line).every((cell) => /^:?-+:?$/.test(cell.trim()));
}

function countCells(line: string): number {
  return splitCells(line).length;
}

function splitCells(line: string): string[] {
  const row = line.trim().replaceAll(String.raw`\|`, '');
  return row.slice(row.startsWith('|') ? 1 : 0, row.length > 1 && row.endsWith('|') ? -1 : undefined).split('|');
}

function countLinks(line: string): number {
  if (!line.includes('](') && !line.includes('][') && !line.includes('://')) return 0;
  const prose = line.replace(/`[^`]{1,500}`/g, ' ');
  const links =
    /(?<!!)\[[^[\]]{1,500}\](?:\([^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500})?(?:\s+["'][^"'\n]{0,500}["'])?\)|\[[^[\]]{1,200}\])/g;
  const count = prose.match(links)?.length ?? 0;
  const bare =
    prose
      .replace(links, ' ')
      .replace(/!\[[^[\]]{0,500}\]\([^()]{0,2000}\)/g, ' ')
      .match(/\bhttps?:\/\/[^\s<>]+/g)?.length ?? 0;
  return count + bare;
}
