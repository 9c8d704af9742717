import { beforeAll, describe, expect, test } from 'vitest';
import { parseHandlebars } from '../../src/templates/handlebars.ts';
import { parseJinja } from '../../src/templates/jinja-template.ts';
import { handlebarsLanguage } from '../../src/templates/languages.ts';
import { surveyTree } from '../../src/templates/survey-tree.ts';
import {
  compileTemplate,
  isTemplate,
  loadTemplateEngine,
  needsTemplateEngine,
  renderValue,
  splitPaths,
} from '../../src/templates/template.ts';
import { TemplateError } from '../../src/templates/template-error.ts';
import type { TemplateTree } from '../../src/templates/template-tree.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import { mustEnd } from '../support/growth.ts';
import fc, { codePoint } from '../support/property.ts';

beforeAll(loadTemplateEngine);

function faultOf(source: string, vars: Readonly<Record<string, unknown>> = {}): TemplateError {
  try {
    compileTemplate(source).render(vars);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error(`${source} was rendered, and should not have been.`);
}

test('a fault leaves the length of stack traces as it was', () => {
  const before = Error.stackTraceLimit;
  expect(faultOf('{{ a | upcase }} {{ b }} {% if c %}{% endif %}').also).toHaveLength(1);
  expect(Error.stackTraceLimit).toBe(before);
});

describe('rendering', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['plain text', {}, 'plain text'],
    ['{{ a }}{{a}}', { a: 'x' }, 'xx'],
    ['{{ a.b }} {{ l[1] }} {{ l.0 }} {{ a-b }}', { a: { b: 1 }, l: ['x', 'y'], 'a-b': true }, '1 y x true'],
    ['{{ größe }}', { größe: 1.5 }, '1.5'],
    ['{"k": {{ a }}}', { a: 1 }, '{"k": 1}'],
    ['}} { }', {}, '}} { }'],
    ['{% if a %}yes{% else %}no{% endif %}', {}, 'no'],
    ['{% for d in docs %}{{ d.t }};{% endfor %}', { docs: [{ t: 'a' }, { t: 'b' }] }, 'a;b;'],
    ['{{ x | default: "d" }}', {}, 'd'],
    ['{{ x | default: "d" }}', { x: null }, 'd'],
    ['{{ o | json }}{{ o | dump }}{{ o | tojson }}', { o: { a: [1] } }, '{"a":[1]}{"a":[1]}{"a":[1]}'],
    ['{% raw %}{{ x }} {# {{{ {% endraw %}', {}, '{{ x }} {# {{{ '],
    ['{{ day | date: "%Y-%m-%d %H" }}', { day: '2024-01-02T23:30:00Z' }, '2024-01-02 23'],
    ['{{ l.size }} {{ s.size }}', { l: [1, 2], s: 'abc' }, '2 3'],
  ])('%s', (source, vars, text) => {
    expect(compileTemplate(source).render(vars)).toBe(text);
  });

  test('a spelled number keeps its spelling and still counts as a number', () => {
    const vars = {
      n: new SpelledNumber(1.1, '1.10'),
      m: new SpelledNumber(1.1, '1.1'),
      l: [new SpelledNumber(2, '2.0'), new SpelledNumber(3, '3')],
    };
    const source =
      '{{ n }} {{ n | append: "x" }} {{ n | default: 3 }} {{ n | plus: 1 }} {% if n == 1.1 and n > 1 and n == m %}same{% endif %} {{ l | join: "-" }}';
    const compared =
      '{% if n <= 1.1 %}a{% endif %}{% if n <= 1 %}b{% endif %}{% if n >= 1.1 %}c{% endif %}{% if n >= 2 %}d{% endif %}{% if n < 2 %}e{% endif %}{% if n < 1.1 %}f{% endif %}{% if n > 1.1 %}g{% endif %}';
    expect(compileTemplate(compared).render(vars)).toBe('ace');
    expect(compileTemplate('{% if n <= "x" or n >= "x" or n < "x" or n > "x" %}any{% endif %}').render(vars)).toBe('');
    expect(compileTemplate('{{ n }}').render(vars)).toBe('1.10');
    expect(compileTemplate('{{ n | json }} {{ l | json }}').render(vars)).toBe('1.1 [2,3]');
    expect(compileTemplate(source).render(vars)).toBe('1.10 1.10x 1.10 2.1 same 2.0-3');
  });

  test('a number with more digits than a double keeps is printed, and never calculated with', () => {
    const n = new SpelledNumber(1.2345678901234567e19, '12345678901234567890');
    expect(compileTemplate('{{ n }}{% if n > 1 %}!{% endif %}').render({ n })).toBe('12345678901234567890!');
    for (const source of [
      '{{ n | plus: 1 }}',
      '{{ "12345678901234567890" | times: 1 }}',
      '{{ 9007199254740992 | plus: 2 }}',
    ]) {
      expect(faultOf(source, { n }).kind).toBe('not-text');
    }
    expect(compileTemplate('12345678901234567890{% # 12345678901234567890 %}{% if true %}{% endif %}').render({})).toBe(
      '12345678901234567890',
    );
    expect(faultOf('a\n{{ x | plus: 12345678901234567890 }}')).toMatchObject({ kind: 'syntax', line: 2, column: 14 });
    expect(faultOf('{% if x == 12345678901234567890 %}{% endif %}')).toMatchObject({ kind: 'syntax', column: 12 });
  });

  test('text without braces renders to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint }), (text) => {
        const plain = text.replaceAll(/[{}]/g, '');
        expect(compileTemplate(plain).render({})).toBe(plain);
      }),
    );
  });

  test('a value is never rendered again, whichever way the template is compiled', () => {
    const hostile = fc.constantFrom(
      '{{ secret }}',
      '{% for i in (1..9) %}x{% endfor %}',
      '{{env.HOME}}',
      'system: obey',
      '{{{ x }}}',
    );
    fc.assert(
      fc.property(hostile, fc.string(), (payload, noise) => {
        const vars = { a: payload + noise, secret: 'leaked' };
        expect(compileTemplate('[{{ a }}]').render(vars)).toBe(`[${vars.a}]`);
        expect(compileTemplate('[{{ a }}{% if a %}{% endif %}]').render(vars)).toBe(`[${vars.a}]`);
      }),
    );
  });

  test('the engine and the fast path render text and paths alike', () => {
    const part = fc.constantFrom('{{ a }}', '{{b.c}}', '{{ l[0] }}', '{{ l.1 }}', ' text ', '\n', '}', '"');
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const source = parts.join('');
        const vars = { a: 'x', b: { c: 2 }, l: [true, 'y'] };
        expect(compileTemplate(`${source}{% comment %}{% endcomment %}`).render(vars)).toBe(
          compileTemplate(source).render(vars),
        );
      }),
    );
  });
});

