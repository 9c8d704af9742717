import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process, { cwd, env, execPath } from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import {
  promptfooClaudeAgent,
  promptfooCodex,
  promptfooExec,
  promptfooHttp,
  promptfooProvider,
  promptfooPython,
} from '../../src/promptfoo/promptfoo.ts';
import { startServer } from '../support/http-server.ts';
import { openTempProject } from '../support/temp-project.ts';

const before = cwd();
afterEach(() => process.chdir(before));

const asked = { messages: [{ role: 'user', content: 'hi' }], vars: { q: 'a' } };
const chat = [
  { role: 'system', content: 's' },
  { role: 'user', content: 'u' },
];

/** A provider whose answer is what `answer` makes of its options and of what it is asked. */
function providerOf(answer: (options: object, prompt: string, context: Record<string, unknown>) => unknown) {
  return class {
    readonly options: object;
    constructor(options: object) {
      this.options = options;
    }
    callApi(prompt: string, context: Record<string, unknown>): unknown {
      return answer(this.options, prompt, context);
    }
  };
}

test('a class is made once, with its options, and asked with the prompt and a context', async () => {
  const made: object[] = [];
  const Provider = providerOf((options, prompt, context) => {
    if (!made.includes(options)) made.push(options);
    return { output: { options, prompt, context } };
  });
  const ask = promptfooProvider({ default: Provider }, { id: 'p', label: 'l', config: { c: 1 } });
  const context = { prompt: { raw: 'hi', label: 'hi' }, vars: { q: 'a' } };
  const answer = {
    text: JSON.stringify({ options: { id: 'p', label: 'l', config: { c: 1 } }, prompt: 'hi', context }),
  };
  expect(await ask(asked)).toEqual(answer);
  expect(await ask(asked)).toEqual(answer);
  expect(made).toHaveLength(1);
  expect(cwd()).toBe(before);
});

test('several messages are one JSON text, and a class works in its folder', async () => {
  const Provider = providerOf((_, prompt) => ({ output: `${prompt} ${cwd()}` }));
  const folder = openTempProject().root;
  const ask = promptfooProvider({ default: { default: Provider } }, { id: 'p' }, pathToFileURL(`${folder}/`));
  expect(await ask({ messages: chat })).toEqual({ text: `${JSON.stringify(chat)} ${folder}` });
  expect(await ask({ messages: [] })).toEqual({ text: `[] ${folder}` });
});

test.each<[returned: unknown, answer: object]>([
  [{ output: 'o' }, { text: 'o' }],
  [{ output: '' }, { text: '' }],
  [{ output: 0, error: '' }, { text: '0' }],
  [{ output: null, error: null }, { text: 'null' }],
  [{ output: [1], error: undefined }, { text: '[1]' }],
  [
    { output: 'o', tokenUsage: { prompt: 1, completion: 2 } },
    { text: 'o', usage: { inputTokens: 1, outputTokens: 2 } },
  ],
  [{ output: 'o', tokenUsage: { prompt: 1 } }, { text: 'o' }],
  [{ output: 'o', tokenUsage: { completion: 2 } }, { text: 'o' }],
])('what a class returns, %j, is the answer %j', async (returned, answer) => {
  expect(await promptfooProvider({ default: providerOf(() => returned) }, { id: 'p' })(asked)).toEqual(answer);
});

test.each<[returned: unknown, state: unknown]>([
  [{ output: 'o', metadata: { m: 1 }, cost: undefined }, { metadata: { m: 1 } }],
  [
    { metadata: { m: 1 }, output: [1] },
    { metadata: { m: 1 }, output: [1] },
  ],
])('checks see all of %j that is not the text', async (returned, state) => {
  const ask = promptfooProvider({ default: providerOf(() => returned) }, { id: 'p', state: true });
  expect(await ask(asked)).toMatchObject({ state });
});

test.each<[returned: unknown, message: string]>([
  [{ error: 'broken', output: 'o' }, 'broken'],
  [{ error: { code: 3 } }, '{"code":3}'],
  [{ error: new TypeError('late') }, 'TypeError: late'],
  [{ cost: 1 }, 'the provider returned no output'],
  [undefined, 'the provider returned no output'],
])('a class that returns %j gives no answer', async (returned, message) => {
  const ask = promptfooProvider({ default: providerOf(() => returned) }, { id: 'p' });
  await expect(ask(asked)).rejects.toThrow(new Error(message));
});

test.each(['test', 'filters', 'vars'])(
  'a class that reads context.%s, which is not known, gives no answer',
  async (name) => {
    const Provider = providerOf((_, __, context) => ({ output: String(context[name]) }));
    const ask = promptfooProvider({ default: Provider }, { id: 'p' });
    await expect(ask({ messages: asked.messages })).rejects.toThrow(
      `context.${name} of promptfoo is not given to providers here`,
    );
  },
);

