import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import { findTranscript, readEvents, readTranscript } from '../../src/providers/code/transcripts/index.ts';
import { areAiSdkSteps, readAiSdkSteps } from '../../src/providers/code/transcripts/read-messages.ts';
import { type Transcript, TranscriptFault } from '../../src/providers/code/transcripts/read-parts.ts';
import {
  aiSdkMessages,
  aiSdkOldSteps,
  aiSdkSteps,
  claude,
  claudeEvents,
  codex,
  codexEvents,
  gemini,
  geminiEvents,
  geminiJson,
  langChain,
  langChainDicts,
  langChainObjects,
  lines,
} from '../support/transcripts.ts';

/** Each step as `text → name(arguments) = result`, with `!` after the result of a failed call. */
function show({ steps, ...rest }: Transcript) {
  const shown = steps.map(({ text, calls, usage }) => {
    const made = calls.map(
      ({ name, rawArguments, result }) =>
        ` → ${name}(${rawArguments})${result === undefined ? '' : ` = ${result.content}${result.isError === true ? '!' : ''}`}`,
    );
    return `${text}${made.join('')}${usage === undefined ? '' : ` [${Object.values(usage).join(' ')}]`}`;
  });
  return { steps: shown, ...rest };
}

function faultOf(read: () => unknown) {
  try {
    read();
  } catch (error) {
    if (error instanceof TranscriptFault) return { kind: error.kind, message: error.message, usage: error.usage };
    throw error;
  }
  throw new Error('It was read.');
}

const order = '{"order_id":"7731"}';
const claudeUsage = {
  inputTokens: 1115,
  outputTokens: 57,
  cachedInputTokens: 1000,
  cacheWriteTokens: 100,
  costUsd: 0.25,
};
const stop = { finishReason: 'stop' };

