import { describe, expect, test } from 'vitest';
import { findCodeBlock } from '../../../src/assertions/select-target.ts';
import { openOutliner } from '../../../src/assertions/structure/markdown.ts';
import { buildSpec, judgeOne } from '../judge-one.ts';
import { readCorpus } from './read-corpus.ts';

interface MarkdownFacts {
  readonly name: string;
  readonly text: string;
  /** Level and text of each heading. */
  readonly headings?: readonly (readonly [number, string])[];
  readonly lists?: number;
  readonly listItems?: number;
  readonly codeBlocks?: number;
  /** The content of the first fenced block, where the example has one. */
  readonly firstBlock?: string;
  readonly tables?: number;
  readonly links: number;
}

/** Examples that are judged otherwise on purpose, with the links that are counted. */
const deviations: Readonly<Record<string, { readonly links: number; readonly why: string }>> = {
  'Autolinks 608': { links: 1, why: 'a bare address is a link, as in GFM' },
  'Autolinks 611': { links: 1, why: 'a bare address is a link, as in GFM' },
  'Autolinks (extension) 630': { links: 0, why: 'a bare e-mail address is text' },
  'Autolinks (extension) 631': { links: 0, why: 'a bare e-mail address is text' },
  'Autolinks (extension) 632': { links: 0, why: 'a bare e-mail address is text' },
  'Autolinks (extension) 633': { links: 0, why: 'an address of mail or chat is text' },
  'Autolinks (extension) 634': { links: 0, why: 'an address of mail or chat is text' },
  'Autolinks (extension) 635': { links: 0, why: 'an address of mail or chat is text' },
};

const examples = [...readCorpus('commonmark'), ...readCorpus('gfm')] as readonly MarkdownFacts[];

test('the outline of each example of CommonMark and GFM is the one of its reference', { tags: ['slow'] }, async () => {
  const outline = await openOutliner({ withLinks: true });
  const found = examples.map(({ name, text, firstBlock: _first, ...facts }) => {
    const { headings, ...counts } = outline(text);
    const all = { ...counts, headings: headings.map(({ level, text }) => [level, text]) };
    return { name, ...Object.fromEntries(Object.entries(all).filter(([kind]) => kind in facts)) };
  });
  const expected = examples.map(({ text: _text, firstBlock: _first, ...facts }) => {
    const { links = facts.links } = deviations[facts.name] ?? {};
    return { ...facts, links };
  });
  expect(found).toEqual(expected);
  expect(examples.length).toBe(652 + 27);
});

/** What `codeBlock` selects otherwise on purpose: models indent fences, and put them after tags. */
const selected: Readonly<Record<string, string>> = {
  'Fenced code blocks 134': 'aaa',
  'Fenced code blocks 137': 'aaa',
  'HTML blocks 161': 'int x = 33;',
};

test('the first code block that is selected of each example is the one of its reference', () => {
  const found = examples.map(({ name, text }) => [name, findCodeBlock(text, '')?.replace(/\n+$/, '')]);
  expect(found).toEqual(
    examples.map(({ name, firstBlock }) => [name, selected[name] ?? firstBlock?.replace(/\n+$/, '')]),
  );
});

test('each deviation differs from its reference', () => {
  const same = examples.filter(({ name, links }) => deviations[name]?.links === links);
  const names = new Set(examples.map(({ name }) => name));
  expect(same).toEqual([]);
  expect(Object.keys(deviations).filter((name) => !names.has(name))).toEqual([]);
});

describe('a heading is none', () => {
  test.each([
    ['a comment', '<!--\n# A\n-->'],
    ['raw HTML', '<div>\n# A\n</div>'],
    ['indented code', '    # A'],
    ['code in a list', '- a\n\n      # A'],
    ['a fence in a quotation', '> ```\n> # A\n> ```'],
    ['the title of a link', '[a]: /b "c\n===\nd"\n\n[a]'],
    ['the definition of a link', '[a]: /b\n==='],
    ['code in a line', '`# a`'],
    ['an escaped mark', String.raw`\# A`],
  ])('in %s', async (_, answer) => {
    const { pass, reason } = await judgeOne(buildSpec('markdown', { headings: 0 }), answer);
    expect([pass, reason]).toEqual([true, expect.stringContaining('0 headings')]);
  });
});

test.each([
  ['in an item, before another', '1. ```json\n   {"a": 1}\n   ```\n2. b\n\n```json\n2\n```', '{"a": 1}'],
  ['in a quotation', '> ```json\n> {"a": 1}\n> ```\n', '{"a": 1}'],
  ['in an item of a quotation', '> - ```json\n>   {"a": 1}\n>   ```\n', '{"a": 1}'],
  ['with > in its content', '```\n> a\n- b\n```', '> a\n- b'],
  ['after a rule of hyphens', '---\n```\na\n```', 'a'],
])('a code block is selected %s', (_, text, content) => {
  expect(findCodeBlock(text, '')).toBe(content);
});

test('the marks of a megabyte are passed over in linear time', () => {
  for (const part of ['> ', '- ', '1. ', '>', '> ```\n', '- ```\n', ' '])
    expect(() => findCodeBlock(part.repeat(1_000_000 / part.length), '')).not.toThrow();
});

describe('a fence', () => {
  test.each([
    ['that ends with its quotation is closed', '> ```\n> a\n\nb', true],
    ['that ends with its item is closed', '- ```\n  a\n\nb', true],
    ['that is open at the end is not', '- ```\n  a\n', false],
    ['whose end is too short is not', '````\na\n```', false],
    ['that is empty and open is not', 'a\n```', false],
    ['that is empty and closed is', '```\n```', true],
    ['with blank lines at its end is not', '```\na\n\n\n', false],
    ['with a content that looks like an end is not', '```\na ```', false],
    ['whose end has blanks after it is closed', '```\na\n```  \n\n', true],
  ])('%s', async (_, answer, isClosed) => {
    const { pass, reason } = await judgeOne(buildSpec('markdown', { codeBlocks: 1 }), answer);
    expect([pass, reason.includes('never closed')]).toEqual([isClosed, !isClosed]);
  });
});
