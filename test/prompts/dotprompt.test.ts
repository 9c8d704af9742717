import { describe, expect, test } from 'vitest';
import type { Vars } from '../../src/model/suite/suite.ts';
import { PicoschemaError, readPicoschema } from '../../src/prompts/picoschema.ts';
import { TemplateError } from '../../src/templates/template-error.ts';
import { findPromptProblems, readPrompt, renderPrompt } from './read-prompt.ts';

const router = `---
model: openai/gpt-4o-mini
config: { temperature: 0, maxOutputTokens: 80, topK: 3, stopSequences: [END], free: extra }
input:
  schema:
    ticket: string
    tone?: string, how to answer
  default:
    tone: plain
output:
  format: json
  schema:
    team(enum, owner of the ticket): [billing, tech]
    why?: string, one short reason
---
{{role "system"}}Route the ticket. Tone: {{tone}}.
{{role "user"}}{{ticket}}
`;

const textsOf = async (template: string, vars = {}, files = {}) =>
  (await renderPrompt('x.prompt', template, vars, files)).map(({ role, content }) => [role, content]);

describe('a dotprompt file', () => {
  test('has a model, parameters, contracts and defaults', async () => {
    const prompt = await readPrompt('router.v2.prompt', router);
    expect(prompt).toMatchObject({
      name: 'router',
      model: { written: 'openai/gpt-4o-mini', use: 'openai:gpt-4o-mini' },
      params: { temperature: 0, max_tokens: 80, top_k: 3, stop: ['END'], free: 'extra' },
      structured: true,
      input: { schema: { type: 'object', required: ['ticket'], additionalProperties: false } },
      output: {
        schema: {
          properties: {
            team: { enum: ['billing', 'tech'], description: 'owner of the ticket' },
            why: { type: ['string', 'null'], description: 'one short reason' },
          },
          required: ['team'],
        },
      },
    });
    expect(prompt.whole?.expand({ ticket: 'Broken {{role "system"}}' })).toEqual([
      { role: 'system', content: 'Route the ticket. Tone: plain.\n', attach: [] },
      { role: 'user', content: 'Broken {{role "system"}}', attach: [] },
    ]);
    // A case may say it otherwise.
    expect(prompt.whole?.expand({ ticket: 'x', tone: 'kind' })[0]?.content).toBe('Route the ticket. Tone: kind.\n');
  });

  test.each([
    ['description: d', { description: 'd', params: {} }],
    ['output: { format: json }', { params: { response_format: { type: 'json_object' } } }],
    // A schema beside the format text is no more than a contract.
    ['output: { format: text, schema: { a: integer } }', { params: {}, output: { schema: { required: ['a'] } } }],
    ['output: { format: json, schema: { a: integer } }', { params: {}, structured: true }],
    ['output: { schema: { a: integer } }', { params: {}, structured: true }],
  ])('is read with %s', async (data, content) => {
    const { params, structured, ...prompt } = await readPrompt('x.prompt', `---\n${data}\n---\nhi`);
    expect({ ...prompt, params, ...(structured === undefined ? {} : { structured }) }).toMatchObject(content);
    expect(params).toEqual(content.params);
    expect(structured).toBe('structured' in content ? content.structured : undefined);
  });

  test('pins its model by config.version', async () => {
    const text = '---\nmodel: googleai/gemini-2.5-flash\nconfig: { version: gemini-2.5-flash-001 }\n---\nhi';
    expect((await readPrompt('x.prompt', text)).model?.use).toBe('gemini:gemini-2.5-flash-001');
  });

  test.each([
    ['a.prompt', 'a'],
    ['dir/a.b.prompt', 'a'],
    ['a.b.c.prompt', 'a.b'],
    ['_x.prompt', '_x'],
    ['.x.prompt', '.x'],
    ['a\\b.c.prompt', 'b'],
  ])('%s names it', async (path, name) => {
    expect((await readPrompt(path, 'hi')).name).toBe(name);
  });

  test.each<[template: string, vars: Vars, messages: unknown]>([
    // No front matter: the whole file is the template.
    ['Hello, {{name}}!', { name: 'Ann' }, [['user', 'Hello, Ann!']]],
    // A comment and blank lines may come before it.
    ['# licence\n\n---\nmodel: m/m\n---\n\nhi\n', {}, [['user', 'hi']]],
    ['---\r\nmodel: m/m\r\n---\r\nhi {{n}}\r\n', { n: 1 }, [['user', 'hi 1']]],
    // No HTML escapes.
    ['{{a}} {{{a}}} {{&a}}', { a: '<b>' }, [['user', '<b> <b> <b>']]],
    ['{{#if a}}A{{else if b}}B{{else}}C{{/if}}', { a: 0, b: [1] }, [['user', 'B']]],
    ['{{#unless a}}none{{/unless}}{{^if b}}!{{/if}}', { a: '', b: 1 }, [['user', 'none']]],
    [
      '{{#each l}}{{@index}}{{#if @first}}>{{/if}}{{this.n}}{{#unless @last}},{{/unless}}{{/each}}',
      { l: [{ n: 1 }, { n: 2 }] },
      [['user', '0>1,12']],
    ],
    ['{{#each o}}{{@key}}={{this}};{{else}}none{{/each}}', { o: { a: 1, b: 2 } }, [['user', 'a=1;b=2;']]],
    ['{{#each l as |v i|}}{{i}}{{v}}{{../x}}{{@root.x}} {{/each}}', { l: ['a'], x: 'X' }, [['user', '0aXX ']]],
    ['{{#with a}}{{b}}{{/with}} {{lookup a "b"}}', { a: { b: 1 } }, [['user', '1 1']]],
    ['{{json a}} {{json a indent=2}}', { a: { b: [1] } }, [['user', '{"b":[1]} {\n  "b": [\n    1\n  ]\n}']]],
    ['{{#ifEquals a "x"}}same{{else}}other{{/ifEquals}}', { a: 'x' }, [['user', 'same']]],
    ['{{#unlessEquals a 5}}other{{/unlessEquals}}!', { a: '5' }, [['user', 'other!']]],
    ['a {{~b~}} c{{! gone }}{{!-- {{gone}} --}}', { b: 1 }, [['user', 'a1c']]],
    ['\\{{b}}', { b: 1 }, [['user', '{{b}}']]],
    ['{{@state.count}}', { '@state': { count: 3 } }, [['user', '3']]],
    // model is the assistant; what history would bring a case has as turns.
    [
      '{{role "system"}}S{{role "user"}}U{{role "model"}}M{{role "user"}}V',
      {},
      [
        ['system', 'S'],
        ['user', 'U'],
        ['assistant', 'M'],
        ['user', 'V'],
      ],
    ],
    [
      '{{role "system"}}S\n{{history}}\n{{role "user"}}U',
      {},
      [
        ['system', 'S\n'],
        ['user', 'U'],
      ],
    ],
    ['{{section "a"}}x', {}, [['user', 'x']]],
    ['[{{json undefined}}{{json null}}]', {}, [['user', '[null]']]],
    ['{{#if a}}'.repeat(49) + 'x' + '{{/if}}'.repeat(49), { a: 1 }, [['user', 'x']]],
    // Messages in a loop, as few-shot examples come.
    [
      '{{#each ex}}{{role "user"}}{{q}}{{role "model"}}{{a}}{{/each}}{{role "user"}}end',
      {
        ex: [
          { q: '1', a: '2' },
          { q: '3', a: '4' },
        ],
      },
      [
        ['user', '1'],
        ['assistant', '2'],
        ['user', '3'],
        ['assistant', '4'],
        ['user', 'end'],
      ],
    ],
  ])('%j', async (template, vars, messages) => {
    expect(await textsOf(template, vars)).toEqual(messages);
  });

  test('defines tools, and warns of those that a program registers', async () => {
    const front = [
      'tools: [refund, lookup]',
      'toolDefs:',
      '  - { name: refund, description: Pay back, inputSchema: { order: integer } }',
      '  - { name: ping }',
    ].join('\n');
    const { params, warnings } = await readPrompt('x.prompt', `---\n${front}\n---\nhi`);
    const order = { type: 'object', required: ['order'], properties: { order: { type: 'integer' } } };
    expect(params).toMatchObject({
      tools: [
        { type: 'function', function: { name: 'refund', description: 'Pay back', parameters: order } },
        { type: 'function', function: { name: 'ping' } },
      ],
    });
    expect(warnings.map(({ code, message, at }) => [code, message, at?.line, at?.column])).toEqual([
      ['unknown-id', 'the tool "lookup" is not sent: a program registers it', 2, 17],
    ]);
  });

  test('media are files that go along', async () => {
    expect(await renderPrompt('x.prompt', 'See {{media url=photo}}', { photo: 'a.png' })).toEqual([
      { role: 'user', content: 'See ', attach: ['a.png'] },
    ]);
    await expect(renderPrompt('x.prompt', 'See {{media url=photo}}', { photo: 'https://x/a.png' })).rejects.toThrow(
      /file of the project/,
    );
  });

  test('a message may hold nothing but media, and what is too long to show is cut', async () => {
    expect(await renderPrompt('x.prompt', '{{role "user"}} {{media url=photo}}', { photo: 'a.png' })).toEqual([
      { role: 'user', content: ' ', attach: ['a.png'] },
    ]);
    const url = `https://${'x'.repeat(40)}`;
    const message = `media must be a file of the project, not https://${'x'.repeat(32)}`;
    await expect(renderPrompt('x.prompt', ' {{media url=photo}}', { photo: url })).rejects.toMatchObject({
      message,
      line: 1,
      column: 2,
      hint: "write its path from the suite file's folder",
    });
  });

  test('partials come from beside it, with their own arguments', async () => {
    const files = { '_hi.prompt': 'Hi {{name}}{{> sub/end}}', 'sub/_end.prompt': '!' };
    expect(await textsOf('{{> hi name=who}} {{>hi ctx}}', { who: 'Ann', ctx: { name: 'Bo' } }, files)).toEqual([
      ['user', 'Hi Ann! Hi Bo!'],
    ]);
  });

  test('a partial on a line of its own is indented as a whole', async () => {
    const files = { '_list.prompt': '- {{a}}\n- b\n{{a}}\n' };
    expect(await textsOf('List:\n  {{> list}}\nEnd', { a: 'x\ny' }, files)).toEqual([
      ['user', 'List:\n  - x\n  y\n  - b\n  x\n  y\nEnd'],
    ]);
  });

  test('partials may name others sixty deep, and a hundred are read', async () => {
    const chain = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`_p${n}.prompt`, `${n}{{> p${n + 1}}}`]));
    expect(await textsOf('{{> p0}}', {}, { ...chain, '_p60.prompt': '!' })).toEqual([
      ['user', expect.stringMatching(/^01234.*5859!$/)],
    ]);
    const many = Array.from({ length: 101 }, (_, n) => `{{> m${n}}}`);
    const files = Object.fromEntries(many.map((_, n) => [`_m${n}.prompt`, 'x']));
    expect(await findPromptProblems('x.prompt', many.slice(0, 100).join('\n'), files)).toEqual([]);
    expect(await findPromptProblems('x.prompt', many.join('\n'), files)).toEqual(['101:1 invalid-value']);
  });

  test('a fault in a partial is at the place that names it, with its own place in the message', async () => {
    const gone = { '_a.prompt': 'x {{gone}}{{away}}' };
    await expect(renderPrompt('x.prompt', 'a\n {{> a}}', {}, gone)).rejects.toMatchObject({
      message: 'in the partial "a" (its line 1, column 5): the variable "gone" is missing',
      line: 2,
      column: 2,
      variable: 'gone',
      also: [expect.objectContaining({ variable: 'away', line: 2, column: 2 })],
    });
    const photo = { '_a.prompt': 'xxxx {{media url=photo}}' };
    await expect(renderPrompt('x.prompt', 'a {{> a}}', { photo: '' }, photo)).rejects.toMatchObject({
      message: 'media has an empty url',
      line: 1,
      column: 3,
    });
    await expect(readPrompt('x.prompt', '{{> a}}', { '_a.prompt': '{{jsn x}}' })).rejects.toThrow(
      '1:1 in the partial "a" (its line 1, column 3): there is no helper "jsn"; did you mean "json"?',
    );
    expect(
      await findPromptProblems('x.prompt', '\n{{> a}}', { '_a.prompt': '{{> b}}{{> gone}}', '_b.prompt': '{{#if}}' }),
    ).toEqual(['1:1 file-unreadable']);
    expect(await findPromptProblems('x.prompt', 'a{{> a}}', { '_a.prompt': '{{#if}}' })).toEqual([
      '1:1 invalid-template',
    ]);
  });

  test('keeps its text in messages from mark to mark, with the partials it names', async () => {
    const messagesOf = async (text: string) =>
      (await readPrompt('x.prompt', text, { '_a.prompt': 'A' })).whole?.messages.map(({ role, template }) => [
        role,
        template.source,
        template.language,
      ]);
    const name = 'handlebars';
    expect(await messagesOf('hi {{role "system"}}S{{section "s"}}{{> a}}{{role "model"}}M')).toEqual([
      ['user', 'hi ', { name, partials: { a: 'A' } }],
      ['system', '{{role "system"}}S{{section "s"}}{{> a}}', { name }],
      ['assistant', '{{role "model"}}M', { name }],
    ]);
    expect(await messagesOf(' \n{{role "system"}}S')).toEqual([['system', ' \n{{role "system"}}S', { name }]]);
    expect(await messagesOf('hi')).toEqual([['user', 'hi', { name }]]);
  });

  test('what comes out empty is an error, at the start of the template', async () => {
    await expect(textsOf('{{#if a}}x{{/if}}', { a: false })).rejects.toMatchObject({
      message: expect.stringContaining('the prompt comes out empty'),
      line: 1,
      column: 1,
    });
  });
});

