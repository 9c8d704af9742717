import { describe, expect, test } from 'vitest';
import { findOthers, path, runPrograms, type Said, shopPath } from '../../support/own-programs.ts';
import {
  aiSdkMessages,
  aiSdkOldSteps,
  aiSdkSteps,
  claudeEvents,
  langChain,
  langChainDicts,
  langChainObjects,
} from '../../support/transcripts.ts';

describe("a function that returns its framework's steps", () => {
  test('is checked by them', { tags: 'slow' }, async () => {
    const said: Readonly<Record<string, object>> = {
      langchain: { messages: langChain },
      dicts: { messages: langChainDicts },
      objects: { messages: langChainObjects },
      sdk: { steps: aiSdkSteps },
      old: { steps: aiSdkOldSteps },
      messages: { messages: aiSdkMessages },
    };
    const outputs = Object.entries(said).map(([id, answer]) => [
      id,
      { stdout: JSON.stringify(answer), assert: shopPath },
    ]);
    const run = await runPrograms(
      {
        ...(Object.fromEntries(outputs) as Record<string, Said>),
        events: {
          stdout: JSON.stringify({ messages: claudeEvents }),
          assert: path('mcp__shop__find_order', 'mcp__shop__cancel_order'),
        },
      },
      { module: true },
    );
    const ids = [...Object.keys(said), 'events'];
    expect(ids.map((id) => `${id} ${run.why(id)}`)).toEqual(ids.map((id) => `${id} passed: `));
    expect(run.row('langchain')).toMatchObject({ usage: { inputTokens: 60, outputTokens: 18, cachedInputTokens: 4 } });
    expect(run.row('sdk')).toMatchObject({ usage: { inputTokens: 30, outputTokens: 15 }, model: 'gpt-5-mini' });
    expect(run.row('old')).toMatchObject({ usage: { inputTokens: 30, outputTokens: 15 } });
    for (const id of ['langchain', 'objects', 'sdk', 'messages']) {
      const steps = run.row(id)?.['trajectory'];
      expect(steps).toMatchObject([
        { text: 'I look it up.' },
        { calls: [{ result: { content: 'no', isError: true } }] },
        {},
      ]);
    }
  });

  test('reports a final state, which checks read, also from the cache', { tags: 'slow' }, async () => {
    const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0.5 };
    const answer = { steps: [{ text: 'Done.' }], state: { orders: { 7731: 'cancelled' } }, usage };
    const assert = `{ trajectory: { state: { orders: { "7731": cancelled } } } }, { jsonPath: { path: "$.orders['7731']", value: cancelled }, select: state }`;
    const run = await runPrograms(
      {
        right: { stdout: JSON.stringify(answer), assert },
        wrong: {
          stdout: JSON.stringify({ ...answer, state: { orders: {} } }),
          assert: '{ trajectory: { state: { orders: { "7731": cancelled } } } }',
        },
      },
      { module: true },
    );
    expect(run.why('right')).toBe('passed: ');
    expect(run.why('wrong')).toMatch(/^failed: /);
    expect(run.row('right')).toMatchObject({ state: { orders: { 7731: 'cancelled' } }, costUsd: 0.5, usage });
    const again = await run.project.report(['run', '--no-baseline']);
    expect([again.report.totals.cached, again.report.totals.passed]).toEqual([2, 1]);
  });

  test('is errored where a part could hold a call that is not read', { tags: 'slow' }, async () => {
    const call = { toolCallId: 'a', toolName: 'issue_refund', input: {} };
    const wrong: Readonly<Record<string, readonly [object, string]>> = {
      role: [{ messages: [{ role: 'model', parts: [] }] }, 'messages.0 with the role "model"'],
      part: [{ messages: [{ role: 'assistant', content: [{ type: 'x' }] }] }, 'messages.0.content.0 of the type "x"'],
      name: [
        { messages: [{ role: 'assistant', tool_calls: [{ id: 'a' }] }] },
        'messages.0.tool_calls.0 that is a tool call without a name',
      ],
      calls: [{ messages: [{ role: 'assistant', content: 'a', toolCalls: [call] }] }, 'messages.0 with "toolCalls"'],
      ui: [{ messages: [{ role: 'assistant', parts: [{ type: 'tool-refund' }] }] }, 'messages.0 with "parts"'],
      empty: [{ messages: [{ role: 'assistant' }] }, 'messages.0, a message of the assistant without content'],
      lost: [
        {
          messages: [
            { role: 'assistant', content: 'Done.' },
            { role: 'tool', tool_call_id: 'z', content: 'x' },
          ],
        },
        'for the call "z", and no such call',
      ],
      untyped: [{ messages: [{ type: 'ai' }] }, 'messages.0, a message of the assistant without content'],
      sdk: [{ steps: [{ toolResults: [] }] }, 'steps.0 with neither content nor text nor toolCalls'],
      sdkpart: [
        { steps: [{ content: [{ type: 'tool-future', ...call }] }] },
        'steps.0.content.0 of the type "tool-future"',
      ],
      sdkerror: [{ steps: [{ content: [], finishReason: 'error' }] }, 'its last step ended with an error'],
    };
    const said = Object.entries(wrong).map(([id, [answer]]) => [id, { stdout: JSON.stringify(answer) }]);
    const run = await runPrograms(Object.fromEntries(said) as Record<string, Said>, { module: true });
    const wanted = Object.fromEntries(Object.entries(wrong).map(([id, [, words]]) => [id, words]));
    expect(findOthers(wanted, run.why)).toEqual([]);
  });
});
