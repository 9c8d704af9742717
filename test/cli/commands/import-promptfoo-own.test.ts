import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { importConfig } from '../../support/import-config.ts';
import { plannedTrialsOf } from '../../support/temp-project.ts';

const tests = `tests: [{ vars: { q: 'say "hi"' }, assert: [{ type: equals, value: 'SAY "HI"' }] }]\n`;

test.each([
  ['POST', '"{{prompt}}"', '"{{q}}"', 'json.data[0].answer'],
  ['post', '"{{q}}"', '"{{ q }}"', '(json) => json.data[0].answer'],
  ['POST', '"{{ prompt }}"', '"{{q}}"', 'json?.data[0]["answer"]'],
  ['POST', '"{{ prompt }}"', '"{{q}}"', 'json.data?.[0]?.answer'],
])('a server of one’s own is asked by %s with the body %s', async (method, body, prompt, path) => {
  const server = await startServer((request) => ({
    body: { data: [{ answer: String((JSON.parse(request.body) as { text: string }).text).toUpperCase() }] },
  }));
  const { project, code, stderr, suite } = await importConfig(`prompts: [${prompt}]
providers:
  - id: https
    label: shop
    config:
      url: ${server.url}/ask
      method: ${method}
      headers: { Content-Type: application/json, Authorization: "Bearer {{env.SHOP_KEY}}", X-Team: a }
      body: { text: ${body}, model: small }
      transformResponse: ${JSON.stringify(path)}
      responseTimeout: 30000
${tests}`);
  expect(code).toBe(0);
  expect(stderr).toContain('"responseTimeout" is left out');
  expect(stderr).toContain('is sent as a text here');
  expect(suite?.['providers']).toMatchObject([
    { id: 'shop', use: 'http:shop', apiKeyEnv: 'SHOP_KEY', headers: { 'X-Team': 'a' } },
  ]);
  expect((await project.run(['run', '--no-baseline'], { env: { SHOP_KEY: 'k' } })).code).toBe(0);
  expect(server.requests.map((one) => [one.headers['authorization'], JSON.parse(one.body)])).toEqual([
    ['Bearer k', { text: 'say "hi"', model: 'small' }],
  ]);
});

test.each([
  ['method: POST, headers: { Cookie: abc }, body: { a: "{{prompt}}" }, transformResponse: json.a', 'COOKIE'],
  ['method: POST, headers: { Cookie: abc }, body: { a: "{{prompt | upper}}" }, transformResponse: json.a', 'COOKIE'],
  ['auth: { type: bearer, token: abc }, transformResponse: json.a', 'API_KEY'],
  ['request: "GET /a HTTP/1.1\\nHost: 127.0.0.1:9\\nCookie: abc\\n", transformResponse: json.a', 'COOKIE'],
])('a secret of { %s } is read from a variable', async (config, what) => {
  const { project, code, stderr, text } = await importConfig(
    `prompts: ["Say {{q}}"]\nproviders: [{ id: http, config: { url: "http://127.0.0.1:9/", ${config} } }]\n${tests}`,
  );
  expect(code).toBe(0);
  expect(stderr).toMatch(new RegExp(`promptfooconfig.yaml:2 into HOST_127_0_0_1_9_${what}`));
  const written = project.files('evals').map((file) => project.read(file));
  expect(written.join('\n')).toContain(`HOST_127_0_0_1_9_${what}`);
  expect(written.join('\n') + text + stderr).not.toContain('abc');
});

test('a webhook and a text-generation model are asked as promptfoo asks them', async () => {
  const server = await startServer(({ body, url }) => {
    const { prompt, inputs } = JSON.parse(body) as { prompt?: string; inputs?: string };
    return { body: url === '/hook' ? { output: prompt } : [{ generated_text: inputs }] };
  });
  const { project, code } = await importConfig(`prompts: ["{{q}}!"]
providers:
  - { id: "webhook:${server.url}/hook", config: { team: a } }
  - { id: "huggingface:text-generation:m", config: { apiEndpoint: "${server.url}/m", max_new_tokens: 5 } }
tests: [{ vars: { q: 'say "hi"' }, assert: [{ type: equals, value: 'say "hi"!' }] }]
`);
  expect(code).toBe(0);
  expect((await project.run(['run', '--no-baseline'], { env: { HF_TOKEN: 'k' } })).code).toBe(0);
  expect(server.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
    { prompt: 'say "hi"!', config: { team: 'a' } },
    { inputs: 'say "hi"!', parameters: { return_full_text: false, max_new_tokens: 5 } },
  ]);
});