describe('variables are strict', () => {
  test.each<[template: string, vars: Vars, message: RegExp]>([
    ['a\n {{name}}', {}, /the variable "name" is missing/],
    ['{{a.b}}', { a: {} }, /"a\.b" is missing/],
    ['{{a.constructor}}', { a: {} }, /is missing/],
    ['{{a.__proto__.x}}', { a: {} }, /is missing/],
    ['{{a}}', { a: { b: 1 } }, /"a" is an object/],
    ['{{a}}', { a: null }, /"a" is null/],
    ['{{#each a}}{{/each}}', { a: 5 }, /is not a list/],
    ['{{#each gone}}{{/each}}', {}, /"gone" is missing/],
  ])('%j', async (template, vars, message) => {
    await expect(renderPrompt('x.prompt', template, vars)).rejects.toThrow(message);
  });

  test('and all that are missing are named at once', async () => {
    const also = [expect.objectContaining({ variable: 'b.c', line: 2, column: 3 })];
    await expect(renderPrompt('x.prompt', '{{a}}\n{{b.c}}{{a}}', { b: {} })).rejects.toMatchObject({
      variable: 'a',
      also,
    });
  });

  test('except those that the schema makes optional', async () => {
    const text = '---\ninput: { schema: { "a?": string } }\n---\n[{{a}}]';
    expect(await textsOf(text)).toEqual([['user', '[]']]);
    expect(await textsOf(text, { a: null })).toEqual([['user', '[]']]);
    expect(await textsOf(text.replace('{{a}}', '{{json a}}'))).toEqual([['user', '[]']]);
    await expect(textsOf(text.replace('a?', 'a'))).rejects.toThrow('"a" is missing');
    // In a loop, a plain name is a field of the item.
    await expect(textsOf(text.replace('{{a}}', '{{#each l}}{{a}}{{/each}}'), { l: [{}] })).rejects.toThrow(
      '"a" is missing',
    );
  });
});