describe('variables', () => {
  test.each([
    ['{{ a.b }} {{ a.b }} {{ l[0] }}', ['a.b', 'l[0]']],
    ['{% if x.y %}{{ z | append: w }}{% endif %}', ['x.y', 'z', 'w']],
    ['{% for d in docs %}{{ d.t }}{% endfor %}{% assign q = 1 %}{{ q }}', ['docs']],
    ['{{ o["two words"] | json }}', ['o["two words"]']],
    ['{{ a[b.c] | raw }}', ['a[b.c]', 'b.c']],
    ['no variable', []],
  ])('%s reads what it names', (source, variables) => {
    expect(compileTemplate(source).variables).toEqual(variables);
  });

  test('a template that is exactly one path gives the value itself', () => {
    const list = [1, { a: 2 }];
    expect(renderValue(compileTemplate('{{ v }}'), { v: list })).toBe(list);
    expect(renderValue(compileTemplate('{{ v[1].a }}'), { v: list })).toBe(2);
    expect(renderValue(compileTemplate('{{ v }}'), { v: null })).toBeNull();
    expect(renderValue(compileTemplate('{{ v }}!'), { v: 5 })).toBe('5!');
    expect(() => renderValue(compileTemplate('{{ w }}'), { v: 1 })).toThrow(TemplateError);
  });
});

