import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { countRangeParam, describeBounds, isWithin } from '../params.ts';
import { textOf } from '../targets.ts';

const counted = {
  headings: 'headings',
  lists: 'lists',
  listItems: 'list items',
  codeBlocks: 'fenced code blocks',
  tables: 'tables',
  links: 'links',
} as const;

const kinds = Object.keys(counted) as readonly (keyof typeof counted)[];

/** Blocks by CommonMark 0.31 and tables by GFM. A fence that is never closed fails every check. */
export const markdown = defineAssertion({
  summary: 'the Markdown has given sections, and a number of headings, lists, code blocks, tables or links',
  family: 'structure',
  example: 'markdown: { sections: [Summary, Risks], lists: { min: 1 } }',
  failsOn: { text: '# Summary' },
  definition: 'CommonMark 0.31, tables by GitHub Flavored Markdown',
  params: z
    .strictObject({
      sections: z.array(z.string().min(1)).min(1).optional().describe('Headings that must be there, in this order.'),
      headings: countRangeParam.optional().describe('How many headings.'),
      lists: countRangeParam.optional().describe('How many lists; a list within a list is part of it.'),
      listItems: countRangeParam.optional().describe('How many items in all lists.'),
      codeBlocks: countRangeParam.optional().describe('How many fenced code blocks.'),
      tables: countRangeParam.optional().describe('How many tables.'),
      links: countRangeParam.optional().describe('How many links, bare addresses included.'),
      maxLevel: z.int().min(1).max(6).optional().describe('The deepest heading that passes, from 1 to 6.'),
    })
    .refine((params) => Object.values(params).some((value) => value !== undefined), {
      error: `needs one of sections, maxLevel, ${kinds.join(', ')}`,
    }),
  check(target, params): CheckOutcome {
    const text = textOf(target);
    const outline = outlineMarkdown(text);
    const faults: string[] = [];
    let asked = 0;
    if (outline.openFenceLine !== undefined) {
      return {
        pass: false,
        reason: `the code block at line ${outline.openFenceLine} is never closed: found ${quote(text)}`,
      };
    }
    for (const kind of kinds) {
      const bounds = params[kind];
      if (bounds === undefined) continue;
      asked += 1;
      const count = kind === 'headings' ? outline.headings.length : outline[kind];
      if (!isWithin(count, bounds)) faults.push(`${count} ${counted[kind]}, wanted ${describeBounds(bounds)}`);
    }
    if (params.sections !== undefined) {
      asked += 1;
      const fault = findSectionFault(outline, params.sections);
      if (fault !== undefined) faults.push(fault);
    }
    if (params.maxLevel !== undefined) {
      asked += 1;
      const { maxLevel } = params;
      const deep = outline.headings.find(({ level }) => level > maxLevel);
      if (deep !== undefined)
        faults.push(`a heading of level ${deep.level}, ${quote(deep.text, 60)}, wanted at most ${maxLevel}`);
    }
    if (faults.length === 0) return { pass: true, reason: `has the structure: ${describeOutline(outline)}` };
    return { pass: false, score: 1 - faults.length / asked, reason: `has ${faults.join('; ')}: found ${quote(text)}` };
  },
});

function findSectionFault({ headings }: MarkdownOutline, sections: readonly string[]): string | undefined {
  let from = 0;
  for (const section of sections) {
    const found = headings.findIndex(
      ({ text }, index) => index >= from && text.toLowerCase() === section.toLowerCase(),
    );
    if (found === -1) {
      const names = headings.slice(0, 8).map(({ text }) => quote(text, 60));
      const isElsewhere = headings.some(({ text }) => text.toLowerCase() === section.toLowerCase());
      const shown = names.length === 0 ? 'no headings' : `the headings ${names.join(', ')}`;
      return `${shown}, wanted ${quote(section, 60)}${isElsewhere ? ' in the given order' : ''}`;
    }
    from = found + 1;
  }
  return undefined;
}

function describeOutline({ headings, ...counts }: MarkdownOutline): string {
  return kinds.map((kind) => `${kind === 'headings' ? headings.length : counts[kind]} ${counted[kind]}`).join(', ');
}

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

/**
 * Reads the blocks and links of a text by the rules of CommonMark 0.31, and the tables of GFM. It does not read fenced
 * code.
 */
function outlineMarkdown(text: string): MarkdownOutline {
  const headings: { level: number; text: string }[] = [];
  const counts = { lists: 0, listItems: 0, codeBlocks: 0, tables: 0, links: 0 };
  let fence: { readonly mark: string; readonly length: number; readonly line: number } | undefined;
  let list: OpenList | undefined;
  let previous = '';
  const lines = text.split(/\r\n|\n|\r/);
  for (const [index, whole] of lines.entries()) {
    // The content of a block quote is read as if it stood alone.
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
  /** The character that marks its items. Another character starts another list (CommonMark 5.3). */
  readonly mark: string;
}

const quoteMarks = /^(?: {0,3}> ?){1,12}/;

/** Reads the start of an item. Only a non-empty item with a bullet or the number 1 may interrupt a paragraph. */
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
