import { describe, expect, onTestFinished, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';
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
} from '../../support/transcripts.ts';

interface Said {
  readonly stdout: string;
  /** Default: a check that no path may fail. */
  readonly assert?: string;
  readonly exit?: number;
}

interface Options {
  /** Keys of the provider beside `use`. */
  readonly keys?: string;
  readonly module?: boolean;
}

/** A check that only a trajectory that was not read passes. */
const blind = '{ trajectory: { never: [never_called] } }';

/** Runs a case for each output of a program, by the case's id; as a module, the output is the value that it returns. */
async function runPrograms(said: Readonly<Record<string, Said>>, { keys = '', module = false }: Options = {}) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  for (const [id, { stdout, exit = 0 }] of Object.entries(said)) {
    project.write(`said/${id}.txt`, stdout);
    project.write(`said/${id}.exit`, String(exit));
  }
  project.write(
    'say.mjs',
    `import { readFileSync } from 'node:fs';
const { caseId } = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(readFileSync(\`said/\${caseId}.txt\`));
process.exitCode = Number(readFileSync(\`said/\${caseId}.exit\`, 'utf8'));
`,
  );
  project.write(
    'app.mjs',
    `import { readFileSync } from 'node:fs';
export default ({ caseId }) => JSON.parse(readFileSync(new URL(\`said/\${caseId}.txt\`, import.meta.url), 'utf8'));
`,
  );
  const use = module ? 'module:app.mjs' : 'exec:node say.mjs';
  const cases = Object.entries(said).map(
    ([id, { assert = blind }]) => `  - { id: ${id}, vars: { id: ${id} }, assert: [${assert}] }`,
  );
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "Cancel order 7731 of {{ id }}." }]
providers: [{ id: app, use: "${use}"${keys === '' ? '' : `, ${keys}`} }]
gate: { confirm: { budget: 0 } }
cases:
${cases.join('\n')}
`,
  );
  const run = await project.report(['run', '--no-baseline']);
  const byCase = new Map(trialsOf(run.report).map((trial) => [trial.caseId, trial]));
  const trial = (id: string) => {
    const found = byCase.get(id);
    if (found === undefined) throw new Error(`no trial of ${id}:\n${run.stderr}`);
    return found;
  };
  /** Why a case has no verdict, or why it fails. */
  const why = (id: string) => {
    const { status, error, checks } = trial(id);
    return `${status}: ${error?.message ?? checks.find(({ pass }) => !pass)?.reason ?? ''}`;
  };
  const [record = ''] = project.files('.llmcheck/runs');
  const rows = project
    .read(record)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const row = (id: string) => rows.find((found) => found['type'] === 'cell' && found['caseId'] === id);
  return { ...run, project, why, row };
}

/** Cases that are not errored with these words. */
function findOthers(wanted: Readonly<Record<string, string>>, why: (id: string) => string): readonly string[] {
  return Object.entries(wanted)
    .filter(([id, words]) => !why(id).startsWith('errored: ') || !why(id).includes(words))
    .map(([id]) => `${id} ${why(id)}`);
}

const path = (find: string, cancel: string) =>
  `{ trajectory: { calls: [{ name: ${find}, args: { order_id: "7731" } }, ${cancel}], order: exact, steps: 3 } }, { equals: Done. }`;

const shopPath = path('find_order', 'cancel_order');

describe('a program that writes the transcript of an agent', () => {
  test('is checked by its steps, with tokens and cost', async () => {
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

  test('is priced by the suite where that sets a price', async () => {
    const keys = 'price: { input: 1000, output: 0 }, output: claude-code';
    const run = await runPrograms({ claude: { stdout: lines(...claudeEvents) } }, { keys });
    expect(run.row('claude')?.['costUsd']).toBeCloseTo(1.115);
  });

  test('never passes where the transcript is cut off, failed or not known', async () => {
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
      expect(run.why(id)).toBe('failed: node say.mjs stopped before its answer after 41 turns (error_max_turns)');
    }
    expect(run.why('gemini')).toBe('failed: node say.mjs stopped before its answer (max)');
    expect(run.why('codex')).toBe('errored: node say.mjs reported that it failed: no quota');
    expect(run.why('crash')).toBe('errored: node say.mjs ended with exit code 1 and wrote nothing on stderr');
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
  const checkHttp = async (toolCalls: string) => {
    const project = openTempProject();
    project.write(
      'shop.eval.yaml',
      `suite: shop
prompts: [{ id: v1, text: "Cancel order 7731." }]
providers: [{ id: app, use: "http:bot", baseURL: "${server.url}", request: { q: "{{ prompt }}" }, response: { text: $.text${toolCalls} } }]
cases: [{ id: one, assert: [${blind}] }]
`,
    );
    const { report } = await project.report(['run', '--no-baseline', 'shop.eval.yaml']);
    return trialsOf(report)[0]?.status;
  };
  expect([await checkHttp(', toolCalls: "$.calls[*]", toolName: $.name'), await checkHttp('')]).toEqual([
    'passed',
    'errored',
  ]);
});

describe("a function that returns its framework's steps", () => {
  test('is checked by them', async () => {
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

  test('reports a final state, which checks read, also from the cache', async () => {
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

  test('is errored where a part could hold a call that is not read', async () => {
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