test.each<[why: string, text: string, problem: string]>([
  ['front matter that is not YAML', '---\na: [\n---\nhi', '2:4 syntax'],
  ['front matter that never ends', '# x\n---\nmodel: m\nhi', '2:1 syntax'],
  ['front matter that is a list', '---\n- a\n---\nhi', '2:1 invalid-value'],
  ['an empty prompt', '---\nmodel: m/m\n---\n', '4:1 invalid-value'],
  ['a type that is none', '---\ninput:\n  schema:\n    a: text\n---\nhi', '4:8 invalid-schema'],
  ['parentheses that are none', '---\noutput:\n  schema:\n    a(list): string\n---\nhi', '4:14 invalid-schema'],
  ['an input that is not a map', '---\ninput: { schema: string }\n---\nhi', '2:18 invalid-schema'],
  ['a format that is none', '---\noutput: { format: xml }\n---\nhi', '2:19 invalid-value'],
  ['tools that are no list', '---\ntoolDefs: { name: a }\n---\nhi', '2:11 invalid-value'],
  ['a tool without a name', '---\ntoolDefs: [{ description: a }]\n---\nhi', '2:12 invalid-value'],
  ['an unknown helper', '---\nmodel: m/m\n---\n\nhi {{shout name}}', '5:6 invalid-template'],
  ['an unknown block', 'a\n{{#repeat 3}}x{{/repeat}}', '2:4 invalid-template'],
  ['a block that is closed by another', '{{#if a}}\n{{/each}}', '1:4 invalid-template'],
  ['a block that is not closed', '{{#if a}}x', '1:11 invalid-template'],
  ['braces that are not closed', 'a {{b', '1:5 invalid-template'],
  ['an inline partial', '{{#*inline "a"}}{{/inline}}', '1:1 invalid-template'],
  ['a partial chosen by a value', '{{> (lookup . "x")}}', '1:1 invalid-template'],
  ['a partial that is not there', 'a {{> gone}}', '1:3 file-unreadable'],
  ['a role behind indented front matter', '---\nmodel: openai/m\n---\n\n   x {{role who}}', '5:6 invalid-template'],
  ...['../secret', 'c:secret'].map((name): [string, string, string] => [
    `a partial at ${name}`,
    `{{> ${name}}}`,
    '1:1 file-outside-project',
  ]),
  ['a role that a value chooses', 'x {{role who}}', '1:3 invalid-template'],
  ['a role that is none', '{{role "boss"}}x', '1:1 invalid-template'],
  ['a role of a value', '{{role}}x', '1:1 invalid-template'],
  ['a helper of nothing', 'a {{lookup}}', '1:3 invalid-template'],
  ['a block as a helper', '{{if}}', '1:3 invalid-template'],
  ['a block of nothing', '{{#if}}x{{/if}}', '1:1 invalid-template'],
  ['a comparison of one value', '{{#ifEquals a}}x{{/ifEquals}}', '1:1 invalid-template'],
  ['a number that a double rounds', 'a {{json a indent=12345678901234567890}}', '1:19 invalid-template'],
  ['a setting that a double rounds', '---\nconfig: { seed: 12345678901234567890 }\n---\nhi', '2:17 invalid-value'],
  ['what no Handlebars is', 'x {{a b=}} y', '1:9 invalid-template'],
  ['what no Handlebars is, far in', `${'x'.repeat(40)} {{a b=}} y`, '1:1 invalid-template'],
  ['blocks without end', '{{#if a}}'.repeat(60) + '{{/if}}'.repeat(60), '1:451 invalid-template'],
])('%s is refused with its place', async (_, text, problem) => {
  expect(await findPromptProblems('x.prompt', text)).toEqual([problem]);
});

