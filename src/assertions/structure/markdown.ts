import type { Token } from 'markdown-it';
import * as z from 'zod';
import { quote } from '../../text/shorten.ts';
import { type CheckOutcome, defineAssertion, runBounded } from '../define.ts';
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

/** Blocks and links by CommonMark 0.31, tables and bare addresses by GFM. A fence that is never closed fails every check. */
export const markdown = defineAssertion({
  summary: 'the Markdown has given sections, and a number of headings, lists, code blocks, tables or links',
  family: 'structure',
  example: 'markdown: { sections: [Summary, Risks], lists: { min: 1 } }',
  failsOn: { text: '# Summary' },
  definition: 'CommonMark 0.31, tables and bare addresses by GitHub Flavored Markdown',
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
  async check(target, params, { ports }): Promise<CheckOutcome> {
    const text = textOf(target);
    const readOutline = await openOutliner({ withLinks: params.links !== undefined });
    const outline = runBounded(text.length <= maxCheapLength, ports, () => readOutline(text));
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
      const count = countOf(outline, kind);
      if (bounds === undefined || count === undefined) continue;
      asked += 1;
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

function describeOutline(outline: MarkdownOutline): string {
  const counts = kinds.map((kind) => [countOf(outline, kind), counted[kind]] as const);
  return counts.flatMap(([count, noun]) => (count === undefined ? [] : [`${count} ${noun}`])).join(', ');
}

function countOf(outline: MarkdownOutline, kind: (typeof kinds)[number]): number | undefined {
  return kind === 'headings' ? outline.headings.length : outline[kind];
}

export interface MarkdownOutline {
  readonly headings: readonly { readonly level: number; readonly text: string }[];
  readonly lists: number;
  readonly listItems: number;
  readonly codeBlocks: number;
  readonly tables: number;
  /** Undefined if they were not asked for. */
  readonly links: number | undefined;
  /** The line, from 1, of a fence that is still open where the text ends. */
  readonly openFenceLine: number | undefined;
}

/**
 * Makes a function that reads the outline of a text, without its links if they are not asked for. The parser is loaded
 * with the first check that needs it.
 */
export async function openOutliner({ withLinks }: { readonly withLinks: boolean }) {
  const { default: MarkdownIt } = await import('markdown-it');
  // Lines are read for headings and links alone, because hostile lines take the parser long. The library's own rule for
  // bare addresses takes time squared, and links names such as "a.md".
  const parser = new MarkdownIt('commonmark', { maxNesting }).enable('table').disable(['inline', 'text_join']);
  return (text: string): MarkdownOutline => {
    const env = {};
    const readInline = ({ content }: Token) => {
      const tokens: Token[] = [];
      parser.inline.parse(content, parser, env, tokens);
      return tokens;
    };
    const countAllLinks = (tokens: readonly Token[]) =>
      tokens.reduce((sum, token) => sum + (token.type === 'inline' ? countLinks(readInline(token)) : 0), 0);
    const tokens = parser.parse(text, env);
    const headings = tokens.flatMap(({ type, tag }, index) => {
      const line = type === 'heading_open' ? tokens[index + 1] : undefined;
      return line === undefined ? [] : [{ level: Number(tag.slice(1)), text: spellInline(readInline(line)).trim() }];
    });
    return { headings, links: withLinks ? countAllLinks(tokens) : undefined, ...countBlocks(tokens) };
  };
}

/** What is nested deeper is not read. The library's own limit is 20 levels. */
const maxNesting = 100;
/** Texts of that length are parsed in a few milliseconds, however hostile they are. */
const maxCheapLength = 2000;

function countBlocks(tokens: readonly Token[]): Omit<MarkdownOutline, 'headings' | 'links'> {
  const counts = { lists: 0, listItems: 0, codeBlocks: 0, tables: 0 };
  let openFenceLine: number | undefined;
  let openLists = 0;
  for (const token of tokens) {
    // Whatever begins after an open fence shows that its list or quotation closed it.
    if (token.nesting !== -1) openFenceLine = undefined;
    switch (token.type) {
      case 'bullet_list_open':
      case 'ordered_list_open':
        if (openLists === 0) counts.lists += 1;
        openLists += 1;
        break;
      case 'bullet_list_close':
      case 'ordered_list_close':
        openLists -= 1;
        break;
      case 'list_item_open':
        counts.listItems += 1;
        break;
      case 'table_open':
        counts.tables += 1;
        break;
      case 'fence':
        counts.codeBlocks += 1;
        openFenceLine = findOpenLine(token);
        break;
      default:
        break;
    }
  }
  return { ...counts, openFenceLine };
}

/** The line of a fence that has no end. The lines of the block are its content, its start and its end. */
function findOpenLine({ map, content }: Token): number | undefined {
  const [start, end] = map ?? [0, 0];
  const lines = content.split('\n').length - (content === '' || content.endsWith('\n') ? 1 : 0);
  return end - start < lines + 2 ? start + 1 : undefined;
}

/** The text that a reader sees, without marks and tags. */
function spellInline(tokens: readonly Token[]): string {
  return tokens
    .map(({ type, content, children }) => {
      if (type === 'softbreak' || type === 'hardbreak') return ' ';
      if (type === 'image') return spellInline(children ?? []);
      return type === 'html_inline' ? '' : content;
    })
    .join('');
}

/** An address that GFM makes a link: at the start, after white space or after one of `*`, `_`, `~`, `(`. */
const bareAddress = /(?<![^\s*_~(])(?:https?:\/\/[\w-]|www\.[\w-]+\.[\w-])/gi;

function countLinks(tokens: readonly Token[]): number {
  let count = 0;
  let openLinks = 0;
  for (const { type, content } of tokens) {
    if (type === 'link_open') {
      count += 1;
      openLinks += 1;
    } else if (type === 'link_close') openLinks -= 1;
    else if (type === 'text' && openLinks === 0) count += content.match(bareAddress)?.length ?? 0;
  }
  return count;
}