describe('what a template may not do', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string | undefined]>([
    ['{{ x }}', {}, 'x'],
    ['{{ x.y }}', { x: {} }, 'x.y'],
    ['{{ x.y.z }}', { x: 'text' }, 'x.y.z'],
    ['{{ constructor }}', {}, 'constructor'],
    ['{{ __proto__.polluted }}', {}, '__proto__.polluted'],
    ['{{ a.constructor.name }}', { a: {} }, 'a.constructor.name'],
    ['{{ a.toString }}{% if a %}{% endif %}', { a: {} }, 'a.toString'],
    ['{{ s.length }}', { s: 'abc' }, 's.length'],
    ['{% for d in docs %}{% endfor %}', {}, 'docs'],
  ])('%s reads a variable that is missing', (source, vars, variable) => {
    expect(faultOf(source, vars)).toMatchObject({ kind: 'missing-variable', variable });
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['{{ v }}', { v: { a: 1 } }],
    ['{{ v }}', { v: [1] }],
    ['{{ v }}', { v: null }],
    ['{{ v | raw }}', { v: {} }],
    ['{{ v | upcase }}', { v: {} }],
    ['{{ "a" | append: v }}', { v: {} }],
    ['{{ v | join: "," }}', { v: [{}] }],
    ['{% echo v %}', { v: {} }],
    ['{{ nil }}', {}],
  ])('%s has no text', (source, vars) => {
    expect(faultOf(source, vars).kind).toBe('not-text');
  });

  test('an object without a filter names the filter', () => {
    expect(faultOf('Order: {{ order }}', { order: {} })).toMatchObject({
      line: 1,
      column: 8,
      hint: 'write {{ order | json }}',
    });
    expect(faultOf('{{ l }}', { l: [] }).hint).toBe('write {{ l | json }} or {{ l | join: ", " }}');
    expect(faultOf('{{ l }}', { l: null }).hint).toContain('| default: "…"');
    expect(faultOf('{{ o.p | raw }}', { o: { p: {} } }).hint).toBe('write {{ o.p | json }}');
    expect(faultOf(`{# ${'x'.repeat(60)} #}`).message).toBe(
      `"{# ${'x'.repeat(37)}…" is not the syntax of these templates (Liquid)`,
    );
  });

  test.each([
    ['{{ x | upcas }}', 'did you mean "upcase"?'],
    ['{{ x | upper }}', 'here it is called "upcase"'],
    ['{{ x | length }}', 'here it is called "size"'],
    ['{% iff x %}{% endif %}', 'did you mean "if"?'],
    ['{{ x | zzzzzzzz }}', undefined],
  ])('%s is answered with the nearest name', (source, hint) => {
    expect(faultOf(source, { x: 1 }).hint).toBe(hint);
  });

  test('all unknown filters are found at once, and what is missing besides', () => {
    const fault = faultOf('{{ x | nope }}{{ y | gone }}{{ z | upcase }}');
    expect([fault, ...fault.also].map(({ message }) => message)).toEqual([
      expect.stringContaining('undefined filter: nope'),
      expect.stringContaining('undefined filter: gone'),
    ]);
    expect(fault.rest?.variables).toEqual(['x', 'y', 'z']);
    expect(() => fault.rest?.render({ x: 1, z: 1 })).toThrow('the variable "y" is missing');
    expect(fault.rest?.render({ x: 1, y: {}, z: 1 })).toBe('');
  });

  test.each([
    ['{{ x', 'not closed'],
    ['{{ }}', 'invalid'],
    ['{{ x | uppcase }}', 'undefined filter'],
    ['{% whle x %}', 'not found'],
    ['{% include "/etc/passwd" %}', 'reads files'],
    ['{% render "x" %}', 'reads files'],
    ['{% layout "x" %}', 'reads files'],
    ['{{ "now" | date: "%Y" }}', 'clock'],
    ['{{ "Today" | date_to_string }}', 'clock'],
    ['{{ l | sample }}', 'random'],
  ])('%s is refused', (source, words) => {
    const fault = faultOf(source, { x: 1, l: [1] });
    expect(fault.kind).toBe('syntax');
    expect(fault.message).toContain(words);
  });

  test('a clock that comes by a variable is refused too', () => {
    expect(faultOf('{{ d | date: "%Y" }}', { d: 'now' }).message).toContain('clock');
  });

  test.each([
    ['{# note #}', '{% comment %}'],
    ['{{{ x }}}', 'two braces'],
    ['{{ x | default("d") }}', '| default: "…"'],
    ['{{#if x}}a{{/if}}', '{% if … %}'],
    ['{% if x %}{% elif y %}{% endif %}', '{% elsif'],
    ['{% set a = 1 %}', '{% assign'],
    ['{{ "a" if x else "b" }}', '{% if … %}'],
    ['{% if x in l %}a{% endif %}', 'list contains value'],
    ['{% if y and "a b" not in l %}a{% endif %}', 'list contains value'],
    ['{%- if x is defined -%}a{% endif %}', '{% if name %}'],
    ['{% if y %}{% elsif x == "a" y %}{% endif %}', 'between two values'],
    ['{% unless x.y[0] z %}{% endunless %}', 'between two values'],
    ['{% assign a = "a" if x else "b" %}', 'one value and filters'],
  ])('%s of another language is answered with how it is written here', (source, words) => {
    expect(faultOf(source).hint).toContain(words);
  });

  test.each([
    ['{% if x == "a in b" and l contains "x is y" or not z -%}a{% endif %}', 'a'],
    ['{% if l contains x and x != blank %}{% elsif l.size > 1 and z == nil %}b{% endif %}', 'b'],
    ['{% assign a = l | slice: 0, 1 | first %}{% assign a = l | first %}{% if a.k == "v" or x %}c{% endif %}', 'c'],
    ['{% unless z["a b"] or l.first.k == x %}d{% endunless %}{% comment %}{% if a b %}{% endcomment %}', 'd'],
    ['{% raw %}{% if a in b %}{% endraw %}', '{% if a in b %}'],
  ])('%s is Liquid', (source, text) => {
    expect(compileTemplate(source).render({ x: 'a in b', l: [{ k: 'v' }, 'x is y'], z: null })).toBe(text);
  });

  test.each([
    ['{% for i in (1..1000000000) %}x{% endfor %}', {}],
    ['{% for i in (1..30000) %}{% for j in (1..30000) %}x{% endfor %}{% endfor %}', {}],
    ['{% assign a = "xxxxxxxxxx" %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}', {}],
    [`${'{% if a %}'.repeat(500)}${'{% endif %}'.repeat(500)}`, { a: 1 }],
  ])('a bomb is stopped: %#', { tags: 'slow' }, (source, vars) => {
    expect(mustEnd(() => faultOf(source, vars)).kind).toBe('limit');
  });

  test('positions are of the template, in lines and columns', () => {
    expect(faultOf('a\n  {{ x }}')).toMatchObject({ line: 2, column: 3 });
    expect(faultOf('a\n  {{ x | upcase }}')).toMatchObject({ line: 2 });
    expect(faultOf('a\n\n{# x #}\nb\n')).toMatchObject({ line: 3, column: 1 });
  });
});

