import { expect, test } from 'vitest';
import { readPicoschema } from '../../src/prompts/picoschema.ts';
import { compileBraces } from '../../src/prompts/prompt-template.ts';
import { findPromptProblems, readPrompt, renderPrompt } from './read-prompt.ts';

test('the suffix of a file tells its format in capitals too', async () => {
  expect((await readPrompt('NOTES.MD', 'Hi\n')).messages).toMatchObject([{ role: 'user', content: { source: 'Hi' } }]);
  expect(await renderPrompt('X.PROMPT', 'Hi {{a}}', { a: 'b' })).toMatchObject([{ role: 'user', content: 'Hi b' }]);
});

test('a value of a case comes before a default', () => {
  const template = compileBraces('{{a}} {{b}}', { name: 'braces', defaults: { a: 'x', b: 'y' } });
  expect(template.render({ a: 'own' })).toBe('own y');
});

test('lists and maps print sorted, as Go prints them', () => {
  expect(compileBraces('{{m}}', { name: 'braces' }).render({ m: { b: [1, 2], a: null } })).toBe('map[a:<nil> b:[1 2]]');
});

test('a partial may not choose a role by a variable', async () => {
  const files = (role: string) => ({ '_p.prompt': `{{role ${role}}}x` });
  expect(await findPromptProblems('x.prompt', '{{> p}}', files('a'))).toEqual(['1:1 invalid-template']);
  expect(await renderPrompt('x.prompt', '{{> p}}', {}, files('"system"'))).toMatchObject([{ role: 'system' }]);
});

test('a partial reads what it is not given', async () => {
  const files = { '_p.prompt': '{{a}} ' };
  const prompt = await readPrompt('x.prompt', '{{> p a=b}}{{> p}}', files);
  expect(prompt.whole?.variables.toSorted()).toEqual(['a', 'b']);
});

test('anything may be described', () => {
  expect(readPicoschema({ 'a?': 'any, what it is', b: 'any' })).toEqual({
    type: 'object',
    properties: { a: { description: 'what it is' }, b: {} },
    required: ['b'],
    additionalProperties: false,
  });
});

function prompty(data: string): string {
  return `---\nname: n\n${data}\n---\nuser:\n{{ a }}\n`;
}

test.each([
  ['a default', '${env:NAME:plain}', 'plain'],
  ['a default with colons', '${env:NAME:http://localhost:80/a}', 'http://localhost:80/a'],
  ['a file', '${file:v.txt}', 'text of it'],
])('a reference below a sample is resolved: %s', async (_title, reference, value) => {
  const files = { 'v.txt': 'text of it' };
  const { tests } = await readPrompt('x.prompty', prompty(`sample: { a: { version: "${reference}" } }`), files);
  expect(tests?.rows[0]?.value).toMatchObject({ vars: { a: { version: value } } });
});

test('a reference with an empty default has none', async () => {
  expect(await findPromptProblems('x.prompty', prompty('description: "${env:NAME:}"'))).toEqual(['3:14 environment']);
});

test.each(['jinja2', 'nunjucks', '{ format: jinja2 }', '{ format: { kind: nunjucks } }'])(
  'a template may be called %s',
  async (template) => {
    expect(await findPromptProblems('x.prompty', prompty(`template: ${template}`))).toEqual([]);
  },
);

test('inputs may be called inputSchema', async () => {
  const { input } = await readPrompt('x.prompty', prompty('inputSchema: { a: { type: string, required: true } }'));
  expect(input?.schema).toMatchObject({ properties: { a: { type: 'string' } } });
});