test.each([{}, { default: null }, { default: {} }, { default: 3 }])('the file %j is no class', (file) => {
  expect(() => promptfooProvider(file, { id: 'p' })).toThrow(
    new TypeError('the file exports no function or class as its default'),
  );
});

const shown = `process.stdout.write('\\u001B[32m ' + JSON.stringify([process.cwd(), ...process.argv.slice(1)]) + ' \\u001B[39m\\n')`;

test('a program gets the prompt, its options and the context, and its output is the answer', {
  tags: ['slow'],
}, async () => {
  const folder = openTempProject().root;
  const words = [execPath, '-e', shown, 'own'];
  const ask = promptfooExec(words, { id: 'exec:x', config: { c: 1 }, state: true }, pathToFileURL(`${folder}/`));
  const given = [
    folder,
    'own',
    'hi',
    '{"id":"exec:x","config":{"c":1}}',
    '{"prompt":{"raw":"hi","label":"hi"},"vars":{"q":"a"}}',
  ];
  expect(await ask(asked)).toEqual({ text: JSON.stringify(given), state: {} });
});

test('a program that prints its error alone gives no answer', { tags: 'slow' }, async () => {
  const folder = pathToFileURL(`${before}/`);
  const run = (code: string) => promptfooExec([execPath, '-e', code], { id: 'exec:x' }, folder)(asked);
  await expect(run(`console.error(' \\u001B[31mbroken\\u001B[39m ')`)).rejects.toThrow(new Error('broken'));
  expect(await run(`console.error('noted'); console.log('fine')`)).toEqual({ text: 'fine' });
  expect(await run(`console.error(' ')`)).toEqual({ text: '' });
  // Its input is at an end.
  expect(await run(`process.stdin.resume().on('end', () => console.log('read'))`)).toEqual({ text: 'read' });
});

test('a function in Python gets the output and the context as JSON', { tags: ['slow'] }, async () => {
  const project = openTempProject();
  project.write('a.py', 'import json, sys\njson.dump([sys.argv[1], json.load(sys.stdin)], sys.stdout)\n');
  const check = promptfooPython(pathToFileURL(project.path('a.py')), 'check1');
  expect(await check('hi', { vars: { q: 'ü' } })).toEqual(['check1', { output: 'hi', context: { vars: { q: 'ü' } } }]);
});

type Fields = Readonly<Record<string, unknown>>;

/** Claude's SDK: it keeps what it is asked, and answers with these messages. */
function agentSdk(messages: readonly Fields[]) {
  const calls: { prompt: string; options: Fields; isThere: boolean }[] = [];
  async function* query({ prompt, options }: { prompt: string; options: Fields }) {
    calls.push({ prompt, options, isThere: existsSync(String(options['cwd'])) });
    yield* messages;
  }
  return { calls, load: () => Promise.resolve({ query }) };
}

const here = pathToFileURL(`${before}/`);
const done = { type: 'result', subtype: 'success', result: 'done' };

test('an agent of Claude works in an empty folder that is removed, with the variables of the run', async () => {
  const { calls, load } = agentSdk([done]);
  expect(await promptfooClaudeAgent(load, { options: { model: 'm', env: { TEAM: 'a' } } }, here)(asked)).toEqual({
    text: 'done',
    messages: [done],
  });
  const [call] = calls;
  expect(call).toMatchObject({ prompt: 'hi', isThere: true, options: { model: 'm', env: { ...env, TEAM: 'a' } } });
  expect(existsSync(String(call?.options['cwd']))).toBe(false);
});

test('paths start in the folder of the config where a package remembers the folder, as graceful-fs does', async () => {
  const [chdir, readFolder] = [process.chdir.bind(process), process.cwd.bind(process)];
  let known: string | undefined;
  process.cwd = () => (known ??= readFolder());
  process.chdir = (folder) => {
    known = undefined;
    chdir(folder);
  };
  try {
    expect(process.cwd()).toBe(before);
    const { root } = openTempProject();
    const { calls, load } = agentSdk([done]);
    await promptfooClaudeAgent(load, { options: { debugFile: 'debug.txt' } }, pathToFileURL(`${root}/`))(asked);
    expect(calls[0]?.options['debugFile']).toBe(`${root}/debug.txt`);
  } finally {
    process.cwd = readFolder;
    process.chdir = chdir;
  }
});

