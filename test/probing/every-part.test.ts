import { beforeAll, expect, test } from 'vitest';
import type { RenderedVariant } from '../../src/model/run/plan.ts';
import type { PromptVersion, ProviderConfig } from '../../src/model/suite/suite.ts';
import {
  type AskedPrompt,
  askedBy,
  askedLiterally,
  haveOneLanguage,
  variantOf,
} from '../../src/probing/asked-prompt.ts';
import { listInstructions } from '../../src/probing/list-instructions.ts';
import { fileLines, splitChange, toolName } from '../../src/probing/prompt-change.ts';
import { align, splitBlocks, splitSentences } from '../../src/probing/text-parts.ts';
import { compileWritten } from '../../src/prompts/prompt-template.ts';
import { loadTemplateEngine } from '../../src/templates/template.ts';

beforeAll(loadTemplateEngine);

const texts: readonly string[] = [
  '',
  ' \n ',
  'One. Two! Three? Four… Five',
  'One.two. three. Four) (Five.) Six." Seven.** 8',
  '一。二！三？\n四',
  'first line\nSecond line\nthird line\n\nnext',
  'a {{ b. C }} d. E {% f. G %} H',
  '# A\n## B\n#C\n#######  D',
  '- one\n  more. Of one\n- two\nnot of two\n* three\n+ four\n• five\n1. six\n22) seven\n1234. no\na) eight\nb. nine\n-ten\n- ',
  '```\ncode. Code.\n```\nafter',
  '````\n```\n````\nafter',
  '~~~ x\na\n~~~\n```\nnever closed',
  '<example>\nA. B.\n</example>\nafter <example>x</example>',
  '<Example id="1">one line</example>\nb',
  '<sample>\nnever closed\n<shot>a\n</SHOT> b',
  '<b>\n</b>\n<a-b c="d">\n<b> text',
  '{% if a %}\n{% if a %} {% else %}\n{{#each b}}\n{{else}}\n{{~else if c}}\n{{/each}}\n{{role "user"}}\n{{> p}}\n{{a}}\n{{rolex}}',
  '  indented. Text  \n\n\n  more  \n\t',
];

const show = (value: unknown) => JSON.stringify(value);

test('texts are split into their parts', async () => {
  const lines = texts.flatMap((text) => [
    show(text),
    ...splitBlocks(text).map(({ kind, lead, text: own, start }) => `  ${kind} ${start} ${show([lead, own])}`),
    ...splitSentences(text).map(({ kind, lead, text: own, start }) => `    ${kind} ${start} ${show([lead, own])}`),
  ]);
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/parts.txt');
});

test.each<[before: string, after: string, pairs: string]>([
  ['', '', ''],
  ['a', '', 'a-'],
  ['', 'a', '-a'],
  ['a b c', 'a b c', 'aa bb cc'],
  ['a b c', 'a c', 'aa b- cc'],
  ['a c', 'a b c', 'aa -b cc'],
  ['a x c', 'a xy c', 'aa x=xy cc'],
  ['a x c', 'a y c', 'aa x- -y cc'],
  ['x1 x2', 'x1z x2z x3', 'x1=x1z x2=x2z -x3'],
  ['ab cd', 'cd ab', 'ab- cdcd -ab'],
  ['abcd', 'abxx abcx', '-abxx abcd=abcx'],
  ['q abcd', 'abxx', 'q- abcd=abxx'],
  ['a a b', 'a b b', 'aa a- bb -b'],
])('%j and %j are aligned', (before, after, expected) => {
  const [olds, owns] = [before, after].map((text) => text.split(' ').filter((word) => word !== ''));
  const alike = (a: string, b: string) => {
    let shared = 0;
    while (shared < a.length && a[shared] === b[shared]) shared += 1;
    return shared / Math.max(a.length, b.length);
  };
  const pairs = align({ before: olds ?? [], after: owns ?? [], alike });
  const shown = pairs.map(([i, j]) => {
    const [old, own] = [olds?.[i ?? -1], owns?.[j ?? -1]];
    if (old === undefined || own === undefined) return `${old ?? ''}-${own ?? ''}`;
    return old === own ? old + own : `${old}=${own}`;
  });
  expect(shown.join(' ')).toBe(expected);
});

const asked = (content: string, more: Partial<AskedPrompt> = {}): AskedPrompt => ({
  messages: [{ role: 'system', content }],
  params: {},
  model: 'm',
  ...more,
});

const liquid = (partials?: Readonly<Record<string, string>>, defaults?: Readonly<Record<string, string>>) =>
  ({
    name: 'handlebars',
    ...(partials === undefined ? {} : { partials }),
    ...(defaults === undefined ? {} : { defaults }),
  }) as const;

const withLanguage = (content: string, language: ReturnType<typeof liquid>): AskedPrompt => ({
  ...asked(''),
  messages: [{ role: 'user', content, language }],
});

const tool = (name: string, description: string) => ({ type: 'function', function: { name, description } });

