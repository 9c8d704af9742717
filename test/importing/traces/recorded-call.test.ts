import { expect, test } from 'vitest';
import { alignPrompt, readPromptParts } from '../../../src/importing/traces/align-prompt.ts';
import { describeOrigin, readAnswer, readJson, readRecordedCall } from '../../../src/importing/traces/recorded-call.ts';
import type { PromptVersion } from '../../../src/model/suite/suite.ts';
import { compileTemplate } from '../../../src/templates/template.ts';

const said = (role: string, content: string) => ({ role, content, calls: [] });
const hi = [{ role: 'user', content: 'hi' }];
const none = { text: undefined, calls: [] };
const refused = { refused: 'a message is not only text' };

test.each<[input: unknown, found: object]>([
  ['hi', { messages: [said('user', 'hi')], answer: none }],
  ['"hi"', { messages: [said('user', 'hi')], answer: none }],
  [hi, { messages: [said('user', 'hi')], answer: none }],
  [{ messages: JSON.stringify(hi) }, { messages: [said('user', 'hi')], answer: none }],
  [{ contents: hi }, { messages: [said('user', 'hi')], answer: none }],
  [
    { input: hi, instructions: 's' },
    { messages: [said('system', 's'), said('user', 'hi')], answer: none },
  ],
  [
    { messages: hi, system: [{ type: 'text', text: 's' }] },
    { messages: [said('system', 's'), said('user', 'hi')], answer: none },
  ],
  [
    { messages: hi, system: null },
    { messages: [said('user', 'hi')], answer: none },
  ],
  [
    { model: 'm', contents: 'hi', config: { system_instruction: 's' } },
    { messages: [said('system', 's'), said('user', 'hi')], answer: none },
  ],
  [
    { contents: hi, systemInstruction: { parts: [{ text: 's' }] } },
    { messages: [said('system', 's'), said('user', 'hi')], answer: none },
  ],
  [
    { model: 'm', input: 'hi', instructions: 's' },
    { messages: [said('system', 's'), said('user', 'hi')], answer: none },
  ],
  [{ input: 'hi' }, { messages: [], vars: { input: 'hi' }, answer: none }],
  [hi[0], { messages: [said('user', 'hi')], answer: none }],
  [{ messages: hi, system: 3 }, refused],
  [[3], refused],
  [{ messages: [3] }, refused],
  [{ prompts: ['hi'] }, { messages: [said('user', 'hi')], answer: none }],
  [{ prompts: ['a', 'b'] }, { messages: [], vars: { prompts: ['a', 'b'] }, answer: none }],
  [
    { prompt: 'hi', system: 's' },
    { messages: [said('system', 's'), said('user', 'hi')], answer: none },
  ],
  [{ prompt: 'hi' }, { messages: [], vars: { prompt: 'hi' }, answer: none }],
  [
    { args: [], kwargs: { q: 1 } },
    { messages: [], vars: { q: 1 }, answer: none },
  ],
  [{ q: 1 }, { messages: [], vars: { q: 1 }, answer: none }],
  [[], { refused: 'no messages were recorded' }],
  [undefined, { refused: 'no messages were recorded' }],
])('the input %j is read', (input, found) => {
  expect(readRecordedCall(input, undefined)).toEqual(found);
});

const call = { name: 'f', arguments: { a: 1 } };

test.each<[output: unknown, isOfFunction: boolean, answer: object]>([
  ['so', false, { text: 'so', calls: [] }],
  [{ role: 'assistant', content: 'so' }, false, { text: 'so', calls: [] }],
  [[...hi, { role: 'assistant', content: 'so' }, ...hi], false, { text: 'so', calls: [] }],
  [{ choices: [{ message: { role: 'assistant', content: 'so' } }] }, false, { text: 'so', calls: [] }],
  [{ choices: [], text: 'so' }, false, { text: '{"choices":[],"text":"so"}', calls: [] }],
  [{ text: 'so' }, false, { text: 'so', calls: [] }],
  [{ text: 'so', other: null }, false, { text: 'so', calls: [] }],
  [{ text: 'so', other: 1 }, false, { text: '{"text":"so","other":1}', calls: [] }],
  [{ text: 'so', other: 1 }, true, { text: 'so', calls: [] }],
  [{ odd: 'so' }, true, { text: 'so', calls: [] }],
  [{ odd: 'so' }, false, { text: '{"odd":"so"}', calls: [] }],
  ['{"odd": "so"}', false, { text: '{"odd": "so"}', calls: [] }],
  [[{ toolName: 'f', input: { a: 1 } }], false, { text: undefined, calls: [call] }],
  [['so'], false, { text: 'so', calls: [] }],
  [
    [
      { type: 'text', text: 'so' },
      { type: 'tool_use', name: 'f', input: { a: 1 } },
    ],
    false,
    { text: 'so', calls: [call] },
  ],
  [{ role: 'assistant', content: '', tool_calls: [call] }, false, { text: undefined, calls: [call] }],
  [
    {
      object: 'response',
      output: [
        { type: 'reasoning', summary: [] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'so', annotations: [] }] },
        { type: 'function_call', name: 'f', arguments: '{"a":1}', call_id: 'c' },
      ],
    },
    false,
    { text: 'so', calls: [call] },
  ],
  [{ object: 'other', output: ['so'] }, false, { text: '{"object":"other","output":["so"]}', calls: [] }],
  [
    { candidates: [{ content: { role: 'model', parts: [{ text: 'so' }] }, finishReason: 'STOP' }] },
    false,
    { text: 'so', calls: [] },
  ],
  [
    { content: { role: 'model', parts: [{ function_call: { name: 'f', args: { a: 1 } } }] }, finish_reason: 'STOP' },
    false,
    { text: undefined, calls: [call] },
  ],
  [{ content: { parts: [] }, other: 1 }, false, { text: '{"content":{"parts":[]},"other":1}', calls: [] }],
  [[1, 2], false, { text: '[1,2]', calls: [] }],
  [{ text: [1, 2] }, false, none],
  [3, false, none],
  [null, false, none],
  [{ text: { text: { text: { text: { text: { text: { text: { text: 'deep' } } } } } } } }, false, none],
  [{ text: { text: { text: { text: { text: { text: { text: 'deep' } } } } } } }, false, { text: 'deep', calls: [] }],
])('the output %j (of a function: %s) has its answer read', (output, isOfFunction, answer) => {
  expect(readAnswer(output, isOfFunction)).toEqual(answer);
});

