import { expect, test } from 'vitest';
import {
  isMessageEvent,
  isModelCall,
  type OtelEvent,
  readAttributes,
  readBody,
  readConventions,
} from '../../../src/importing/traces/otel-conventions.ts';

const event = (attributes: object, name = ''): OtelEvent => ({ name, attributes: new Map(Object.entries(attributes)) });
const said = (role: string, content: string, calls: readonly object[] = []) => ({ role, content, calls });
const answer = (text: string | undefined, calls: readonly object[] = []) => ({ text, calls });
const call = { name: 'f', arguments: { a: 1 } };
const json = (value: unknown) => JSON.stringify(value);
const hi = [{ role: 'user', content: 'hi' }];
const refused = { refused: 'a message is not only text' };

test.each<[attributes: object, expected: boolean]>([
  [{ 'gen_ai.operation.name': 'chat' }, true],
  [{ 'gen_ai.operation.name': 'text_completion' }, true],
  [{ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.request.model': 'm' }, false],
  [{ 'openinference.span.kind': 'LLM' }, true],
  [{ 'openinference.span.kind': 'CHAIN', 'llm.model_name': 'm' }, false],
  [{ 'langfuse.observation.type': 'generation' }, true],
  [{ 'llm.request.type': 'chat' }, true],
  [{ 'gen_ai.request.model': 'm' }, true],
  [{ 'ai.model.id': 'm' }, true],
  [{ 'llm.model_name': 'm' }, true],
  [{ 'mlflow.spanType': 'CHAT_MODEL' }, true],
  [{ 'mlflow.spanType': 'TOOL' }, false],
  [{}, false],
])('%j is a call of a model: %s', (attributes, expected) => {
  expect(isModelCall(event(attributes).attributes)).toBe(expected);
});

test('a message has an event of its own', () => {
  const names = ['gen_ai.user.message', 'gen_ai.choice', 'gen_ai.user.messages', 'x.gen_ai.choice', 'gen_ai.message'];
  expect([undefined, ...names.map((name) => event({}, name))].map(isMessageEvent)).toEqual([
    false,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test.each<[what: string, events: readonly OtelEvent[], found: object | undefined]>([
  ['nothing', [event({ other: 1 })], undefined],
  [
    'lists of messages',
    [
      event({
        'gen_ai.system_instructions': 'Be brief.',
        'gen_ai.input.messages': json(hi),
        'gen_ai.output.messages': json([
          { role: 'assistant', content: 'a' },
          { role: 'assistant', content: 'b' },
        ]),
      }),
    ],
    { messages: [said('system', 'Be brief.'), said('user', 'hi')], answer: answer('b') },
  ],
  [
    'texts in the place of lists',
    [
      event({
        'gen_ai.input.messages': 'hi',
        'gen_ai.system.instructions': json([{ type: 'text', content: 's' }]),
        'gen_ai.output.messages': 'so',
      }),
    ],
    { messages: [said('system', 's'), said('user', 'hi')], answer: answer('so') },
  ],
  [
    'a list without an answer',
    [event({ 'gen_ai.input.messages': hi })],
    { messages: [said('user', 'hi')], answer: answer(undefined) },
  ],
  ['a list of what is no message', [event({ 'gen_ai.input.messages': [3] })], refused],
  [
    'instructions that are no text',
    [event({ 'gen_ai.input.messages': hi, 'gen_ai.system_instructions': [3] })],
    refused,
  ],
  [
    'attributes by place',
    [
      event({
        'gen_ai.prompt.0.role': 'user',
        'gen_ai.prompt.0.content': '[{"type":"text","text":"hi"}]',
        'gen_ai.completion.0.content': '',
        'gen_ai.completion.0.tool_calls.0.name': 'f',
        'gen_ai.completion.0.tool_calls.0.arguments': '{"a":1}',
      }),
    ],
    { messages: [said('user', 'hi')], answer: answer(undefined, [call]) },
  ],
  [
    'attributes by place, with prefixes at each level',
    [
      event({
        'llm.input_messages.0.message.role': 'user',
        'llm.input_messages.0.message.contents.0.message_content.type': 'text',
        'llm.input_messages.0.message.contents.0.message_content.text': 'hi',
        'llm.output_messages.0.message.role': 'assistant',
        'llm.output_messages.0.message.content': 'so',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.name': 'f',
        'llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments': '{"a":1}',
        'llm.prompt_template.variables': json({ q: 'hi' }),
      }),
    ],
    { messages: [said('user', 'hi')], answer: answer('so', [call]), vars: { q: 'hi' } },
  ],
  [
    'attributes by place without an answer',
    [event({ 'gen_ai.prompt.0.role': 'user', 'gen_ai.prompt.0.content': 'hi', 'gen_ai.prompt.2.content': 'x' })],
    undefined,
  ],
  ['attributes by place that are no message', [event({ 'gen_ai.prompt.0.content': 'hi' })], refused],
  [
    'a message of the AI SDK',
    [
      event({
        'ai.prompt.messages': json(hi),
        'ai.response.text': 'so',
        'ai.response.toolCalls': json([{ toolName: 'f', input: { a: 1 } }]),
      }),
    ],
    { messages: [said('user', 'hi')], answer: answer('so', [call]) },
  ],
  [
    'an object of the AI SDK',
    [
      event({
        'ai.prompt': json({ system: 's', prompt: 'hi' }),
        'ai.response.text': undefined,
        'ai.response.object': '{"a":1}',
      }),
    ],
    { messages: [said('system', 's'), said('user', 'hi')], answer: answer('{"a":1}') },
  ],
  [
    'a text of the AI SDK',
    [event({ 'ai.prompt': json({ prompt: 'hi' }), 'ai.response.text': 'so' })],
    { messages: [said('user', 'hi')], answer: answer('so') },
  ],
  ['no messages of the AI SDK', [event({ 'ai.prompt': json({ a: 1 }) })], refused],
  [
    'a request and an answer',
    [event({ 'llm.model_name': 'm', 'input.value': json({ messages: hi }), 'output.value': 'so' })],
    { messages: [said('user', 'hi')], answer: answer('so') },
  ],
  ['a request of something else', [event({ 'input.value': json({ messages: hi }), 'output.value': 'so' })], undefined],
  [
    'events of the content',
    [
      event({ 'gen_ai.input.messages': 'other' }),
      event({ 'gen_ai.prompt': json(hi) }, 'gen_ai.content.prompt'),
      event({ 'gen_ai.completion': json([{ role: 'assistant', content: 'so' }]) }, 'gen_ai.content.completion'),
    ],
    { messages: [said('user', 'hi')], answer: answer('so') },
  ],
  [
    'an event for each message',
    [
      event({ content: 's', role: 'customer' }, 'gen_ai.system.message'),
      event({ content: '"hi"' }, 'gen_ai.user.message'),
      event(
        { message: json({ content: 'so' }), tool_calls: json([{ function: { name: 'f', arguments: '{"a":1}' } }]) },
        'gen_ai.choice',
      ),
    ],
    { messages: [said('system', 's'), said('user', 'hi')], answer: answer('so', [call]) },
  ],
  [
    'a choice that is a text',
    [event({ content: 'hi' }, 'gen_ai.user.message'), event({ message: 'so' }, 'gen_ai.choice')],
    { messages: [said('user', 'hi')], answer: answer('so') },
  ],
  [
    'messages without a choice',
    [event({ content: 'hi' }, 'gen_ai.user.message')],
    { messages: [said('user', 'hi')], answer: answer(undefined) },
  ],
  ['an event that is no message', [event({ content: 3 }, 'gen_ai.user.message')], refused],
  [
    'events within an attribute',
    [
      event({
        events: json([
          { 'event.name': 'gen_ai.user.message', content: 'hi' },
          { content: 'x' },
          3,
          { 'event.name': 'gen_ai.choice', content: 'so' },
        ]),
      }),
    ],
    { messages: [said('user', 'hi')], answer: answer('so') },
  ],
  [
    'the content of an event within an attribute',
    [event({ 'gen_ai.event.content': json({ content: 'hi', role: 'user' }) }, 'gen_ai.user.message')],
    { messages: [said('user', 'hi')], answer: answer(undefined) },
  ],
])('%s is read', (_, events, found) => {
  expect(readConventions(events)).toEqual(found);
});

test('attributes are a map or a list, with or without types', () => {
  const value = (type: string, inner: unknown) => ({ [`${type}Value`]: inner });
  expect(
    Object.fromEntries(
      readAttributes([
        { key: 'a', value: value('string', 'x') },
        { key: 'b', value: value('array', { values: [value('int', '1'), value('bool', true)] }) },
        { key: 'c', value: value('kvlist', { values: [{ key: 'd', value: value('double', 0.5) }] }) },
        { key: 'e', value: value('array', {}) },
        { key: 'f', value: value('kvlist', null) },
        { key: 'g', value: { plain: 1 } },
        { key: 'h', value: { stringValue: 'x', more: 1 } },
        { key: 'i', value: 3 },
        { key: 4 },
        5,
      ]),
    ),
  ).toEqual({
    a: 'x',
    b: ['1', true],
    c: { d: 0.5 },
    e: [],
    f: {},
    g: { plain: 1 },
    h: { stringValue: 'x', more: 1 },
    i: 3,
  });
  expect(Object.fromEntries(readAttributes({ a: { b: { c: 1 }, d: [2] }, e: null }))).toEqual({
    'a.b.c': 1,
    'a.d': [2],
    e: null,
  });
  expect(readAttributes('text').size).toBe(0);
});

test.each<[body: unknown, attributes: object]>([
  ['text', { content: 'text' }],
  ['{"a":1}', { a: 1 }],
  [{ stringValue: '{"a":1}' }, { a: 1 }],
  [{ kvlistValue: { values: [{ key: 'a', value: { stringValue: 'x' } }] } }, { a: 'x' }],
  [3, {}],
])('the body %j of a log record is read', (body, attributes) => {
  expect(Object.fromEntries(readBody(body))).toEqual(attributes);
});
