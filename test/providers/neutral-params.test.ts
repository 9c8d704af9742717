import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { readNeutralParams, rename, toList } from '../../src/providers/neutral-params.ts';

const none = { tools: [], nativeTools: [], rest: {} };
const parameters = { type: 'object' };

test.each<[params: JsonObject, neutral: object]>([
  [{}, none],
  [{ temperature: 0 }, { ...none, rest: { temperature: 0 } }],
  [
    { tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters, strict: true } }] },
    { ...none, tools: [{ name: 'f', description: 'd', parameters, strict: true }] },
  ],
  [{ tools: [{ name: 'f' }] }, { ...none, tools: [{ name: 'f' }] }],
  [{ tools: [{ name: 'f', description: 3, strict: 'x' }] }, { ...none, tools: [{ name: 'f' }] }],
  [
    {
      tools: [
        'f',
        { type: 'web_search' },
        { name: 3 },
        { name: 'f', input_schema: {} },
        { type: 'function', name: 'g' },
      ],
    },
    {
      ...none,
      tools: [{ name: 'g' }],
      nativeTools: ['f', { type: 'web_search' }, { name: 3 }, { name: 'f', input_schema: {} }],
    },
  ],
  [{ tools: 'all' }, { ...none, rest: { tools: 'all' } }],
  [{ tool_choice: 'auto' }, { ...none, toolChoice: 'auto' }],
  [{ tool_choice: 'none' }, { ...none, toolChoice: 'none' }],
  [{ tool_choice: 'required' }, { ...none, toolChoice: 'required' }],
  [{ tool_choice: 'any' }, { ...none, rest: { tool_choice: 'any' } }],
  [{ tool_choice: { type: 'function', function: { name: 'f' } } }, { ...none, toolChoice: { name: 'f' } }],
  [{ tool_choice: { type: 'function', name: 'f' } }, { ...none, toolChoice: { name: 'f' } }],
  [{ tool_choice: { type: 'tool', name: 'f' } }, { ...none, rest: { tool_choice: { type: 'tool', name: 'f' } } }],
  [{ tool_choice: { type: 'function' } }, { ...none, rest: { tool_choice: { type: 'function' } } }],
  [{ response_format: { type: 'json_object' } }, { ...none, format: 'json' }],
  [
    { response_format: { type: 'json_object', schema: {} } },
    { ...none, rest: { response_format: { type: 'json_object', schema: {} } } },
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { schema: parameters } } },
    { ...none, format: { name: 'answer', schema: parameters } },
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'n', schema: parameters, strict: false } } },
    { ...none, format: { name: 'n', schema: parameters, strict: false } },
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'n' } } },
    { ...none, rest: { response_format: { type: 'json_schema', json_schema: { name: 'n' } } } },
  ],
  [
    { response_format: { type: 'text', json_schema: { schema: {} } } },
    { ...none, rest: { response_format: { type: 'text', json_schema: { schema: {} } } } },
  ],
  [{ response_format: 'json' }, { ...none, rest: { response_format: 'json' } }],
])('the parameters %j mean the same on every API', (params, neutral) => {
  expect(readNeutralParams(params)).toEqual(neutral);
});

test('parameters are renamed, and a native spelling wins', () => {
  expect(rename({ a: 1, b: 2, toString: 3 }, { a: 'x', b: 'y' })).toEqual({ x: 1, y: 2, toString: 3 });
  expect(rename({ a: 1, x: 2 }, { a: 'x' })).toEqual({ x: 2 });
  expect(rename({ x: 2, a: 1 }, { a: 'x' })).toEqual({ x: 2 });
  expect([toList('END'), toList(['END']), toList(undefined), toList(null)]).toEqual([
    ['END'],
    ['END'],
    undefined,
    [null],
  ]);
});
