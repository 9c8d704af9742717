import { expect, test } from 'vitest';
import type { AssertionInput, SelectInput } from '../../src/model/suite/own-code.ts';
import {
  type PromptfooCheck,
  type PromptfooCheckOptions,
  promptfooCheck,
  promptfooContext,
  promptfooFile,
  promptfooFunction,
  promptfooPrompt,
  promptfooTemplate,
  promptfooTransform,
  promptfooVars,
} from '../../src/promptfoo/promptfoo.ts';

const answer: SelectInput = {
  target: 'hi',
  text: 'hi',
  toolCalls: [],
  latencyMs: null,
  costUsd: null,
  args: { vars: { q: 'a' }, config: { c: 1 } },
  vars: { q: 'a' },
};

const calls: Partial<AssertionInput> = {
  target: '',
  text: '',
  toolCalls: [
    { name: 'add', arguments: { a: 1 } },
    { name: 'say', arguments: '{"b"' },
  ],
};

async function judge(check: PromptfooCheck, options?: PromptfooCheckOptions, input: Partial<AssertionInput> = {}) {
  return promptfooCheck(check, options)({ ...answer, ...input });
}

test.each<[returned: unknown, options: PromptfooCheckOptions | undefined, verdict: object]>([
  [true, undefined, { pass: true, reason: 'the check returned true' }],
  [false, undefined, { pass: false, reason: 'the check returned false' }],
  [true, { inverse: true }, { pass: false, reason: 'the check returned true' }],
  [false, { inverse: true }, { pass: true, reason: 'the check returned false' }],
  [0, undefined, { pass: false, score: 0, reason: 'the check returned 0' }],
  [0.1, undefined, { pass: true, score: 0.1, reason: 'the check returned 0.1' }],
  [-1, undefined, { pass: false, score: 0, reason: 'the check returned -1' }],
  [0.4, { threshold: 0.5 }, { pass: false, score: 0.4, reason: 'the check returned 0.4' }],
  [0.5, { threshold: 0.5 }, { pass: true, score: 0.5, reason: 'the check returned 0.5' }],
  [0, { threshold: 0 }, { pass: true, reason: 'the check returned 0' }],
  [7, { inverse: true }, { pass: false, reason: 'the check returned 7' }],
  [0, { inverse: true }, { pass: true, reason: 'the check returned 0' }],
  [{ pass: true, score: 2, reason: 'fine' }, undefined, { pass: true, score: 1, reason: 'fine' }],
  [{ pass: true, score: 0.5, reason: 'fine' }, { inverse: true }, { pass: false, score: 0.5, reason: 'fine' }],
  [{ pass: false, score: 0, reason: 'bad' }, { inverse: true }, { pass: true, reason: 'bad' }],
  // What says yes and no by itself stays so, and is no verdict.
  [{ pass: true, score: 0, reason: 'fine' }, undefined, { pass: true, score: 0, reason: 'fine' }],
  [
    {
      pass: false,
      score: 0.2,
      reason: 'bad',
      namedScores: { tone: 0.5, length: 1 },
      componentResults: [
        { pass: false, reason: 'rude' },
        { pass: true, reason: 'short' },
        { pass: false, reason: 3 },
        null,
        { pass: false, reason: 'late' },
      ],
    },
    undefined,
    { pass: false, score: 0.2, reason: 'bad; tone 0.5; length 1; rude; late' },
  ],
])('a check that returns %j with %j gives its verdict', async (returned, options, verdict) => {
  expect(await judge(() => returned, options)).toEqual(verdict);
});

test.each<[returned: unknown, shown: string]>([
  [undefined, 'undefined'],
  [null, 'null'],
  ['yes', '"yes"'],
  [Number.NaN, 'null'],
  [new RangeError('late'), 'RangeError: late'],
  [{ pass: 1, score: 1, reason: 'a' }, '{"pass":1,"score":1,"reason":"a"}'],
  [{ pass: true, score: '1', reason: 'a' }, '{"pass":true,"score":"1","reason":"a"}'],
  [{ pass: true, score: Number.POSITIVE_INFINITY, reason: 'a' }, '{"pass":true,"score":null,"reason":"a"}'],
  [{ pass: true, score: 1 }, '{"pass":true,"score":1}'],
  [{ pass: true, score: 1, reason: 'a', namedScores: 3 }, '{"pass":true,"score":1,"reason":"a","namedScores":3}'],
  [
    { pass: true, score: 1, reason: 'a', componentResults: {} },
    '{"pass":true,"score":1,"reason":"a","componentResults":{}}',
  ],
  ['x'.repeat(130), `"${'x'.repeat(119)}`],
])('a check that returns %j fails and shows that', async (returned, shown) => {
  const reason = `the check returned no boolean, number or {pass, score, reason}: ${shown}`;
  for (const inverse of [false, true])
    expect(await judge(() => returned, { inverse })).toEqual({ pass: false, reason });
});