const changes: readonly (readonly [before: AskedPrompt, after: AskedPrompt])[] = [
  [asked('Be brief. Be kind.'), asked('Be brief. Be very kind.')],
  [asked('One. Two. Three.'), asked('One. Three.')],
  [asked('One.\nTwo.'), asked('One.\n\nTwo.')],
  [asked('One. Two.\n'), asked('One.  Two, and more.\n')],
  [asked('One.'), asked('Other words altogether.')],
  [asked('- one\n- two'), asked('- one\n- three\n- two words')],
  [asked('One.'), asked('One.', { isLiteral: true })],
  [
    { ...asked(''), messages: [{ role: 'user', content: 'a\nb' }] },
    {
      ...asked(''),
      messages: [
        { role: 'system', content: 'new\ntext\n' },
        { role: 'user', content: 'a\nb' },
      ],
    },
  ],
  [
    {
      ...asked(''),
      messages: [
        { role: 'system', content: 'x' },
        { role: 'user', content: 'a' },
      ],
    },
    { ...asked(''), messages: [{ role: 'user', content: 'a' }] },
  ],
  [
    { ...asked(''), messages: [{ role: 'user', content: 'a', attach: ['x.png'] }] },
    { ...asked(''), messages: [{ role: 'user', content: 'a', attach: ['y.png', 'z.png'] }] },
  ],
  [
    { ...asked(''), messages: [{ role: 'user', content: 'a', attach: ['x.png'] }] },
    { ...asked(''), messages: [{ role: 'user', content: 'a' }] },
  ],
  [
    withLanguage('{{> p}}', liquid({ p: 'One. Two.', gone: 'x' }, { a: '1' })),
    withLanguage('{{> p}}', liquid({ p: 'One. Two and more.', come: 'y' }, { a: '2' })),
  ],
  [withLanguage('a', liquid()), asked('a')],
  [asked('', { params: { a: 1, b: { c: [1], d: 2 } } }), asked('', { params: { a: 1, b: { c: [2] }, e: 'x' } })],
  [
    asked('', { params: { tools: [tool('a', 'A.'), tool('b', 'B.')] } }),
    asked('', { params: { tools: [tool('b', 'B!'), tool('c', 'C.')] } }),
  ],
  [asked('', { params: { tools: [tool('a', 'A.')] } }), asked('', { params: { tools: [tool('a', 'B.'), 'x'] } })],
  [
    asked('', {
      params: {
        functions: [
          { name: 'a', n: 1 },
          { name: 'a', n: 2 },
        ],
      },
    }),
    asked('', { params: { functions: [{ name: 'a', n: 3 }] } }),
  ],
  [asked('', { params: { tools: [] } }), asked('', { params: {} })],
  [asked('', { model: 'm-1' }), asked('', { model: 'm-2' })],
];

test('each hunk of a change is found, and can be applied alone', async () => {
  const lines = changes.flatMap(([before, after]) => {
    const change = splitChange(before, after);
    return [
      `${show(before)} → ${show(after)}`,
      `  none ${show(change.make(new Set()))}`,
      `  all ${show(change.make(new Set(change.hunks.keys())))}`,
      ...change.hunks.map((hunk, id) => `  ${show(hunk)}\n    ${show(change.make(new Set([id])))}`),
    ];
  });
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/changes.txt');
});

test('the instructions of a prompt, and the prompt without each', async () => {
  const prompts: readonly AskedPrompt[] = [
    asked('Be brief.\n\n{{ mail }}\n\n{{ a }} and\n{{ b }}\n\n# Head\n- one\n  more\n{% if x %}\nLast.\n{% endif %}\n'),
    asked('<example>\nA\n</example>\n{{ only }} {% if x %}{{ y }}{% endif %} –\nText'),
    {
      ...asked(''),
      messages: [
        { role: 'user', content: 'one\ntwo\n' },
        { role: 'assistant', content: 'yes' },
        { role: 'user', content: 'three' },
        { role: 'assistant', content: 'no' },
        { role: 'user', content: 'four' },
        { role: 'assistant', content: 'So:' },
      ],
    },
    {
      ...asked(''),
      messages: [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
      ],
    },
    withLanguage('{{> p}}', liquid({ p: 'One.\n\n- two', q: 'Three.' })),
    asked('', {
      params: {
        tools: [tool('a', 'A.'), { name: 'b', description: 'B.', input_schema: {} }, { name: 'c' }, tool('d', ' '), 5],
        functions: [{ description: 'F.' }],
      },
    }),
    asked('', { params: { tools: 'none' } }),
  ];
  const lines = prompts.flatMap((prompt) => [
    show(prompt),
    ...listInstructions(prompt).map((one) => `  ${show(one)}\n    ${show(one.without())}`),
  ]);
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('snapshots/instructions.txt');
});

const providerOf = {
  id: 'p',
  adapter: 'echo',
  model: 'm',
  price: { input: 1, output: 2 },
} as unknown as ProviderConfig;
const variant = (prompt: Partial<PromptVersion>, params = {}): RenderedVariant => ({
  prompt: { id: 'v', messages: [], params: {}, ...prompt },
  provider: providerOf,
  params,
});