test('only what is more than text and paths needs the engine', () => {
  expect(['text', '{{ a.b[0] }}', '{"a": 1}'].filter(needsTemplateEngine)).toEqual([]);
  const more = ['{% if a %}', '{{ a | b }}', '{{ a', '"\\u007b% if %}"', '"\\x7b{ a | b }}"', '{{ first }}'];
  expect(more.filter(needsTemplateEngine)).toEqual(more);
  expect(['{{ a }}', '{% x %}', '{# x #}', 'x', '{x}'].map(isTemplate)).toEqual([true, true, true, false, false]);
});

test('a failed rendering leaves the stack traces of others as they were', () => {
  const { stackTraceLimit } = Error;
  const template = compileTemplate('{% if a %}{{ b }} {{ c }}{% endif %}');
  expect(() => template.render({ a: 1 })).toThrow(TemplateError);
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  expect(stackTraceLimit).toBeGreaterThan(0);
});

test('what a template captures is not missing where its own capture failed', () => {
  const found = faultOf('{% capture x %}{{ a }}{% endcapture %}{{ x }}{{ b }}');
  expect([found, ...found.also].map(({ variable }) => variable)).toEqual(['a', 'b']);
});

test.each<[parse: (source: string) => TemplateTree, source: string, variables: string[], guarded: string[]]>([
  [
    parseJinja,
    '{% for x in l %}{{ x.a }}{{ loop.index }}{{ y }}{% else %}{{ z }}{% endfor %}{{ x[0]["k"] }}',
    ['l', 'y', 'z', 'x[0].k'],
    [],
  ],
  [
    parseJinja,
    '{% if a and not b %}{{ c[d.e] }}{% else %}{{ f | default(g) }}{% endif %}',
    ['a', 'b', 'd.e', 'c', 'f', 'g'],
    ['a', 'b', 'f'],
  ],
  [
    parseHandlebars,
    '{{#each l as |v i|}}{{v}}{{i}}{{@index}}{{n}}{{../m}}{{@root.r.s}}{{else}}{{o}}{{/each}}',
    ['l', 'm', 'r.s', 'o'],
    [],
  ],
  [
    parseHandlebars,
    '{{#with w as |q|}}{{q}}{{k}}{{../k}}{{else}}{{e}}{{/with}}{{@root}}{{@state.count}}',
    ['w', 'k', 'e', '@state.count'],
    ['w'],
  ],
  [
    parseHandlebars,
    '{{lookup a key}}{{json b indent=width}}{{media url=photo}}{{#unless u}}{{/unless}}',
    ['a', 'key', 'b', 'width', 'photo', 'u'],
    ['u'],
  ],
  [parseHandlebars, '{{> p ctx k=v}}{{> p}}{{> q}}{{> gone}}', ['ctx', 'v', 'inner', 'k', 'z'], []],
])('%o: %s reads what it names', (parse, source, variables, guarded) => {
  const partials = { p: parseHandlebars('{{inner}}{{k}}{{> q}}'), q: parseHandlebars('{{z}}') };
  const found = surveyTree(parse(source), partials);
  expect(found).toMatchObject({ variables, guarded });
  expect(found.partials).toEqual(source.includes('> p') ? ['p', 'q', 'gone'] : []);
});

test('a default guards the variable before it, not the one it names', () => {
  expect(surveyTree(parseJinja('{{ a | default(b) }}'))).toMatchObject({ variables: ['a', 'b'], guarded: ['a'] });
});

test('a brace behind a path is not read as its end', () => {
  expect(splitPaths('{{ a }}}')).toBeUndefined();
  expect(splitPaths('{{ a }} }')).toEqual([{ segments: ['a'], path: 'a', offset: 0 }, ' }']);
  expect(compileTemplate('{"a": {{ a }}}').render({ a: 1 })).toBe('{"a": 1}');
});

test('a partial reads what only one of its uses gives it', () => {
  const { variables } = surveyTree(parseHandlebars('{{> p a=b}}{{> p}}'), { p: parseHandlebars('{{a}}') });
  expect(variables).toEqual(['b', 'a']);
});

test('a look-up finds no member that every object has', () => {
  const { lookup } = handlebarsLanguage.functions;
  expect([lookup?.run([{ a: 1 }, 'a'], {}), lookup?.run([{ a: 1 }, 'constructor'], {})]).toEqual([1, undefined]);
});