describe('the transcript of a program', () => {
  test.each<[name: string, events: readonly object[], transcript: object]>([
    [
      'Claude Code',
      claudeEvents,
      {
        steps: [
          `I look it up. → mcp__shop__find_order(${order}) = open`,
          ` → mcp__shop__cancel_order(${order}) = not allowed!`,
          'Done.',
        ],
        text: 'Done.',
        usage: claudeUsage,
        model: 'claude-sonnet-4-5',
        ...stop,
      },
    ],
    [
      'Claude Code that answers at once, in JSON, with a cost that is none',
      [{ ...claude.result, num_turns: 1, structured_output: { a: 1 }, modelUsage: {}, total_cost_usd: -1 }],
      {
        steps: ['{"a":1}'],
        text: '{"a":1}',
        usage: { inputTokens: 1110, outputTokens: 50, cachedInputTokens: 1000, cacheWriteTokens: 100 },
        ...stop,
      },
    ],
    [
      'Claude Code whose usage is not known, with messages without an id',
      [
        claude.init,
        { type: 'assistant', message: { content: [{ type: 'text', text: 'a' }] } },
        { type: 'tool_progress' },
        { type: 'assistant', message: { content: [{ type: 'text', text: 'b' }] } },
        { type: 'user', message: { content: 'plain' } },
        { ...claude.result, result: null, usage: {}, modelUsage: { m: {} } },
      ],
      { steps: ['a', 'b'], text: '', ...stop },
    ],
    [
      'Codex',
      codexEvents,
      {
        steps: [
          ` → mcp__shop__find_order(${order}) = open`,
          ' → command_execution({"command":"cancel 7731"}) = no\n!',
          'Done.',
        ],
        text: 'Done.',
        usage: { inputTokens: 1200, outputTokens: 345, cachedInputTokens: 200 },
        ...stop,
      },
    ],
    [
      'Codex with its other tools',
      [
        codex.thread,
        codex.turn,
        { type: 'item.completed', item: { id: 'm', type: 'agent_message', text: 'So:' } },
        { type: 'item.started', item: { id: 'a', type: 'file_change', changes: [1], status: 'in_progress' } },
        { type: 'item.started', item: { id: 'b', type: 'web_search', query: 'q', id2: 1 } },
        { type: 'item.completed', item: { id: 'a', type: 'file_change', changes: [1], status: 'declined' } },
        { type: 'item.completed', item: { id: 'b', type: 'web_search', query: 'q', status: 'completed' } },
        {
          type: 'item.completed',
          item: { id: 'c', type: 'collab_tool_call', tool: 'ask', prompt: 'p', result: { x: 1 } },
        },
        { type: 'item.completed', item: { id: 'd', type: 'future', note: 'n', error: { message: 'no' } } },
        {
          type: 'item.completed',
          item: { ...Object(codex.run.item), id: 'e', exit_code: 0, aggregated_output: undefined },
        },
        {
          type: 'item.completed',
          item: {
            ...Object(codex.find.item),
            id: 'f',
            arguments: undefined,
            result: { content: [], structured_content: [2] },
          },
        },
        { type: 'item.completed', item: { ...Object(codex.find.item), id: 'g', result: null, error: {} } },
        {
          type: 'turn.completed',
          usage: { input_tokens: 10, cached_input_tokens: 20, output_tokens: 5, reasoning_output_tokens: 9 },
        },
        { type: 'notice' },
      ],
      {
        steps: [
          'So: → file_change({"changes":[1]}) = declined! → web_search({"query":"q"}) = completed',
          ' → ask({"result":{"x":1},"prompt":"p"}) = {"x":1}',
          ' → future({"note":"n","error":{"message":"no"}}) = no!',
          ' → command_execution({"command":"cancel 7731"}) = ',
          ' → mcp__shop__find_order({}) = [2]',
          ` → mcp__shop__find_order(${order}) = failed!`,
        ],
        text: 'So:',
        usage: { inputTokens: 10, outputTokens: 5, cachedInputTokens: 10, reasoningTokens: 5 },
        ...stop,
      },
    ],
    [
      'Codex over two turns, the second of which begins with a call',
      [
        codex.thread,
        codex.turn,
        codex.find,
        codex.answer,
        codex.end,
        codex.turn,
        codex.found,
        codex.turn,
        codex.answer,
        codex.turn,
        codex.run,
        { type: 'turn.completed', usage: {} },
      ],
      {
        steps: [
          ` → mcp__shop__find_order(${order})`,
          'Done.',
          ` → mcp__shop__find_order(${order}) = open`,
          'Done.',
          ' → command_execution({"command":"cancel 7731"})',
        ],
        text: 'Done.',
        ...stop,
      },
    ],
    [
      'Gemini CLI',
      geminiEvents,
      {
        steps: [`I look it up. → find_order(${order}) = open`, ` → cancel_order(${order}) = no!`, 'Done.'],
        usage: { inputTokens: 100, outputTokens: 70, cachedInputTokens: 20 },
        model: 'gemini-2.5-pro',
        ...stop,
      },
    ],
    [
      'Gemini CLI without figures, with an output of an error',
      [gemini.init, gemini.cancel, { ...gemini.refused, output: 'o' }, { type: 'result', status: 'success' }],
      { steps: [` → cancel_order(${order}) = o!`], model: 'gemini-2.5-pro', ...stop },
    ],
    [
      'the JSON of Gemini CLI',
      [geminiJson],
      {
        steps: ['Done.'],
        text: 'Done.',
        usage: { inputTokens: 100, outputTokens: 70, cachedInputTokens: 20 },
        ...stop,
      },
    ],
  ])('%s', (_, events, transcript) => {
    expect(show(readEvents(events))).toEqual(transcript);
    const found = events.length > 1 ? findTranscript(lines(...events)) : readEvents(events);
    expect(found && show(found)).toEqual(transcript);
  });

  test.each<[name: string, events: readonly object[], kind: string, message: string, usage?: object]>([
    [
      'too many turns',
      [{ ...claude.result, subtype: 'error_max_turns' }],
      'stepLimit',
      'after 3 turns (error_max_turns)',
      claudeUsage,
    ],
    ['an error', [{ ...claude.result, is_error: true, errors: ['a', 5] }], 'server', 'failed: Done.; a', claudeUsage],
    [
      'an error without a word',
      [{ ...claude.result, subtype: 'error_x', result: undefined }],
      'server',
      'failed: error_x',
      claudeUsage,
    ],
    [
      'an event that may be a tool',
      [claude.init, { type: 'new_tool' }, claude.answer, claude.result],
      'malformed',
      'line 2 is an event of the type "new_tool"',
    ],
    [
      'an event with a message',
      [claude.init, { type: 'new', message: {} }, claude.answer, claude.result],
      'malformed',
      'line 2 is',
    ],
    ['a result before the last answer', [claude.init, claude.result, claude.answer], 'malformed', 'without a result'],
    ['a turn after the end', [...codexEvents, codex.turn], 'malformed', 'without turn.completed'],
    ['a failed turn', [codex.thread, { type: 'turn.failed' }], 'server', 'no reason given'],
    ['a lost stream', [...codexEvents, { type: 'error', message: 'gone' }], 'server', 'failed: gone'],
    [
      'a call of Codex without a name',
      [codex.thread, { type: 'item.started', item: { type: 'mcp_tool_call', server: 's' } }, codex.end],
      'malformed',
      'without a name',
    ],
    ['no answer of Codex', [codex.thread, codex.end], 'malformed', 'without an answer'],
    ['an event after the result of Gemini', [...geminiEvents, gemini.answer], 'malformed', 'without a result'],
    [
      'a limit of Gemini',
      [gemini.init, { ...gemini.result, status: 'error', error: { type: 'FatalTurnLimitedError' } }],
      'stepLimit',
      '(FatalTurnLimitedError)',
      { inputTokens: 100, outputTokens: 70, cachedInputTokens: 20 },
    ],
    [
      'an event of Gemini that may be a tool',
      [gemini.init, { type: 'tool_x' }, gemini.result],
      'malformed',
      'line 2 is an event of the type "tool_x"',
    ],
    ['no answer of Gemini', [gemini.init, gemini.warned, gemini.result], 'malformed', 'without an answer'],
    ['no beginning of Gemini', [gemini.answer, gemini.result], 'malformed', 'without its beginning'],
    [
      'JSON of Gemini with calls',
      [{ ...geminiJson, stats: { ...geminiJson.stats, tools: {} } }],
      'malformed',
      'of its tool calls',
    ],
    [
      'JSON of Gemini with an error',
      [{ ...geminiJson, error: { message: 'no' } }],
      'server',
      'failed: no',
      { inputTokens: 100, outputTokens: 70, cachedInputTokens: 20 },
    ],
  ])('with %s is a fault', (_, events, kind, message, usage) => {
    const fault = faultOf(() => readEvents(events));
    expect(fault).toEqual({ kind, message: expect.stringContaining(message), usage });
  });

  test('is found behind a greeting and blank lines; a text or one object of another program is none', () => {
    const greeted = `Hello.\n${lines(...geminiEvents).replaceAll('\n', '\r\n\r\n')}`;
    expect(findTranscript(greeted)?.steps).toHaveLength(3);
    expect(findTranscript(JSON.stringify(claudeEvents, null, 1))?.steps).toHaveLength(3);
    for (const text of [
      'Done.',
      '',
      '{"type":"a"}',
      '[1]',
      'a\n{"type":"a"}\n{"type":"b"}',
      '{"type":"a"}\nx',
      '{"type":"a"}\n{}',
    ]) {
      expect(findTranscript(text)).toBeUndefined();
    }
    expect(() => findTranscript('{"type":"a"}\n{"type":"b"}')).toThrow(TranscriptFault);
    expect(() => findTranscript(`${lines(...codexEvents)}\nx`)).toThrow('line 12 is no JSON object');
    expect(() => readTranscript(lines(...codexEvents), 'gemini-cli')).toThrow('which "output: gemini-cli" asks for');
    expect(() => readTranscript(`${lines(...codexEvents)}x`, 'codex')).toThrow('line 11 is no JSON object');
    expect(readTranscript(lines(...codexEvents), 'codex').text).toBe('Done.');
  });
});