test.each([{}, { inverse: true }])('a check that throws fails with %j', async (options) => {
  const fail = () => {
    throw new RangeError('too long');
  };
  expect(await judge(fail, options)).toEqual({ pass: false, reason: 'the check threw RangeError: too long' });
});

/** What the check is called with: the output and its context. */
async function seenBy(options: PromptfooCheckOptions, input: Partial<AssertionInput>): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  await judge((...given: unknown[]) => seen.push(...given), options, input);
  return seen;
}

test.each<[options: PromptfooCheckOptions, input: Partial<AssertionInput>, output: unknown]>([
  [{}, {}, 'hi'],
  [{}, { target: '{"a":1}' }, '{"a":1}'],
  [{ json: true }, { target: '{"a":1}' }, { a: 1 }],
  [{ json: true }, { target: '{"a":' }, '{"a":'],
  [{ json: true }, { target: { a: 1 } }, { a: 1 }],
  [{ state: true }, { target: { output: { a: 1 } } }, { a: 1 }],
  [{ state: true }, { target: null, text: 'told' }, 'told'],
  [{}, { ...calls, toolCalls: [] }, ''],
  [{}, { ...calls, text: 'told' }, ''],
  [{}, { ...calls, target: 'picked' }, 'picked'],
  [
    {},
    calls,
    [
      { type: 'function', function: { name: 'add', arguments: '{"a":1}' } },
      { type: 'function', function: { name: 'say', arguments: '{"b"' } },
    ],
  ],
])('a check with %j of the answer %j is given its output', async (options, input, output) => {
  expect((await seenBy(options, input))[0]).toEqual(output);
});

test.each<[options: PromptfooCheckOptions, input: Partial<AssertionInput>, context: object]>([
  [{}, {}, { vars: { q: 'a' }, config: { c: 1 } }],
  [{}, { args: null }, { vars: {}, config: {} }],
  [
    {},
    { args: { vars: { q: 'a' }, test: { description: 'd' } } },
    { vars: { q: 'a' }, config: {}, test: { description: 'd', vars: { q: 'a' } } },
  ],
  [
    { state: true },
    { target: { output: 'o', metadata: { m: 1 } } },
    {
      vars: { q: 'a' },
      config: { c: 1 },
      metadata: { m: 1 },
      providerResponse: { output: 'o', metadata: { m: 1 } },
    },
  ],
  [{ state: true }, { target: null }, { vars: { q: 'a' }, config: { c: 1 }, providerResponse: { output: 'hi' } }],
])('a check with %j of the answer %j is given its context', async (options, input, context) => {
  expect((await seenBy(options, input))[1]).toEqual(context);
});

test.each(['prompt', 'test', 'logProbs', 'provider', 'providerResponse', 'trace', 'metadata'])(
  'a check that reads context.%s, which is not known, makes the check errored',
  async (name) => {
    const message = `context.${name} of promptfoo is not given here: only vars and config are`;
    const read: PromptfooCheck = (_, context: Record<string, unknown>) => context[name] === undefined;
    await expect(judge(read)).rejects.toThrow(message);
    const use: PromptfooCheck = (_, context: Record<string, { length: number }>) => context[name]?.length === 3;
    await expect(judge(use)).rejects.toThrow(message);
    const fail: PromptfooCheck = (_, context: Record<string, object>) => Object.keys(context[name] as object);
    await expect(judge(fail)).rejects.toThrow(message);
  },
);

test.each([
  ['metadata', { output: '', metadata: {} }, true],
  ['providerResponse', { output: '' }, true],
  ['metadata', { output: '' }, false],
])('a check may read context.%s of the state %j', async (name, target, isThere) => {
  const read: PromptfooCheck = (_, context: Record<string, unknown>) => context[name] !== undefined;
  expect(await judge(read, { state: true }, { target })).toMatchObject({ pass: isThere });
  const trace: PromptfooCheck = (_, context: Record<string, unknown>) => context['trace'];
  await expect(judge(trace, { state: true }, { target })).rejects.toThrow('context.trace of promptfoo');
});