test.each([
  ['method: POST, url: "http://127.0.0.1:9/", session: {}, body: { a: "{{prompt}}" }', '"session"'],
  ['url: "http://127.0.0.1:9/", auth: { type: oauth }', 'auth of the type "oauth"'],
  ['url: "http://127.0.0.1:9/", method: HEAD', 'the method HEAD'],
  ['method: POST', 'needs an address'],
  ['request: "GET / HTTP/1.1"', 'no HTTP request with a host'],
  ['url: "http://127.0.0.1:9/", queryParams: { q: "{{ q | nl2br }}" }', 'the filter "nl2br"'],
  ['url: "http://127.0.0.1:9/", transformResponse: "return json.a"', 'promptfoo fails on it'],
  ['url: "http://127.0.0.1:9/", transformResponse: "json => json.a"', 'promptfoo does not call this function'],
  ['url: "http://127.0.0.1:9/", transformResponse: "json.a); } (json.b"', 'promptfoo fails on it'],
  ['url: "http://127.0.0.1:9/", transformResponse: file://none.js', 'none.js'],
  ['url: "http://127.0.0.1:9/", transformResponse: "process.mainModule.require(\'fs\')"', 'loads a module'],
])('the server { %s } is refused', async (config, reason) => {
  const { code, stderr } = await importConfig(
    `prompts: ["Say {{q}}"]\nproviders: [{ id: http, config: { ${config} } }]\n${tests}`,
  );
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
});

const upper = `module.exports = class {
  constructor({ id, config }) { this.name = id; this.config = config; }
  id() { return this.name; }
  async callApi(prompt) {
    if (prompt === 'fail') return { error: 'broken' };
    return { output: (process.env.PREFIX || '') + this.config.left + prompt.toUpperCase(), tokenUsage: { prompt: 1, completion: 2 } };
  }
};
`;

test('a class of one’s own answers as in promptfoo, and its code is no part of what checks', {
  tags: ['slow'],
}, async () => {
  const { project, code, stderr, suite } = await importConfig(
    `prompts: ["{{q}}"]
providers: [{ id: "file://lib/upper.cjs", label: up, config: { left: "" } }]
tests:
  - { description: a, vars: { q: abc }, assert: [{ type: javascript, value: "output.length === 3 && output === 'ABC'" }] }
  - { description: b, vars: { q: fail }, assert: [{ type: equals, value: "" }] }
`,
    [],
    { 'lib/upper.cjs': upper },
  );
  expect(code).toBe(0);
  expect(stderr).toContain('sees only the variables under env; add PREFIX');
  expect(suite?.['providers']).toEqual([{ id: 'up', use: 'module:providers/x.mjs', export: 'provider1' }]);
  expect(project.read('evals/providers/x.mjs')).toContain(
    'promptfooProvider(file1, {"id":"file://lib/upper.cjs","label":"up","config":{"left":""},"state":true}, new URL("../../", import.meta.url))',
  );
  // What the module calls is found also where the project has not installed it.
  rmSync(project.path('node_modules'), { recursive: true });
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report).map(({ caseId, status }) => [caseId, status])).toEqual([
    ['a', 'passed'],
    ['b', 'errored'],
  ]);
});

test('a class of one’s own gets variables, and checks see all that it returns', { tags: 'slow' }, async () => {
  const { project, code, stderr, suite } = await importConfig(
    `prompts: ["{{q}}"]
providers: ["file://a.cjs"]
tests:
  - description: a
    vars: { q: hi, side: left }
    assert:
      - { type: javascript, value: "output.q === 'hi' && context.metadata.side === 'left'" }
      - { type: javascript, value: "context.providerResponse.output.folder && context.vars.side === 'left'" }
      - { type: python, value: "output['q'] == 'hi' and context['metadata']['side'] == 'left'" }
      - { type: contains, value: '"q":"hi"' }
      - { type: equals, value: hi, transform: JSON.parse(output).q }
`,
    [],
    {
      'a.cjs': `const { existsSync } = require('node:fs');
module.exports = class {
  callApi(prompt, { vars }) {
    return { output: { q: prompt, folder: existsSync('a.cjs') }, metadata: { side: vars.side, all: Object.keys(process.env).length } };
  }
};
`,
    },
  );
  expect(code).toBe(0);
  expect(stderr).toContain('all that it reads of process.env');
  expect(suite?.['providers']).toMatchObject([{ vars: ['q', 'side'] }]);
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report)).toMatchObject([{ status: 'passed' }]);
});