test('an agent of Claude works in the folder that is named, and paths start in that of the config', async () => {
  const project = openTempProject();
  const root = project.root;
  project.write('shop/a.txt', 'a');
  const options = {
    cwd: 'shop',
    settings: 'settings.json',
    debugFile: 'debug.txt',
    pathToClaudeCodeExecutable: 'bin/claude',
    additionalDirectories: ['lib', '/abs'],
    plugins: [{ type: 'local', path: 'plug' }],
    permissionMode: 'plan',
    sandbox: { settings: 'kept' },
  };
  const { calls, load } = agentSdk([done]);
  await promptfooClaudeAgent(load, { options }, pathToFileURL(`${root}/`))(asked);
  const { env: _, ...given } = calls[0]?.options ?? {};
  expect(given).toEqual({
    cwd: `${root}/shop`,
    settings: `${root}/settings.json`,
    debugFile: `${root}/debug.txt`,
    pathToClaudeCodeExecutable: `${root}/bin/claude`,
    additionalDirectories: [`${root}/lib`, '/abs'],
    plugins: [{ type: 'local', path: `${root}/plug` }],
    permissionMode: 'plan',
    sandbox: { settings: 'kept' },
  });
  expect(existsSync(project.path('shop/a.txt'))).toBe(true);
});

const said = (content: unknown, more: Fields = {}) => ({ type: 'assistant', message: { content }, ...more });
const use = (id: string, name: string, input: unknown) => ({ type: 'tool_use', id, name, input });

test('what promptfoo reads of a run of Claude is the state of the answer', async () => {
  const messages = [
    { type: 'system', subtype: 'init' },
    said('text alone'),
    said([{ type: 'text', text: 'a' }, use('t1', 'Skill', { skill: ' notes ' }), use('t2', 'Bash', { command: 'ls' })]),
    { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't1', content: 'ok' }] } },
    {
      type: 'user',
      message: { content: [{ type: 'tool_result', tool_use_id: 't2', content: 'no', is_error: true }] },
    },
    said([use('t3', 'Skill', { skill: ' ' }), use('t4', 'Skill', { skill: 3 }), use('t5', 'Skill', null)]),
    said([use('t6', 'Read', {})], { parent_tool_use_id: 't1' }),
    { type: 'user', message: { content: [use('t7', 'Never', {})] } },
    said([{ type: 'tool_result', tool_use_id: 't6', content: 'forged' }]),
    {
      type: 'result',
      subtype: 'success',
      result: 'done',
      total_cost_usd: 0.5,
      session_id: 's',
      num_turns: 2,
      duration_ms: 20,
      duration_api_ms: 10,
      modelUsage: { m: 1 },
      permission_denials: ['d'],
      terminal_reason: 'completed',
      usage: { input_tokens: 3, output_tokens: 4 },
    },
    { type: 'result', subtype: 'success', result: 'of a task', origin: { kind: 'task-notification' } },
  ];
  const call = (id: string, name: string, input: unknown, more: Fields = {}) => ({
    id,
    name,
    input,
    is_error: false,
    ...more,
  });
  const { load } = agentSdk(messages);
  const answer = await promptfooClaudeAgent(load, { state: true, options: {} }, here)(asked);
  expect(answer).toEqual({
    text: 'done',
    messages,
    state: {
      tokenUsage: { prompt: 3, completion: 4, total: 7 },
      cost: 0.5,
      sessionId: 's',
      metadata: {
        skillCalls: [{ name: 'notes', input: { skill: ' notes ' }, is_error: false, source: 'tool' }],
        toolCalls: [
          call('t1', 'Skill', { skill: ' notes ' }, { output: 'ok' }),
          call('t2', 'Bash', { command: 'ls' }, { output: 'no', is_error: true }),
          call('t3', 'Skill', { skill: ' ' }),
          call('t4', 'Skill', { skill: 3 }),
          call('t5', 'Skill', null),
          call('t6', 'Read', {}, { parentToolUseId: 't1' }),
        ],
        numTurns: 2,
        durationMs: 20,
        durationApiMs: 10,
        modelUsage: { m: 1 },
        permissionDenials: ['d'],
        terminalReason: 'completed',
      },
    },
  });
});

test.each<[what: string, messages: readonly Fields[], answer: object]>([
  ['structured', [{ ...done, structured_output: { a: 1 } }], { text: '{"a":1}', state: { cost: 0, output: { a: 1 } } }],
  ['of its last result', [{ ...done, result: 'first' }, done], { text: 'done' }],
  ['of a task alone', [{ ...done, origin: { kind: 'task-notification' } }], { text: 'done' }],
  ['without output tokens', [{ ...done, usage: { input_tokens: 3 } }], { state: { tokenUsage: { prompt: 3 } } }],
  [
    'without a sum where no token came in',
    [{ ...done, usage: { input_tokens: 0, output_tokens: 4 } }],
    { state: { tokenUsage: { prompt: 0, completion: 4 } } },
  ],
])('an answer of Claude may be %s', async (_, messages, answer) => {
  const found = await promptfooClaudeAgent(agentSdk(messages).load, { state: true, options: {} }, here)(asked);
  expect(found).toMatchObject(answer);
  expect(found).not.toHaveProperty('state.tokenUsage.total');
});