test.each(['assert', 'options'])('a check that reads %s of its test makes the check errored', async (name) => {
  const args = { vars: {}, test: { description: 'd' } };
  const read: PromptfooCheck = (_, context: { test: Record<string, unknown> }) => context.test[name];
  await expect(judge(read, {}, { args })).rejects.toThrow(`context.${name} of promptfoo is not given here`);
  expect(await judge((_, { test }: { test: { vars: object } }) => 'q' in test.vars, {}, { args })).toMatchObject({
    pass: false,
  });
});

const one = () => 1;
const two = () => 2;

test.each<[file: Record<string, unknown>, name: string | undefined, found: PromptfooCheck]>([
  [{ default: one }, undefined, one],
  [{ default: { default: one } }, undefined, one],
  [{ named: one, default: two }, 'named', one],
  [{ default: { named: one } }, 'named', one],
  [{ named: one, default: { named: two } }, 'named', one],
])('the file %j exports the function %s', async (file, name, found) => {
  expect(promptfooFunction(file, name)).toBe(found);
  expect(await promptfooFile(file, name, { threshold: 5 })(answer)).toMatchObject({
    pass: false,
    reason: 'the check returned 1',
  });
  expect(await promptfooFile(file, name)(answer)).toMatchObject({ pass: true });
});

test.each<[file: Record<string, unknown>, name: string | undefined, message: string]>([
  [{}, undefined, 'the file exports no function'],
  [{ default: null }, undefined, 'the file exports no function'],
  [{ default: { named: one } }, undefined, 'the file exports no function'],
  [{ default: one, named: 3 }, 'named', 'the file exports no function called named'],
  [{ default: null }, 'named', 'the file exports no function called named'],
])('the file %j without the function %s is refused', (file, name, message) => {
  expect(() => promptfooFunction(file, name)).toThrow(new TypeError(message));
});

test.each<[code: string, vars: object, returned: unknown]>([
  ['output === "{{q}}"', { q: 'hi' }, true],
  ['"{{ q }}{{none}}" + context.vars.q', { q: 'b' }, 'bb'],
  ['const a = "{{q}}";\nreturn a + output;\n\n', { q: 'b' }, 'bhi'],
  ['output  \n', {}, 'hi'],
])('the template %j is code with the values of %j', (code, vars, returned) => {
  expect(promptfooTemplate(code)('hi', { vars })).toEqual(returned);
});

test('each step of a transform gets what the last one made', async () => {
  const steps = [
    (text: string) => ({ made: text }),
    ({ made }: { made: string }, { vars }: { vars: object }) => [made, vars],
  ];
  expect(await promptfooTransform(steps)(answer)).toEqual(['hi', { q: 'a' }]);
  expect(await promptfooTransform(steps, { text: true })(answer)).toBe('["hi",{"q":"a"}]');
  expect(await promptfooTransform([String], { text: true })(answer)).toBe('hi');
  expect(await promptfooTransform([], { json: true })({ ...answer, target: 'other', text: '{"a":1}' })).toEqual({
    a: 1,
  });
});

test('a transform of the state gets the output in it, and its metadata', async () => {
  const show: PromptfooCheck = (output: unknown, context: { metadata: unknown }) => ({
    output,
    metadata: context.metadata,
  });
  const transform = promptfooTransform([show], { state: true });
  expect(await transform({ ...answer, state: { output: { a: 1 }, metadata: { m: 1 } } })).toEqual({
    output: { a: 1 },
    metadata: { m: 1 },
  });
  await expect(transform(answer)).rejects.toThrow('context.metadata of promptfoo is not given to transforms');
  expect(await promptfooTransform([String], { state: true })(answer)).toBe('hi');
});

test.each<[step: PromptfooCheck, message: string]>([
  [() => undefined, 'the transform returned nothing'],
  [() => null, 'the transform returned nothing'],
  [
    (_, context: { prompt: unknown }) => String(context.prompt),
    'context.prompt of promptfoo is not given to transforms',
  ],
])('the transform %s is refused', async (step, message) => {
  await expect(promptfooTransform([step, () => 'later'])(answer)).rejects.toThrow(message);
});

