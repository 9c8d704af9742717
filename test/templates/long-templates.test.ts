import { beforeAll, describe, expect, test } from 'vitest';
import { parseHandlebars } from '../../src/templates/handlebars.ts';
import { parseJinja } from '../../src/templates/jinja-template.ts';
import { parseBraces } from '../../src/templates/languages.ts';
import { surveyTree } from '../../src/templates/survey-tree.ts';
import { compileTemplate, loadTemplateEngine } from '../../src/templates/template.ts';
import { TemplateError } from '../../src/templates/template-error.ts';
import { growsLinearly } from '../support/growth.ts';

beforeAll(loadTemplateEngine);

const languages = { Liquid: compileTemplate, Jinja: parseJinja, Handlebars: parseHandlebars, braces: parseBraces };

const maxLength = 1_000_000;

/** Runs of these took time that grew with the square of their number. */
const pieces = ['{{ a ', '{{ a | ', '{{ a | b: ', '{{{', '{% if a', '{% raw %}', '{#', '{{ a }}', '{%if a%}x{%endif%}'];

describe.each(Object.entries(languages))('%s', (_, parse) => {
  test.each(pieces)('reads %j any number of times in linear time', async (piece) => {
    const read = (count: number) => {
      try {
        parse(piece.repeat(count));
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
      }
    };
    expect(await growsLinearly(read, 2500)).toBe(true);
  });

  test('refuses a template of more than 1,000,000 characters, and says so', () => {
    const text = `{{ a }}${'x'.repeat(maxLength - 7)}`;
    parse(text);
    expect(() => parse(`${text}x`)).toThrow('the template has 1,000,001 characters, and 1,000,000 are the most');
  });
});

test.each<[name: string, read: (count: number) => unknown]>([
  ['spaces', (count) => parseJinja(' '.repeat(count))],
  ['roles', (count) => parseJinja('{{ a }}user:'.repeat(count / 10))],
  ['brackets', (count) => parseHandlebars(`{{ "${'['.repeat(count)}" }}`)],
])('a line of %s is read in linear time', async (_, read) => {
  expect(await growsLinearly(read, 12_000)).toBe(true);
});

test('a text without templates may be of any length', () => {
  const text = 'x'.repeat(maxLength + 1);
  expect(compileTemplate(text).render({})).toBe(text);
});

test('a Liquid template has at most 20,000 outputs and tags', () => {
  const source = `{% if a %}{% endif %}${'{{ a }}'.repeat(20_000)}`;
  expect(() => compileTemplate(source)).toThrow('the template has 20,002 outputs and tags, and 20,000 are the most');
});

test.each<[source: string, marks: number]>([
  ['{%if a%} {# c #}user:{%endif%} \nx', 1],
  ['{%if a%} {# c #}user:{%endif%} x', 0],
  ['{{ b }}user:', 0],
  ['a\n{# c #} {{ b }} :\n{{ b }}: x', 1],
  ['user:\nx\n # system :  \ny\nassistant', 2],
])('%j has %i role lines', (source, marks) => {
  expect(surveyTree(parseJinja(source)).marks).toHaveLength(marks);
});
