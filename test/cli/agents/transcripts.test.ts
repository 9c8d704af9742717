import { describe, expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { blind, findOthers, path, runPrograms, shopPath } from '../../support/own-programs.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';
import {
  claude,
  claudeEvents,
  codex,
  codexEvents,
  gemini,
  geminiEvents,
  geminiJson,
  lines,
} from '../../support/transcripts.ts';

describe('a program that writes the transcript of an agent', () => {
  test('is checked by its steps, with tokens and cost', { tags: ['slow'] }, async () => {
    const cancelled = path('mcp__shop__find_order', 'mcp__shop__cancel_order');
    const run = await runPrograms({
      claude: { stdout: lines(...claudeEvents), assert: cancelled },
      list: { stdout: JSON.stringify(claudeEvents), assert: cancelled },
      greeting: { stdout: `Loaded credentials.\n${lines(...claudeEvents)}`, assert: cancelled },
      one: { stdout: JSON.stringify({ ...claude.result, num_turns: 1 }), assert: '{ trajectory: { steps: 1 } }' },
      inner: {
        stdout: lines(...claudeEvents.slice(0, 6), claude.inner, ...claudeEvents.slice(6)),
        assert: '{ trajectory: { counts: { Grep: 1 } } }',
      },
      codex: { stdout: lines(...codexEvents), assert: path('mcp__shop__find_order', 'command_execution') },
      gemini: { stdout: lines(...geminiEvents), assert: shopPath },
      json: { stdout: JSON.stringify(geminiJson, null, 2), assert: '{ trajectory: { steps: 1 } }, { equals: Done. }' },
    });
    const ids = ['claude', 'list', 'greeting', 'one', 'inner', 'codex', 'gemini', 'json'];
    expect(ids.map((id) => `${id} ${run.why(id)}`)).toEqual(ids.map((id) => `${id} passed: `));
    expect(run.code).toBe(0);
    // Both models of the run; tokens of the cache are input.
    const usage = {
      inputTokens: 1115,
      cachedInputTokens: 1000,
      cacheWriteTokens: 100,
      outputTokens: 57,
      costUsd: 0.25,
    };
    expect(run.row('claude')).toMatchObject({ usage, costUsd: 0.25, spentUsd: 0.25, model: 'claude-sonnet-4-5' });
    expect(run.row('claude')?.['trajectory']).toMatchObject([
      { text: 'I look it up.', calls: [{ name: 'mcp__shop__find_order', result: { content: 'open' } }] },
      { text: '', calls: [{ name: 'mcp__shop__cancel_order', result: { content: 'not allowed', isError: true } }] },
      { text: 'Done.', calls: [] },
    ]);
    expect(run.row('codex')).toMatchObject({
      usage: { inputTokens: 1200, cachedInputTokens: 200, outputTokens: 345 },
      costUsd: null,
      trajectory: [
        { calls: [{ rawArguments: '{"order_id":"7731"}', result: { content: 'open' } }] },
        { calls: [{ rawArguments: '{"command":"cancel 7731"}', result: { content: 'no\n', isError: true } }] },
        { text: 'Done.' },
      ],
    });
    // Thoughts are output too.
    expect(run.row('gemini')).toMatchObject({ usage: { inputTokens: 100, cachedInputTokens: 20, outputTokens: 70 } });
    expect(run.row('gemini')).toMatchObject({ costUsd: null, model: 'gemini-2.5-pro' });
  });

  test('has all its calls where a resumed session counts its items again', async () => {
    const status = 'completed';
    const ofTurn = (command: string) => [
      { type: 'thread.started', thread_id: 't' },
      { type: 'turn.started' },
      { type: 'item.started', item: { id: 'item_0', type: 'command_execution', command, status: 'in_progress' } },
      { type: 'item.completed', item: { id: 'item_0', type: 'command_execution', command, status, exit_code: 0 } },
      { type: 'item.completed', item: { id: 'item_1', type: 'agent_message', text: 'Done.' } },
      { type: 'turn.completed', usage: { input_tokens: 10, cached_input_tokens: 0, output_tokens: 5 } },
    ];
    const never = '{ trajectory: { never: { name: command_execution, args: { command: refund } } } }';
    const run = await runPrograms({
      refund: { stdout: lines(...ofTurn('refund'), ...ofTurn('look')), assert: never },
      cut: { stdout: lines(...ofTurn('refund').slice(0, 3), ...ofTurn('look')), assert: never },
      look: {
        stdout: lines(...ofTurn('look'), ...ofTurn('look')),
        assert: '{ trajectory: { counts: { command_execution: 2 }, steps: 4 } }',
      },
    });
    expect(run.why('refund')).toContain('calls command_execution({"command":"refund"}) at step 1');
    expect(run.why('cut')).toContain('calls command_execution({"command":"refund"}) at step 1');
    expect(run.why('look')).toBe('passed: ');
  });

  test('is priced by the suite where that sets a price', async () => {
    const keys = 'price: { input: 1000, output: 0 }, output: claude-code';
    const run = await runPrograms({ claude: { stdout: lines(...claudeEvents) } }, { keys });
    expect(run.row('claude')?.['costUsd']).toBeCloseTo(1.115);
  });

  test('never passes where the transcript is cut off, failed or not known', { tags: 'slow' }, async () => {
    const without = (events: readonly object[], ...left: object[]) =>
      lines(...events.filter((event) => !left.includes(event)));
    const run = await runPrograms({
      'claude-end': { stdout: without(claudeEvents, claude.result) },
      'claude-start': { stdout: without(claudeEvents, claude.init) },
      'claude-call': { stdout: without(claudeEvents, claude.find) },
      'claude-torn': { stdout: lines(...claudeEvents).replace('"type":"tool_use"', '"type":"tool_use') },
      'claude-part': { stdout: lines(...claudeEvents).replace('"type":"tool_use"', '"type":"new_tool"') },
      'claude-event': {
        stdout: lines(claude.init, { type: 'tool_call', subtype: 'started' }, ...claudeEvents.slice(1)),
      },
      'claude-result': { stdout: lines(claude.result) },
      'claude-more': { stdout: lines(...claudeEvents, claude.answer) },
      'claude-error': { stdout: lines({ ...claude.result, is_error: true, result: 'Credit balance is too low' }) },
      'claude-crash': { stdout: lines({ ...claude.result, subtype: 'error_during_execution', errors: ['boom'] }) },
      'codex-end': { stdout: without(codexEvents, codex.end) },
      'codex-start': { stdout: without(codexEvents, codex.thread) },
      'codex-failed': {
        stdout: lines(codex.thread, codex.turn, { type: 'turn.failed', error: { message: 'no quota' } }),
      },
      'codex-error': { stdout: lines(codex.thread, codex.turn, { type: 'error', message: 'stream lost' }) },
      'codex-mute': { stdout: lines(codex.thread, codex.turn, codex.end) },
      'gemini-end': { stdout: without(geminiEvents, gemini.result) },
      'gemini-call': { stdout: without(geminiEvents, gemini.find) },
      'gemini-error': {
        stdout: lines(gemini.init, { ...gemini.result, status: 'error', error: { type: 'X', message: 'quota' } }),
      },
      'gemini-json': {
        stdout: JSON.stringify({ ...geminiJson, stats: { ...geminiJson.stats, tools: { totalCalls: 2 } } }),
      },
      other: { stdout: lines({ type: 'step_start' }, { type: 'tool_use', part: {} }, { type: 'text', text: 'Done.' }) },
      text: { stdout: 'Done.\n' },
    });
    const wanted: Readonly<Record<string, string>> = {
      'claude-end': 'that ends without a result: it was cut off',
      'claude-start': 'without its beginning',
      'claude-call': 'with a tool\'s result for the call "t1", and no such call',
      'claude-torn': 'whose line 4 is no JSON object',
      'claude-part': 'line 4.content.0 of the type "new_tool"',
      'claude-event': 'line 2 is an event of the type "tool_call"',
      'claude-result': "only Claude Code's result, without the steps of its 3 turns; add --verbose",
      'claude-more': 'that ends without a result',
      'claude-error': 'reported that it failed: Credit balance is too low',
      'claude-crash': 'reported that it failed: Done.; boom',
      'codex-end': 'that ends without turn.completed: it was cut off',
      'codex-start': 'without its beginning',
      'codex-failed': 'reported that it failed: no quota',
      'codex-error': 'reported that it failed: stream lost',
      'codex-mute': 'without an answer',
      'gemini-end': 'that ends without a result',
      'gemini-call': 'for the call "f-1", and no such call',
      'gemini-error': 'reported that it failed: quota',
      'gemini-json': 'without the steps of its 2 tool calls',
      other: 'events that are no transcript llmcheck knows; known: claude -p',
      text: 'the program reports no steps',
    };
    expect(findOthers(wanted, run.why)).toEqual([]);
    expect(run.code).toBe(3);
  });

  test('fails its case where the agent stopped before its answer, whatever the exit code', async () => {
    const stopped = { ...claude.result, subtype: 'error_max_turns', is_error: true, num_turns: 41, result: undefined };
    const run = await runPrograms({
      claude: { stdout: lines(claude.init, claude.find, claude.found, stopped) },
      exit: { stdout: lines(claude.init, claude.find, claude.found, stopped), exit: 1 },
      gemini: {
        stdout: lines(gemini.init, {
          ...gemini.result,
          status: 'error',
          error: { type: 'FatalTurnLimitedError', message: 'max' },
        }),
        exit: 53,
      },
      codex: { stdout: lines(codex.thread, { type: 'turn.failed', error: { message: 'no quota' } }), exit: 1 },
      crash: { stdout: lines(claude.init, claude.find), exit: 1 },
    });
    for (const id of ['claude', 'exit']) {
      expect(run.why(id)).toBe('failed: sh say.sh stopped before its answer after 41 turns (error_max_turns)');
    }
    expect(run.why('gemini')).toBe('failed: sh say.sh stopped before its answer (max)');
    expect(run.why('codex')).toBe('errored: sh say.sh reported that it failed: no quota');
    expect(run.why('crash')).toBe('errored: sh say.sh ended with exit code 1 and wrote nothing on stderr');
  });

  test('that must be of one form is errored with any other', async () => {
    const asked = await runPrograms(
      { text: { stdout: 'Done.' }, codex: { stdout: lines(...codexEvents) } },
      { keys: 'output: claude-code' },
    );
    for (const id of ['text', 'codex']) {
      expect(asked.why(id)).toContain('wrote no transcript as "claude -p --output-format stream-json --verbose" does');
    }
    const text = await runPrograms(
      { claude: { stdout: lines(...claudeEvents), assert: '{ contains: rate_limit_event }' } },
      { keys: 'output: text' },
    );
    expect(text.code).toBe(0);
  });
});

test('an endpoint has a known path where its answer has a place for tool calls', async () => {
  const server = await startServer(() => ({ body: { text: 'Done.', calls: [] } }));
  onTestFinished(() => server.close());
  const checkHttp = async (toolCalls: string, tools = '') => {
    const project = openTempProject();
    project.write(
      'shop.eval.yaml',
      `suite: shop
prompts: [{ id: v1, text: "Cancel order 7731." }]
providers: [{ id: app, use: "http:bot", baseURL: "${server.url}", request: { q: "{{ prompt }}" }, response: { text: $.text${toolCalls} } }]
cases: [{ id: one, ${tools}assert: [${blind}] }]
`,
    );
    const { report } = await project.report(['run', '--no-baseline', 'shop.eval.yaml']);
    return trialsOf(report)[0]?.status;
  };
  const place = ', toolCalls: "$.calls[*]", toolName: $.name';
  const tools = 'tools: { issue_refund: { never: true } }, ';
  expect([await checkHttp(place), await checkHttp('')]).toEqual(['passed', 'errored']);
  expect([await checkHttp(place, tools), await checkHttp('', tools)]).toEqual(['passed', 'errored']);
});