test('a judge sees the context that code finds above the answer', async () => {
  const twice = (text: string) => [text, `${text}2`];
  expect(await promptfooContext([twice], [])(answer)).toBe('Context:\nhi\n\nhi2\n\nAnswer:\nhi');
  const steps: readonly PromptfooCheck[] = [(text: string) => ({ made: text })];
  expect(await promptfooContext([String], steps)(answer)).toBe('Context:\nhi\n\nAnswer:\n{"made":"hi"}');
  for (const returned of [[], '', ['a', ''], ['a', 3], 3, {}])
    await expect(promptfooContext([() => returned], [])(answer)).rejects.toThrow(
      'contextTransform returned no text and no list of texts',
    );
});

test.each<[returned: unknown, prompt: unknown]>([
  ['Say a', 'Say a'],
  ['[{"role":"user","content":"a"}]', [{ role: 'user', content: 'a' }]],
  [[{ role: 'user', content: 'a' }], [{ role: 'user', content: 'a' }]],
  [{ prompt: 'Say a' }, 'Say a'],
  [{ prompt: [{ role: 'user', content: 'a' }] }, [{ role: 'user', content: 'a' }]],
  ['[]', '[]'],
  ['{"a":1}', '{"a":1}'],
  ['[{"role":"user"},3]', '[{"role":"user"},3]'],
  ['[null]', '[null]'],
  ['[{"content":"a"}]', '[{"content":"a"}]'],
  ['a } b % c', 'a } b % c'],
  [{ config: { a: 1 } }, '{"config":{"a":1}}'],
  [[1, 2], '[1,2]'],
  [[], '[]'],
])('a function that returns %j makes the prompt %j', async (returned, prompt) => {
  expect(await promptfooPrompt({ default: () => returned })({})).toEqual(prompt);
});

test('a function that makes a prompt gets the variables and its config', async () => {
  const file = { named: (given: object) => JSON.stringify(given) };
  expect(await promptfooPrompt(file, 'named', { c: 1 })({ q: 'a' })).toBe('{"vars":{"q":"a"},"config":{"c":1}}');
  expect(await promptfooPrompt(file, 'named')({})).toBe('{"vars":{},"config":{}}');
});

test.each<[build: PromptfooCheck, message: string]>([
  [() => '{{q}}', 'the function returned a template, which is not rendered here'],
  [() => 'a {% if b %}', 'the function returned a template, which is not rendered here'],
  [() => ({ prompt: 'a', config: {} }), 'the function returned a config, which a prompt has no equivalent of here'],
  [({ provider }: { provider: unknown }) => String(provider), 'provider of promptfoo is not given to prompts here'],
])('the function %s makes no prompt', async (build, message) => {
  await expect(promptfooPrompt({ default: build })({})).rejects.toThrow(message);
});

test('a prompt is rendered with what transformVars makes of the variables', async () => {
  const change = (vars: { q: string }) => ({ q: vars.q.toUpperCase(), n: 2 });
  const vars = { q: 'a', kept: 'k' };
  expect(await promptfooVars(change, '{{q}}{{n}}{{kept}}{{none}}!')(vars)).toBe('A2k!');
  expect(await promptfooVars(change, "{{ q | default: 'x' }}{{ none | default: 'y' }}")({ q: '' })).toBe('y');
  const chat = [
    { role: 'system', content: 'Be {{n}}' },
    { role: 'user', content: '{{q}}' },
  ];
  expect(await promptfooVars(change, chat)(vars)).toEqual([
    { role: 'system', content: 'Be 2' },
    { role: 'user', content: 'A' },
  ]);
  expect(await promptfooVars(change, (all) => all)(vars)).toEqual({ q: 'A', n: 2, kept: 'k' });
  const spoil = (given: Record<string, unknown>) => {
    given['kept'] = 'spoiled';
    return { q: 'b' };
  };
  expect(await promptfooVars(spoil, '{{q}}{{kept}}')(vars)).toBe('bk');
});

test.each<[change: PromptfooCheck, message: string]>([
  [() => null, 'transformVars returned no variables'],
  [() => 'q', 'transformVars returned no variables'],
  [() => ({ q: 'file://a.txt' }), 'transformVars returned the name of a file, which is not read here'],
  [
    (_, context: { uuid: unknown }) => ({ q: String(context.uuid) }),
    'context.uuid of promptfoo is not given to transformVars here',
  ],
])('the change of variables %s is refused', async (change, message) => {
  await expect(promptfooVars(change, '{{q}}')({ q: 'a' })).rejects.toThrow(message);
});