test.each([
  ['{{role who}}', 'a role must be written in the template: a variable may not choose it'],
  ['{{role "boss"}}', 'the role of a message must be system, user or model, not "boss"'],
  ['{{#repeat 3}}x{{/repeat}}', 'write {{#if repeat}} or {{#each repeat}}'],
  ['{{#eachh l}}x{{/eachh}}', 'did you mean "each"?'],
  ['x {{a b=}} y', 'the template is not Handlebars'],
])('%s is answered with %s', async (text, message) => {
  await expect(readPrompt('x.prompt', text)).rejects.toThrow(message);
});

describe('bombs', () => {
  const big = Array.from({ length: 1000 }, (_, index) => index);
  const nested = (depth: number) => '{{#each @root.l}}'.repeat(depth) + 'x' + '{{/each}}'.repeat(depth);

  test.each<[name: string, template: string, files: Record<string, string>]>([
    ['of loops', nested(4), {}],
    ['of helpers', '{{#each l}}{{#each @root.l}}{{json @root.l}}{{/each}}{{/each}}', {}],
    ['of partials', '{{> a}}', { '_a.prompt': '{{> a}}' }],
    ['of partials that double', '{{> a}}', { '_a.prompt': '{{> b}}{{> b}}', '_b.prompt': '{{> a}}{{> a}}' }],
  ])('%s end in an error', async (_, template, files) => {
    await expect(renderPrompt('x.prompt', template, { l: big }, files)).rejects.toThrow(TemplateError);
  });

  test('in a schema end in an error', () => {
    const schemaOf = (depth: number) => JSON.parse(`${'{"a": '.repeat(depth)}"string"${'}'.repeat(depth)}`) as never;
    expect(() => readPicoschema(schemaOf(51))).not.toThrow();
    expect(() => readPicoschema(schemaOf(52))).toThrow('fields are nested deeper than 50 levels');
  });
});

