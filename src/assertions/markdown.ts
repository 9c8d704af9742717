import * as z from 'zod';
import { type MarkdownOutline, outlineMarkdown } from '../text/markdown-outline.ts';
import { quote } from '../text/quote.ts';
import { type CheckOutcome, defineAssertion } from './define.ts';
import { countRangeParam, describeBounds, isWithin } from './param-schemas.ts';
import { textOf } from './target-text.ts';

const counted = {
  headings: 'headings',
  lists: 'lists',
  listItems: 'list items',
  codeBlocks: 'fenced code blocks',
  tables: 'tables',
  links: 'links',
} as const;

const kinds = Object.keys(counted) as readonly (keyof typeof counted)[];

/** Blocks by CommonMark 0.31 and tables by GFM. A fence that is never closed fails whatever is asked. */
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