test('programs and Python functions answer and check as in promptfoo', { tags: ['slow'] }, async () => {
  const { project, code, suite } = await importConfig(
    `prompts: ["Say {{q}}"]
providers:
  - { id: "exec:node say.mjs", label: program, config: { loud: true } }
  - { id: "file://lib/say.py", label: snake, config: { loud: true } }
  - { id: "python:lib/say.py:own", label: other }
tests:
  - { description: a, vars: { q: hi }, providers: [program], assert: [{ type: equals, value: "Say hi true hi" }] }
  - { description: b, vars: { q: hi }, providers: [snake], assert: [{ type: python, value: "file://lib/checks.py:full" }] }
  - { description: c, vars: { q: "no" }, providers: [other], assert: [{ type: equals, value: "" }] }
`,
    [],
    {
      'say.mjs':
        'const [prompt, options, context] = process.argv.slice(2);\nconsole.log(prompt, JSON.parse(options).config.loud, JSON.parse(context).vars.q);\n',
      'lib/shared.py': 'def join(*parts):\n    return " ".join(parts)\n',
      'lib/say.py': `import shared
print("not part of the answer")

async def call_api(prompt, options, context):
    return {"output": {"text": shared.join(prompt, context["vars"]["q"])}, "metadata": options["config"], "tokenUsage": {"prompt": 1, "completion": 2}}

def own(prompt, options, context):
    return {"error": "broken"}
`,
      'lib/checks.py': `def full(output, context):
    return output == {"text": "Say hi hi"} and context["metadata"]["loud"] and context["providerResponse"]["tokenUsage"]["prompt"] == 1
`,
    },
  );
  expect(code).toBe(0);
  expect(suite?.['providers']).toEqual([
    { id: 'program', use: 'module:providers/x.mjs', export: 'provider1', files: ['../say.mjs'], vars: ['q'] },
    {
      id: 'snake',
      use: 'exec:python3 python/x.py provider1',
      files: ['../lib/say.py', '../lib/shared.py'],
      vars: ['q'],
      limits: { timeout: '5m' },
    },
    {
      id: 'other',
      use: 'exec:python3 python/x.py provider2',
      files: ['../lib/say.py', '../lib/shared.py'],
      vars: ['q'],
      limits: { timeout: '5m' },
    },
  ]);
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report).map(({ caseId, status }) => [caseId, status])).toEqual([
    ['a', 'passed'],
    ['b', 'passed'],
    ['c', 'errored'],
  ]);
});

test('a server gets variables, and its whole reply is checked', { tags: 'slow' }, async () => {
  const server = await startServer(({ body }) => ({ body: { got: JSON.parse(body) as object } }));
  const { project, stderr } = await importConfig(`prompts: [ask]
providers: [{ id: https, config: { url: ${server.url}, method: POST, body: { about: "{{q}}", text: "{{prompt}}" } } }]
tests: [{ vars: { q: a }, assert: [{ type: javascript, value: "output.got.about === 'a' && output.got.text === 'ask'" }] }]
`);
  expect(stderr).toContain('the answer is all of the reply');
  expect((await project.run(['run', '--no-baseline'])).code).toBe(0);
});

test('a variable without a default must be set before the code is asked', async () => {
  const { suite } = await importConfig(`prompts: ["{{q}}"]\nproviders: ["file://a.cjs"]\n${tests}`, [], {
    'a.cjs': 'module.exports = class { callApi() { return { output: process.env.MY_KEY }; } };\n',
  });
  expect(suite?.['providers']).toEqual([
    { id: 'a.cjs', use: 'module:providers/x.mjs', export: 'provider1', env: ['MY_KEY'] },
  ]);
});

test('columns of a CSV hold code and names of metrics', async () => {
  const { code, suite } = await importConfig('prompts: ["{{q}}"]\nproviders: [echo]\ntests: t.csv\n', [], {
    't.csv': 'q,__expected,__metric,__metadata:kind\nabc,javascript: output.length > 2,Long,x\n',
  });
  expect(code).toBe(0);
  expect(suite?.['cases']).toEqual([
    { vars: { q: 'abc' }, assert: [{ module: { value: 'checks/x.mjs', export: 'check1' }, name: 'Long' }] },
  ]);
});