test('Picoschema may have a field that is called type', () => {
  const properties = { type: { type: 'string', description: 'of the ticket' } };
  const object = { type: 'object', properties, required: ['type'], additionalProperties: false };
  expect(readPicoschema({ type: 'string, of the ticket' })).toEqual(object);
  expect(readPicoschema(object)).toBe(object);
});

test('Picoschema has types, arrays, objects, enums and fields that may be left out', () => {
  const schema = {
    id: 'integer , of the order',
    note: 'string, ',
    'tags(array, for search)': 'string',
    'items?(array)': { sku: 'string' },
    'address?(object, of the customer)': { city: 'string' },
    'state(enum, of today)': ['open', 'done'],
    'level?(enum)': [1, 2],
    'free?': 'any',
    '(*)': 'any',
  };
  expect(readPicoschema(schema)).toEqual({
    type: 'object',
    properties: {
      id: { type: 'integer', description: 'of the order' },
      note: { type: 'string' },
      tags: { type: 'array', items: { type: 'string' }, description: 'for search' },
      items: {
        type: ['array', 'null'],
        items: {
          type: 'object',
          properties: { sku: { type: 'string' } },
          required: ['sku'],
          additionalProperties: false,
        },
      },
      address: {
        type: ['object', 'null'],
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
        description: 'of the customer',
      },
      state: { enum: ['open', 'done'], description: 'of today' },
      level: { enum: [1, 2, null] },
      free: {},
    },
    required: ['id', 'note', 'tags', 'state'],
    additionalProperties: {},
  });
});