const shop = [`I look it up. → find_order(${order}) = open`, ` → cancel_order(${order}) = no!`, 'Done.'];
const priced = (usages: readonly string[]) => shop.map((step, at) => `${step} [${usages[at]}]`);

describe('messages of a framework', () => {
  test.each<[name: string, messages: readonly object[], transcript: object]>([
    ...[langChain, langChainDicts, langChainObjects].map((messages): [string, readonly object[], object] => [
      'LangChain',
      messages,
      { steps: priced(['10 5 4', '20 6', '30 7']), usage: { inputTokens: 60, outputTokens: 18, cachedInputTokens: 4 } },
    ]),
    ['AI SDK', aiSdkMessages, { steps: [shop[0]?.replace('= open', '= {"state":"open"}'), ...shop.slice(1)] }],
    [
      'those after the last question, in old and new forms of calls',
      [
        { role: 'assistant', content: 'before' },
        { role: 'user', content: 'Q' },
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
        { role: 'function', name: 'f', content: 'r' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 'c', custom: { name: 'g', input: 'x' } }],
          function_call: { name: 'f' },
        },
        { role: 'tool', content: [{ type: 'tool_result', tool_use_id: 'c', content: ['y', { text: 'z' }] }] },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'd', name: 'h', input: {} }],
          additional_kwargs: { tool_calls: [{ id: 'd', function: { name: 'h', arguments: '{}' } }] },
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'd', content: [{ type: 'image' }], is_error: true }],
        },
        {
          type: 'AIMessageChunk',
          content: [{ type: 'refusal', refusal: 'No.' }, ' ', { type: 'reasoning' }],
          invalid_tool_calls: [{ name: 'i', args: '{' }],
        },
        {
          lc: 1,
          id: ['ChatMessage'],
          kwargs: { role: 'assistant', content: 'End', usage: { input_tokens: 1, output_tokens: 2 } },
        },
        { type: 'system', data: { content: 's' } },
        { type: 'remove', id: 'x' },
      ],
      {
        steps: [' → f({"a":1})', ' → g(x) = yz', ' → h({}) = [{"type":"image"}]!', 'No.  → i({)', 'End [1 2]'],
      },
    ],
    [
      'those before a reminder that comes right after a result',
      [
        { role: 'assistant', content: 'before' },
        { role: 'user', content: 'Q' },
        { role: 'assistant', content: null, tool_calls: [{ id: '0', name: 'a', args: {} }] },
        { role: 'tool', tool_call_id: '0', content: 'x' },
        { role: 'user', content: 'Go on.' },
        { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'b', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: 'y' }] },
        { role: 'user', content: 'Go on.' },
        { role: 'assistant', content: 'End' },
      ],
      { steps: [' → a({}) = x', ' → b({}) = y', 'End'] },
    ],
    [
      'calls that share an id, answered in order',
      [
        { role: 'assistant', content: '', tool_calls: [{ id: '0', name: 'a', args: {} }] },
        { role: 'tool', tool_call_id: '0', content: 'x' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [
            { id: '0', name: 'b', args: {} },
            { id: '1', name: 'c', args: {} },
          ],
        },
        { role: 'tool', tool_call_id: '0', content: 'y' },
        { role: 'tool', tool_call_id: '1', content: 'early' },
        { role: 'tool', tool_call_id: '1', content: null },
      ],
      { steps: [' → a({}) = x', ' → b({}) = y → c({}) = null'] },
    ],
  ])('%s', (_, messages, transcript) => {
    expect(show(readEvents(messages))).toEqual(transcript);
  });

  test.each<[name: string, messages: readonly object[], message: string]>([
    [
      'calls that are no list',
      [{ role: 'assistant', content: '', tool_calls: {} }],
      'messages.0 with tool_calls that are an object',
    ],
    [
      'a call that is none',
      [{ role: 'assistant', content: '', tool_calls: ['x'] }],
      'messages.0.tool_calls.0 that is "x"',
    ],
    ['a call with an empty name', [{ role: 'assistant', content: '', tool_calls: [{ name: '' }] }], 'without a name'],
    ['a content that is none', [{ role: 'assistant', content: 5 }], 'messages.0 with a content that is a number'],
    ['a part that is none', [{ role: 'assistant', content: [null] }], 'messages.0.content.0 that is null'],
    [
      'a text that is none',
      [{ role: 'assistant', content: [{ type: 'text' }] }],
      'messages.0.content.0 of the type "text"',
    ],
    [
      'a result without an id',
      [
        { role: 'assistant', content: '' },
        { role: 'tool', content: 'x' },
      ],
      "messages.1, a tool's message without the id",
    ],
    ['no role', [{ content: 'x' }], 'messages.0 with the role missing'],
    ['a role with the name of a method', [{ role: 'toString' }], 'with the role "toString"'],
    [
      'a question alone',
      [
        { role: 'assistant', content: 'x' },
        { role: 'user', content: 'y' },
      ],
      'no message of the assistant after',
    ],
    [
      'results that no call made',
      [
        { role: 'assistant', content: '', tool_calls: ['a', 'a', 'a'].map((id) => ({ id, name: 'f' })) },
        ...['x', 'y'].map((content) => ({ role: 'tool', tool_call_id: 'a', content })),
      ],
      'with 3 calls of the id "a" and 2 of their results',
    ],
  ])('with %s are a fault', (_, messages, message) => {
    expect(faultOf(() => readEvents(messages))).toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining(message),
    });
  });
});