test('a text that is JSON is read, and names say where a call came from', () => {
  expect([' {"a":1}', '[1]', '"x"', '3', '{a', 4].map(readJson)).toEqual([{ a: 1 }, [1], 'x', '3', '{a', 4]);
  expect(describeOrigin({ trace: 't', span: '', at: '2026', other: 3 })).toEqual(['trace t', '2026']);
});

const promptOf = (...sources: readonly string[]) =>
  ({
    messages: sources.map((source) => ({ role: 'user', template: compileTemplate(source) })),
  }) as unknown as PromptVersion;

/** The variables with which a prompt comes to this text; else why there are none. */
function align(source: string, text: string): unknown {
  const prompt = { messages: [{ role: 'user', template: { source, variables: [] } }] } as unknown as PromptVersion;
  const parts = readPromptParts(prompt);
  if ('refused' in parts) return parts.refused;
  const found = alignPrompt(parts.messages, [text]);
  return found.kind === 'one' ? Object.fromEntries(found.values) : found.kind;
}

test.each<[source: string, text: string, found: unknown]>([
  ['Say {{ q }}!', 'Say hi!', { q: 'hi' }],
  ['{{ q }}', '', { q: '' }],
  ['{{ a }}{{ a }}', 'xx', { a: 'x' }],
  ['{{ a }}{{ b }}', 'x', 'several'],
  ['{{ a.b }}-{{ a.c }}', 'x-y', { 'a.b': 'x', 'a.c': 'y' }],
  ['{{ q | json }}', '{"a":1}', { q: { a: 1 } }],
  ['{{ q | json }}', '{ "a": 1 }', 'none'],
  ['{{ q | json }} {{ q }}', '3 3', { q: 3 }],
  ['{{ q }} {{ q | json }}', '3 3', { q: 3 }],
  ['{{ q | append: "!" }}', 'hi!', { q: 'hi' }],
  ['{{ q | append: "!" }}', 'hi', 'none'],
  ["{{ q | prepend: 'so ' }}", 'so hi', { q: 'hi' }],
  ["{{ q | prepend: 'so ' }}", 'hi', 'none'],
  ['{{ q | default: "none" }}', 'hi', { q: 'hi' }],
  ['{{ q | default: "none" }}', 'none', 'several'],
  ['{{ q | default: "none" }}', '', 'none'],
  ['{{ q | append: "" | json }}', '"hi"', { q: 'hi' }],
  ['{{ q | json | json }}', 'x', 'the prompt has the filter "json", which can not be turned around'],
  ['{{ q | json | append: "x" }}', 'x', 'the prompt has the filter "append", which can not be turned around'],
  ['{{ q | append }}', 'x', 'the prompt has the filter "append", which can not be turned around'],
  ['{{ q | upcase }}', 'x', 'the prompt has the filter "upcase", which can not be turned around'],
  ['{{ 1 + 2 }}', 'x', 'the prompt has an expression, which can not be turned around'],
  ['{{ q', 'x', 'the prompt has an expression, which can not be turned around'],
  ['{% if q %}a{% endif %}', 'x', 'the prompt has logic ({% if %}), which can not be turned around'],
  ['{# note #}a', 'x', 'the prompt has comments, which can not be turned around'],
  ['{{ docs[0].title }}', 'x', 'the prompt reads items of a list, which can not be turned around'],
  ['{{ a }}{{ a.b }}', 'x', 'the prompt reads items of a list, which can not be turned around'],
])('the prompt %j came to %j with %j', (source, text, found) => {
  expect(align(source, text)).toEqual(found);
});

test('a prompt that sends files, or another number of messages, is not turned around', () => {
  const attached = { messages: [{ ...promptOf('a').messages[0], attach: ['x'] }] } as unknown as PromptVersion;
  expect(readPromptParts(attached)).toEqual({ refused: 'the prompt sends files, which traces do not hold' });
  expect(alignPrompt([['a'], ['b']], ['a'])).toEqual({ kind: 'none' });
  const expanded = { ...promptOf(' a '), expand: {} } as unknown as PromptVersion;
  expect([readPromptParts(promptOf(' a ')), readPromptParts(expanded)]).toEqual([
    { messages: [[' a ']] },
    { messages: [['a']] },
  ]);
});