test.each([
  ['a kind that is none', { 'a(set)': 'string' }],
  ['a parenthesis that is not closed', { 'a(array': 'string' }],
  ['a field without a name', { '?': 'string' }],
  ['an enum that is not a list', { 'a(enum)': 'x' }],
])('Picoschema refuses %s', (_, schema) => {
  expect(() => readPicoschema(schema)).toThrow(PicoschemaError);
});

describe('schemas with a name', () => {
  const order = `---
input: { schema: { order: 'Order, what was bought', 'items(array)': Item } }
output: { schema: Verdict }
toolDefs: [{ name: find, inputSchema: Order }]
---
{{json order}} {{json items}}`;
  const files = {
    'Order.schema.json': '{"type":"object","properties":{"id":{"type":"string"}}}',
    'Item.schema.json': '{"type":"string"}',
    'Verdict.schema.json': '{"type":"object","properties":{"ok":{"type":"boolean"}}}',
  };

  test('are read from files beside the prompt', async () => {
    const { input, output, params } = await readPrompt('x.prompt', order, files);
    expect(input?.schema).toMatchObject({
      properties: { order: { type: 'object', description: 'what was bought' }, items: { items: { type: 'string' } } },
    });
    expect(output?.schema).toEqual(JSON.parse(files['Verdict.schema.json']));
    expect(params?.['tools']).toMatchObject([{ function: { parameters: { properties: { id: {} } } } }]);
  });

  test.each([
    ['is not there', { ...files, 'Item.schema.json': undefined }, '2:69 invalid-schema'],
    ['is no JSON', { ...files, 'Verdict.schema.json': '{' }, '3:19 invalid-schema'],
    ['is no schema', { ...files, 'Verdict.schema.json': '[1]' }, '3:19 invalid-schema'],
  ])('one that %s is an error at its place', async (_, given, problem) => {
    const there = Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined));
    expect(await findPromptProblems('x.prompt', order, there as Record<string, string>)).toEqual([problem]);
  });
});