test('red-team settings beside tests are a note, and alone they are refused', async () => {
  const redteam = 'prompts: ["{{q}}"]\nproviders: [echo]\nredteam: { plugins: [pii] }\n';
  expect((await importConfig(`${redteam}${tests}`)).stderr).toContain('"redteam" is left out');
  expect((await importConfig(redteam)).code).toBe(2);
});

test('functions that make prompts are called at the run, and not at the import', { tags: ['slow'] }, async () => {
  const { project, code, suite } = await importConfig(
    `prompts: ["file://lib/prompts.mjs:chat", "lib/prompts.py:say", { id: "file://lib/whole.cjs", config: { mark: "!" } }]
providers: [echo]
defaultTest: { assert: [{ type: icontains, value: "say hi" }] }
tests: [{ vars: { q: hi, extra: 1 } }, { vars: { q: "hi there" } }]
`,
    [],
    {
      'lib/prompts.mjs': `import { writeFileSync } from 'node:fs';
writeFileSync('ran', '');
export const chat = ({ vars }) => JSON.stringify([{ role: 'system', content: 'Be kind' }, { role: 'user', content: 'Say ' + vars.q }]);
`,
      'lib/prompts.py': 'def say(context):\n    return {"prompt": "Say " + context["vars"]["q"]}\n',
      'lib/whole.cjs': 'module.exports = ({ vars, config }) => `Say ${vars.q}${config.mark}${vars.extra ?? ""}`;\n',
    },
  );
  expect(code).toBe(0);
  expect(project.files().filter((file) => file.endsWith('ran'))).toEqual([]);
  expect(suite?.['prompts']).toEqual([
    { id: 'lib-prompts.mjs-chat', module: 'prompts/x.mjs', export: 'prompt1' },
    { id: 'lib-prompts.py-say', exec: 'python3 python/x.py prompt1' },
    { id: 'lib-whole.cjs', module: 'prompts/x.mjs', export: 'prompt2' },
  ]);
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report).map(({ status }) => status)).toEqual(Array(6).fill('passed'));
});

/** A stand-in for the package: it answers with the options that it gets. */
const agentSdk = {
  'node_modules/@anthropic-ai/claude-agent-sdk/package.json':
    '{"name":"@anthropic-ai/claude-agent-sdk","exports":{".":{"import":"./sdk.mjs"}}}',
  'node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs': `import { existsSync } from 'node:fs';
export async function* query({ prompt, options: { env, ...options } }) {
  const said = (content) => ({ type: 'assistant', message: { id: 'm', content }, parent_tool_use_id: null });
  yield { type: 'system', subtype: 'init' };
  if (prompt === 'fail') return yield { type: 'result', subtype: 'error_max_turns', num_turns: 3 };
  yield said([{ type: 'tool_use', id: 't1', name: 'Skill', input: { skill: 'notes' } }]);
  yield { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't1', content: 'ok' }] } };
  const result = JSON.stringify({ ...options, isThere: existsSync(options.cwd), key: env.ANTHROPIC_API_KEY, team: env.TEAM });
  yield { type: 'result', subtype: 'success', num_turns: 2, result, total_cost_usd: 0.5, usage: { input_tokens: 3, output_tokens: 4 } };
}
`,
};

