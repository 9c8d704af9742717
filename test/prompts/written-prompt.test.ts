import { beforeAll, expect, test } from 'vitest';
import type { WrittenMessage } from '../../src/model/suite/recorded-settings.ts';
import { compileWritten, surveyWritten } from '../../src/prompts/prompt-template.ts';
import { keyOfVars } from '../../src/templates/rendered-table.ts';
import { loadTemplateEngine } from '../../src/templates/template.ts';

beforeAll(loadTemplateEngine);

type Language = NonNullable<WrittenMessage['language']>;

/** Messages as a record holds them; what all of them share is in the first. */
function written(language: Language | undefined, ...messages: readonly (readonly [role: string, content: string])[]) {
  return messages.map(([role, content], index): WrittenMessage => {
    const own = language && (index === 0 || language.name === 'braces' ? language : { name: language.name });
    return { role, content, ...(own === undefined ? {} : { language: own }) };
  });
}

const vars = { a: 'A', l: [1] };
const table = {
  lines: ['x', 'y'],
  cases: {
    [keyOfVars(vars)]: [
      ['system', '0'],
      ['tool', '0-1'],
    ],
  },
} as const;

test.each<[name: string, messages: readonly WrittenMessage[], rendered: unknown, variables: unknown]>([
  [
    'Liquid',
    [
      { role: 'system', content: 'S {{ a }}{% if l %}!{% endif %}' },
      { role: 'user', content: 'U', attach: ['{{ a }}.png'] },
    ],
    [
      ['system', 'S A!', undefined],
      ['user', 'U', ['A.png']],
    ],
    undefined,
  ],
  [
    'braces',
    written({ name: 'braces', defaults: { b: null } }, ['system', '{{a}} {{ b }} {c}'], ['model', '{{l}}{{a}}']),
    [
      ['system', 'A <nil> {c}', undefined],
      ['assistant', '[1]A', undefined],
    ],
    [
      { name: 'a', hasDefault: false },
      { name: 'b', hasDefault: true, default: null },
      { name: 'l', hasDefault: false },
    ],
  ],
  [
    'Handlebars',
    written(
      { name: 'handlebars', partials: { p: '{{a}}{{d.e}}' }, defaults: { d: { e: 'E' } }, optional: ['o'] },
      ['user', '{{> p}}{{o}}'],
      ['system', '{{role "system"}}{{#if g}}G{{/if}}{{a}}'],
    ),
    [
      ['user', 'AE', []],
      ['system', 'A', []],
    ],
    [
      { name: 'a', hasDefault: false },
      { name: 'd.e', hasDefault: true, default: { e: 'E' } },
      { name: 'o', hasDefault: true },
      { name: 'g', hasDefault: true },
    ],
  ],
  [
    'Jinja',
    written({ name: 'jinja' }, ['system', 'S {{ b | default(a) }}\nuser:\n'], ['user', '{{ l[0] }}']),
    [
      ['system', 'S A', []],
      ['user', '1', []],
    ],
    [
      { name: 'b', hasDefault: true },
      { name: 'a', hasDefault: false },
      { name: 'l[0]', hasDefault: false },
    ],
  ],
  [
    'code',
    written({ name: 'code', rendered: table, variables: ['a'] }, ['system', 'x'], ['user', '…']),
    [
      ['system', 'x', []],
      ['user', 'x\ny', []],
    ],
    [{ name: 'a', hasDefault: false }],
  ],
])('a recorded prompt in %s is rendered as it was', (_, messages, rendered, variables) => {
  const prompt = compileWritten(messages);
  const shown =
    prompt.expand?.(vars).map(({ role, content, attach }) => [role, content, attach]) ??
    prompt.messages.map(({ role, template, attach }) => [
      role,
      template.render(vars),
      attach?.map((one) => one.render(vars)),
    ]);
  expect(shown).toEqual(rendered);
  expect(surveyWritten(messages)).toEqual(variables);
});

test('a recorded prompt keeps its roles and its language, and gives roles that it does not know to the user', () => {
  const languageOf = (language: Language) => {
    const [message] = compileWritten(written(language, ['narrator', 'x {{a}} {{#if b}}'])).messages;
    return [message?.role, message?.template.language];
  };
  for (const language of [
    { name: 'braces' },
    { name: 'braces', optional: ['a'] },
    { name: 'braces', defaults: { a: 1 } },
    { name: 'code', variables: ['a'] },
  ] as const) {
    expect(languageOf(language)).toEqual(['user', language]);
  }
  for (const language of [{ name: 'jinja', optional: ['a'], defaults: { a: 1 } }] as const) {
    const [message] = compileWritten(written(language, ['system', '{{ a }}'])).messages;
    expect([message?.role, message?.template.language]).toEqual(['system', language]);
  }
  expect(surveyWritten(written({ name: 'braces' }, ['user', '{{a}} {{#if b}}']))).toEqual([
    { name: 'a', hasDefault: false },
  ]);
  const optional = compileWritten(written({ name: 'braces', optional: ['a'] }, ['user', '[{{a}}]'])).messages[0];
  expect(optional?.template.render({})).toBe('[]');
});

test('a recorded prompt keeps no partial that it no longer names, and code without a record has no case', () => {
  const [message] = compileWritten(written({ name: 'handlebars', partials: { p: 'x' } }, ['user', 'hi'])).messages;
  expect(message?.template.language).toEqual({ name: 'handlebars' });
  const code = written({ name: 'code' }, ['user', 'x']);
  expect(() => compileWritten(code).expand?.(vars)).toThrow('was not called');
  expect(compileWritten(code).messages.map(({ role, template }) => [role, template.render({})])).toEqual([
    ['user', 'x'],
  ]);
  expect(surveyWritten(code)).toEqual([]);
});