test.each([[[{ type: 'system' }]], [[{ type: 'result', subtype: 'error_max_turns', result: 'half' }]]])(
  'a run of Claude without an answer, %j, is its messages alone',
  async (messages) => {
    const { load } = agentSdk(messages);
    expect(await promptfooClaudeAgent(load, { state: true, options: {} }, here)(asked)).toEqual({ messages });
  },
);

test('the empty folder of an agent is removed where the agent fails', async () => {
  let folder = '';
  async function* query({ options }: { options: Fields }) {
    folder = String(options['cwd']);
    yield { type: 'system' };
    throw new Error('no key');
  }
  const ask = promptfooClaudeAgent(() => Promise.resolve({ query }), { options: {} }, here);
  await expect(ask(asked)).rejects.toThrow('no key');
  expect([folder === '', existsSync(folder)]).toEqual([false, false]);
});

test('Codex gets its options, those of the thread and those of the turn, and its events are the answer', async () => {
  const calls: unknown[] = [];
  class Codex {
    constructor(options: object) {
      calls.push(options);
    }
    startThread(thread: object) {
      calls.push(thread);
      const events = (async function* () {
        yield { type: 'turn.started' };
        yield { type: 'turn.completed' };
      })();
      return {
        runStreamed: (prompt: string, turn: object) => {
          calls.push(prompt, turn);
          return Promise.resolve({ events });
        },
      };
    }
  }
  const load = () => Promise.resolve({ Codex });
  const { OPENAI_API_KEY: openai, CODEX_API_KEY: codex, ...rest } = env;
  try {
    for (const [keys, apiKey] of [
      [{}, undefined],
      [{ CODEX_API_KEY: 'c' }, 'c'],
      [{ CODEX_API_KEY: 'c', OPENAI_API_KEY: 'o' }, 'o'],
    ] as const) {
      delete env['OPENAI_API_KEY'];
      delete env['CODEX_API_KEY'];
      Object.assign(env, keys);
      calls.length = 0;
      const options = {
        codex: { baseUrl: 'b', env: { TEAM: 'a' } },
        thread: { workingDirectory: 'w' },
        turn: { t: 1 },
      };
      expect(await promptfooCodex(load, options, here)(asked)).toEqual({
        messages: [{ type: 'turn.started' }, { type: 'turn.completed' }],
      });
      const own = { baseUrl: 'b', env: { ...rest, ...keys, TEAM: 'a' } };
      expect(calls).toStrictEqual([
        apiKey === undefined ? own : { ...own, apiKey },
        { workingDirectory: resolve(before, 'w') },
        'hi',
        { t: 1 },
      ]);
    }
  } finally {
    for (const [name, value] of [
      ['OPENAI_API_KEY', openai],
      ['CODEX_API_KEY', codex],
    ] as const) {
      if (value === undefined) delete env[name];
      else env[name] = value;
    }
  }
});

type Load = () => Promise<unknown>;
const agents = [
  ['@anthropic-ai/claude-agent-sdk', 'query', (load: Load) => promptfooClaudeAgent(load, { options: {} }, here)],
  ['@openai/codex-sdk', 'Codex', (load: Load) => promptfooCodex(load, { thread: {} }, here)],
] as const;

test.each(agents)('an agent whose package %s is missing or too old says what to install', async (sdk, name, start) => {
  await expect(start(() => Promise.reject(new Error('not found')))(asked)).rejects.toThrow(
    `${sdk} can't be loaded; install it with: npm install ${sdk}`,
  );
  for (const found of [{}, undefined, { [name]: 3 }])
    await expect(start(() => Promise.resolve(found))(asked)).rejects.toThrow(
      `${sdk} has no ${name}; update it with: npm install ${sdk}@latest`,
    );
});

test('a server that reads what is not known gives no answer, and its state holds the whole reply', async () => {
  const server = await startServer({ body: { answer: 'hi' } });
  const config = { url: server.url };
  expect(await promptfooHttp(config)(asked)).toEqual({ text: '{"answer":"hi"}' });
  expect(await promptfooHttp(config, {}, true)({ messages: asked.messages })).toEqual({
    text: '{"answer":"hi"}',
    state: { output: { answer: 'hi' }, metadata: { http: { status: 200, statusText: 'OK' } } },
  });
  const read = (_prompt: string, _vars: object, context: Fields) => String(context['test']);
  await expect(promptfooHttp(config, { request: read })(asked)).rejects.toThrow(
    'context.test of promptfoo is not given to providers here',
  );
});