test('an agent of Claude is asked over its SDK with the options that promptfoo gives it', {
  tags: ['slow'],
}, async () => {
  const config = (more: string) => `prompts: ["{{q}}"]
providers:
  - id: anthropic:claude-agent-sdk
    label: agent
    config:
      model: sonnet
      max_turns: 5
      append_allowed_tools: [Bash]
      systemPrompt: ignored
      env: { TEAM: a }
      additional_directories: [lib]
      mcp: { servers: [{ name: notes, command: node, args: [notes.js] }] }
${more}`;
  const { project, code, stderr, suite } = await importConfig(
    `${config('      working_dir: shop')}
  - { id: "anthropic:claude-code", label: chat, config: { apiKeyRequired: false, custom_system_prompt: short } }
tests:
  - description: a
    providers: [agent]
    vars: { q: hi }
    assert:
      - { type: javascript, value: "context.metadata.toolCalls[0].output === 'ok' && context.metadata.numTurns === 2" }
      - { type: javascript, value: "context.metadata.skillCalls[0].name === 'notes' && context.providerResponse.tokenUsage.total === 7" }
      - { type: javascript, value: "/shop$/.test(JSON.parse(output).cwd) && /lib$/.test(JSON.parse(output).additionalDirectories[0])" }
      - { type: javascript, value: "JSON.parse(output).isThere && JSON.parse(output).key === 'k' && JSON.parse(output).team === 'a'" }
      - { type: cost, threshold: 0.5 }
      - { type: skill-used, value: [notes] }
      - { type: skill-used, value: { name: notes, max: 1 } }
      - { type: not-skill-used, value: other }
  - { description: b, providers: [agent], vars: { q: fail }, assert: [{ type: not-contains, value: x }] }
  - { description: c, providers: [chat], vars: { q: hi }, assert: [{ type: javascript, value: "JSON.parse(output).isThere && JSON.parse(output).allowedTools.length === 0" }] }
`,
    [],
    { ...agentSdk, 'shop/a.txt': 'a' },
  );
  expect([code, stderr.match(/ error | which the project must have|"systemPrompt" is left out/g)]).toEqual([
    0,
    ['"systemPrompt" is left out', ' which the project must have', ' which the project must have'],
  ]);
  expect(suite?.['providers']).toMatchObject([
    { id: 'agent', use: 'module:providers/x.mjs', files: ['../shop', '../lib'], env: ['ANTHROPIC_API_KEY'] },
    { id: 'chat', limits: { timeout: '10m' } },
  ]);
  const { report } = await project.report(['run', '--no-baseline'], { env: { ANTHROPIC_API_KEY: 'k' } });
  expect(plannedTrialsOf(report).map(({ caseId, status }) => [caseId, status])).toEqual([
    ['a', 'passed'],
    ['b', 'failed'],
    ['c', 'passed'],
  ]);
});

test('Codex is asked over its SDK with the options that promptfoo gives it', { tags: ['slow'] }, async () => {
  const sdk = `export class Codex {
  constructor(options) { this.options = options; }
  startThread(thread) {
    const { apiKey, env } = this.options;
    const runStreamed = async (prompt, turn) => ({ events: (async function* () {
      yield { type: 'thread.started', thread_id: 't' };
      yield { type: 'turn.started' };
      const text = JSON.stringify({ prompt, turn, thread, apiKey, team: env.TEAM });
      yield { type: 'item.completed', item: { id: 'i1', type: 'agent_message', text } };
      yield { type: 'turn.completed', usage: { input_tokens: 3, cached_input_tokens: 0, output_tokens: 4 } };
    })() });
    return { runStreamed };
  }
}
`;
  const { project, code, suite } = await importConfig(
    `prompts: ["{{q}}"]
providers:
  - { id: "openai:codex:gpt-5-codex", label: codex, config: { working_dir: shop, sandbox_mode: read-only, cli_env: { TEAM: a }, output_schema: { type: object } } }
tests:
  - vars: { q: hi }
    assert:
      - { type: javascript, value: "/shop$/.test(JSON.parse(output).thread.workingDirectory) && JSON.parse(output).thread.model === 'gpt-5-codex'" }
      - { type: contains, value: '"sandboxMode":"read-only","model"' }
      - { type: contains, value: '"turn":{"outputSchema":{"type":"object"}}' }
      - { type: contains, value: '"apiKey":"k","team":"a"' }
`,
    [],
    {
      'node_modules/@openai/codex-sdk/package.json':
        '{"name":"@openai/codex-sdk","type":"module","exports":"./sdk.js"}',
      'node_modules/@openai/codex-sdk/sdk.js': sdk,
      'shop/a.txt': 'a',
    },
  );
  expect(code).toBe(0);
  expect(suite?.['providers']).toMatchObject([{ id: 'codex', files: ['../shop'], env: ['OPENAI_API_KEY'] }]);
  const { report } = await project.report(['run', '--no-baseline'], { env: { OPENAI_API_KEY: 'k' } });
  expect(plannedTrialsOf(report)).toMatchObject([{ status: 'passed' }]);
});

test.each([
  ['persist_threads: true', '"persist_threads" of Codex'],
  ['thread_id: t', '"thread_id" of Codex'],
  ['cli_env: { API_KEY: x }', 'holds a key'],
])('Codex with %s is refused', async (config, reason) => {
  const { code, stderr } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [{ id: openai:codex-sdk, config: { ${config} } }]\n${tests}`,
  );
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
});

test('a provider of a test beside providers with prompts is refused', async () => {
  const { stderr } = await importConfig(`prompts: [{ label: p, raw: "{{q}}" }]
providers: [{ id: openai:a, prompts: [p] }]
tests: [{ vars: { q: a }, provider: openai:x }]
`);
  expect(stderr).toContain('beside providers with prompts');
});