describe('steps of the AI SDK', () => {
  const sdkShop = [shop[0]?.replace('= open', '= {"state":"open"}'), ...shop.slice(1)];

  test.each<[name: string, steps: readonly object[], transcript: object]>([
    [
      'from version 5 on',
      aiSdkSteps,
      {
        steps: sdkShop.map((step) => `${step} [10 5 4]`),
        usage: { inputTokens: 30, outputTokens: 15, cachedInputTokens: 12 },
        model: 'gpt-5-mini',
        ...stop,
      },
    ],
    [
      'of version 4',
      aiSdkOldSteps,
      {
        steps: [sdkShop[0], sdkShop[1]?.replace(' = no!', ''), 'Done.'].map((step) => `${step} [10 5]`),
        usage: { inputTokens: 30, outputTokens: 15 },
        ...stop,
      },
    ],
    [
      'with details of tokens, an unknown end and errors of each kind',
      [
        {
          text: 5,
          toolCalls: [
            { toolCallId: 'a', toolName: 'f', args: {} },
            { toolCallId: 'b', toolName: 'g', input: {} },
            { toolCallId: 'c', toolName: 'h', input: {} },
          ],
          toolResults: [
            { toolCallId: 'a', output: { type: 'error-text', value: 'x' } },
            { toolCallId: 'b', output: { type: 'execution-denied', reason: 'y' } },
            { type: 'tool-error', toolCallId: 'c', error: { message: 'z' } },
          ],
          usage: {
            inputTokens: 10,
            outputTokens: 5,
            inputTokenDetails: { cacheReadTokens: 20, cacheWriteTokens: 3 },
            outputTokenDetails: { reasoningTokens: 9 },
          },
        },
        {
          content: [
            { type: 'tool-call', toolCallId: 'd', toolName: 'i', input: {} },
            { type: 'tool-result', toolCallId: 'd', output: { type: 'other', value: 1 } },
          ],
          finishReason: 'new',
          usage: {},
        },
      ],
      {
        steps: [' → f({}) = x! → g({}) = y! → h({}) = z! [10 5 10 3 5]', ' → i({}) = {"type":"other","value":1}'],
        finishReason: 'other',
      },
    ],
  ])('%s', (_, steps, transcript) => {
    expect(areAiSdkSteps(steps as readonly JsonValue[])).toBe(true);
    expect(show(readAiSdkSteps(steps as readonly JsonValue[]))).toEqual(transcript);
  });

  test('are distinguished from steps of the documented form', () => {
    expect(areAiSdkSteps([{ text: 'a', toolCalls: [{ name: 'f' }] }, 'x'])).toBe(false);
    expect(areAiSdkSteps([{ toolResults: [] }])).toBe(true);
    const usage = { inputTokens: 1, outputTokens: 2 };
    expect(faultOf(() => readAiSdkSteps([{ content: [], finishReason: 'error', usage }]))).toMatchObject({
      kind: 'server',
      usage,
    });
    expect(faultOf(() => readAiSdkSteps([{ toolResults: [] }])).message).toContain('steps.0 with neither');
  });
});