test('a made prompt replaces the prompt of a variant', () => {
  const braces = variant(
    compileWritten([
      { role: 'system', content: 'Hi {{ a }}.' },
      { role: 'user', content: '{{ b }}' },
    ]),
    {
      n: 1,
    },
  );
  expect(askedBy(braces)).toEqual({
    messages: [
      { role: 'system', content: 'Hi {{ a }}.' },
      { role: 'user', content: '{{ b }}' },
    ],
    params: { n: 1 },
    model: 'm',
  });
  expect(askedLiterally(braces, { a: 'x', b: 2 })).toEqual({
    messages: [
      { role: 'system', content: 'Hi x.' },
      { role: 'user', content: '2' },
    ],
    params: { n: 1 },
    model: 'm',
    isLiteral: true,
  });
  const whole = variant(
    compileWritten([
      { role: 'user', content: '{{role "system"}}A{{role "user"}}{{b}}', language: { name: 'handlebars' } },
    ]),
  );
  expect(askedBy(whole).messages).toEqual([
    { role: expect.any(String), content: '{{role "system"}}A{{role "user"}}{{b}}', language: { name: 'handlebars' } },
  ]);
  expect(askedBy(variant({}))).toEqual({ messages: [], params: {}, model: 'm' });

  const contract = {} as NonNullable<PromptVersion['contract']>;
  const own = variantOf(variant({ contract, params: { t: 1 } }), asked('Now {{ a }}', { params: { k: 2 } }));
  expect(own.provider).toBe(providerOf);
  expect(own.params).toEqual({ k: 2 });
  expect([own.prompt.id, own.prompt.params, own.prompt.contract]).toEqual(['v', {}, contract]);
  expect(own.prompt.messages.map(({ role, template }) => [role, template.render({ a: 'x' })])).toEqual([
    ['system', 'Now x'],
  ]);
  const other = variantOf(variant({}), {
    messages: [{ role: 'user', content: 'Now {{ a }}', attach: ['{{ b }}.png'] }],
    params: {},
    model: 'm-2',
    isLiteral: true,
  });
  expect(other.provider).toEqual({ id: 'p', adapter: 'echo', model: 'm-2' });
  expect('contract' in other.prompt).toBe(false);
  expect(
    other.prompt.messages.map(({ role, template, attach }) => [role, template.render({}), attach?.[0]?.render({})]),
  ).toEqual([['user', 'Now {{ a }}', '{{ b }}.png']]);
});

test('hunks of one language alone can be mixed', () => {
  const of = (...names: readonly (string | undefined)[]) =>
    ({
      messages: names.map((name) => ({ language: name === undefined ? undefined : { name } })),
    }) as unknown as AskedPrompt;
  expect(
    [
      [of(), of()],
      [of(undefined), of(undefined)],
      [of('handlebars'), of('handlebars', 'handlebars')],
      [of('handlebars'), of('jinja')],
      [of(undefined), of('jinja')],
      [of('code'), of('code')],
    ].map(([a = of(), b = of()]) => haveOneLanguage(a, b)),
  ).toEqual([true, true, true, false, false, false]);
});

test('lines of a text are found in its files', () => {
  const prompt = { file: 'prompts/deep/a.prompt' } as PromptVersion;
  const partial = (name: string) => ({ text: { partial: name }, line: 2, endLine: 4 });
  expect(fileLines(prompt, partial('p'))).toEqual({ path: 'prompts/deep/_p.prompt', line: 2, endLine: 4 });
  expect(fileLines(prompt, partial('more/p'))).toEqual({ path: 'prompts/deep/more/_p.prompt', line: 2, endLine: 4 });
  expect(fileLines({} as PromptVersion, partial('p'))).toEqual({ path: '_p.prompt', line: 2, endLine: 4 });
  expect(fileLines(prompt, { text: { message: 1 }, line: 2, endLine: 4 })).toBeUndefined();
  const located = (lines: Readonly<Record<number, number>>) =>
    ({
      locateLine: (message: number, line: number) => {
        const at = lines[line];
        return at === undefined ? undefined : { file: `f${message}.md`, line: at, column: 1 };
      },
    }) as unknown as PromptVersion;
  const lines = { text: { message: 1 }, line: 2, endLine: 4 };
  expect(fileLines(located({ 2: 12, 4: 14 }), lines)).toEqual({ path: 'f1.md', line: 12, endLine: 14 });
  expect(fileLines(located({ 2: 12, 4: 3 }), lines)).toEqual({ path: 'f1.md', line: 12, endLine: 12 });
  expect(fileLines(located({ 2: 12 }), lines)).toBeUndefined();
  expect(fileLines(located({ 4: 12 }), lines)).toBeUndefined();
});

test('a tool is known by its name in the form of any API', () => {
  expect(
    [{ name: 'a' }, { function: { name: 'b' } }, { function: {}, name: 'c' }, {}, { name: 5 }].map(toolName),
  ).toEqual(['a', 'b', undefined, undefined, undefined]);
});
