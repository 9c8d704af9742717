import { expect, test } from 'vitest';
import {
  isCall,
  looksLikeMessages,
  readCall,
  readConversation,
  readMessage,
  readMessages,
  readTurn,
} from '../../../src/importing/data-sets/chat-messages.ts';

const call = { name: 'f', arguments: { a: 1 } };
const said = (role: string, content: string, calls: readonly object[] = []) => ({ role, content, calls });

test.each<[message: unknown, turn: object | undefined]>([
  [{ role: 'USER', content: 'a' }, said('user', 'a')],
  [{ from: 'gpt', value: 'a' }, said('assistant', 'a')],
  [{ role: 'model', parts: ['a', { text: 'b' }] }, said('assistant', 'ab')],
  [{ type: 'human', content: 'a' }, said('user', 'a')],
  [{ id: ['langchain', 'AIMessage'], kwargs: { content: 'a' } }, said('assistant', 'a')],
  [{ id: ['x'], type: 'ai', content: 'a' }, said('assistant', 'a')],
  [{ role: 'tool', content: 'a' }, said('tool', 'a')],
  [{ role: 'function', content: { b: 1 } }, said('tool', '{"b":1}')],
  [
    { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] },
    said('assistant', '', [call]),
  ],
  [{ role: 'assistant', tool_calls: [{ name: 'f', args: { a: 1 } }], content: 'so' }, said('assistant', 'so', [call])],
  [{ role: 'assistant', toolCalls: [{ toolName: 'f', input: { a: 1 } }], content: '' }, said('assistant', '', [call])],
  [
    { role: 'assistant', tool_calls: [], function_call: { name: 'f', arguments: { a: 1 } }, content: null },
    said('assistant', '', [call]),
  ],
  [
    { type: 'ai', content: '', additional_kwargs: { tool_calls: [{ name: 'f', arguments: { a: 1 } }] } },
    said('assistant', '', [call]),
  ],
  [
    { type: 'ai', content: '', additional_kwargs: { function_call: { name: 'f', arguments: { a: 1 } } } },
    said('assistant', '', [call]),
  ],
  [{ role: 'assistant', content: null, tool_calls: [{}] }, undefined],
  [{ role: 'assistant', content: null }, undefined],
  [{ role: 'assistant' }, undefined],
  [
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'x' },
        { type: 'Microsoft.Extensions.AI.TextReasoningContent', content: { text: 'x' } },
        { type: 'output_text', text: 'a' },
        { type: 'tool_use', name: 'f', input: { a: 1 } },
      ],
    },
    said('assistant', 'a', [call]),
  ],
  [{ role: 'model', parts: [{ functionCall: { name: 'f', args: { a: 1 } } }] }, said('assistant', '', [call])],
  [
    {
      role: 'user',
      content: [
        { type: 'tool_result', content: 'x' },
        { type: 'text', text: 'a' },
      ],
    },
    said('tool', 'a'),
  ],
  [{ role: 'model', parts: [{ function_call: { name: 'f', args: { a: 1 } } }] }, said('assistant', '', [call])],
  [{ role: 'model', parts: [{ text: 'x', thought: true }, { text: 'a' }] }, said('assistant', 'a')],
  [{ role: 'user', parts: [{ functionResponse: {} }] }, said('tool', '')],
  [{ role: 'user', parts: [{ function_response: {} }] }, said('tool', '')],
  [{ role: 'user', content: [{ type: 'text', content: 'a' }] }, said('user', 'a')],
  [{ role: 'user', content: [{ type: 'image', text: 'a' }] }, undefined],
  [{ role: 'user', content: [{ text: 3 }] }, undefined],
  [{ role: 'user', content: [3] }, undefined],
  [{ role: 'user', content: [] }, undefined],
  [{ role: 'user', content: 3 }, undefined],
  [{ role: 'narrator', content: 'a' }, undefined],
  [{ role: 'toString', content: 'a' }, undefined],
  [{ content: 'a' }, undefined],
  ['a', undefined],
])('the message %j is read', (message, turn) => {
  expect(readTurn(message)).toEqual(turn);
});

test('messages are texts, and conversations hold calls too', () => {
  const messages = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
  ];
  const withCall = [...messages, { role: 'assistant', content: '', tool_calls: [call] }];
  expect([readMessages(messages), readMessages([messages])]).toEqual([messages, messages]);
  expect(
    [withCall, [...messages, { role: 'tool', content: 'x' }], [], 'a', [messages, messages], [...messages, 3]].map(
      readMessages,
    ),
  ).toEqual(Array(6).fill(undefined));
  expect(readConversation(withCall)).toEqual([
    said('user', 'a'),
    said('assistant', 'b'),
    said('assistant', '', [call]),
  ]);
  expect([readMessage(messages[0]), readMessage(withCall[2]), readMessage('a')]).toEqual([
    messages[0],
    undefined,
    undefined,
  ]);
});

test.each<[value: unknown, expected: boolean]>([
  [[{ role: 'narrator' }], true],
  [[[{ role: 'narrator' }]], true],
  [[[{ role: 'a' }], [{ role: 'b' }]], false],
  [[{ role: 'a' }, { text: 'b' }], false],
  [[], false],
  ['a', false],
])('%j looks like messages: %s', (value, expected) => {
  expect(looksLikeMessages(value)).toBe(expected);
});

test.each<[part: unknown, isOne: boolean]>([
  [{ function: {} }, true],
  [{ toolName: 'f' }, true],
  [{ type: 'tool-call' }, true],
  [{ type: 'text' }, false],
  [{ name: 'f' }, false],
  ['f', false],
])('%j is a call of a tool: %s', (part, isOne) => {
  expect(isCall(part)).toBe(isOne);
});

test.each<[written: unknown, read: object | undefined]>([
  [{ name: 'f' }, { name: 'f', arguments: {} }],
  [
    { name: 'f', arguments: '{"a":' },
    { name: 'f', arguments: '{"a":' },
  ],
  [{ function: { name: 'f', arguments: { a: 1 } }, name: 'g' }, call],
  [{ name: 3 }, undefined],
  ['f', undefined],
])('the call %j is read', (written, read) => {
  expect(readCall(written)).toEqual(read);
});
