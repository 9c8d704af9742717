import { expect, test } from 'vitest';
import { startServer } from '../../support/http-server.ts';
import { importBase, importConfig } from '../../support/import-config.ts';
import { plannedTrialsOf } from '../../support/temp-project.ts';

const tests = 'tests: [{ vars: { q: a }, assert: [{ type: contains, value: a }] }]\n';

async function providerOf(provider: string, files: Readonly<Record<string, string>> = {}) {
  const { code, stderr, suite } = await importConfig(
    `prompts: ["{{q}}"]\nproviders:\n  - ${provider}\n${tests}`,
    ['--partial'],
    files,
  );
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const [found] = (suite?.['providers'] ?? []) as readonly unknown[];
  return { provider: found, stderr };
}

test.each([
  ['prompts.py:fn'],
  ['lib/p.js:fn'],
  ['x.js'],
  ['x.py'],
  ['x.mts:fn'],
  ['Say it like main.js'],
  ['exec:./prompt.sh'],
  ['langfuse://router:3'],
])('the prompt %s is code or stored elsewhere, and never a text', async (prompt) => {
  const { code, stderr, text } = await importConfig(`prompts: ["${prompt}"]\nproviders: [openai:chat:m]\n${tests}`);
  expect([code, text]).toEqual([2, '']);
  expect(stderr).toContain('promptfooconfig.yaml:1:11 error not-carried-over');
});

test.each([['Which is it, a/b?'], ['{{q}} in 3.5 words'], ['Answer in 1.5']])(
  'the prompt %s is a text',
  async (prompt) => {
    const { code, suite } = await importConfig(`prompts: ["${prompt}"]\nproviders: [openai:chat:m]\n${tests}`);
    expect([code, suite?.['prompts']]).toEqual([
      0,
      [expect.objectContaining({ text: prompt.replace('{{q}}', '{{ q }}') })],
    ]);
  },
);

const chat = { id: 'openai:m', use: 'openai:m' };

test.each<[provider: string, written: unknown]>([
  ['openai:chat:m', { ...chat, params: { temperature: 0, max_tokens: 1024 } }],
  [
    '{ id: openai:m, config: { temperature: 0.7, max_tokens: 5 } }',
    { ...chat, params: { temperature: 0.7, max_tokens: 5 } },
  ],
  ['{ id: openai:m, config: { omitDefaults: true } }', chat],
  [
    '{ id: openai:o3-mini, config: { temperature: 0.7, max_tokens: 5, max_completion_tokens: 9, reasoning_effort: low } }',
    { id: 'openai:o3-mini', use: 'openai:o3-mini', params: { max_completion_tokens: 9, reasoning_effort: 'low' } },
  ],
  [
    '{ id: openai:responses:gpt-5, config: { response_format: { type: json_schema, json_schema: { name: n, schema: { a: 1 } } }, verbosity: low, reasoning_effort: low, text: { a: 1 } } }',
    {
      id: 'openai:gpt-5',
      use: 'openai:gpt-5',
      api: 'responses',
      params: {
        text: { format: { type: 'json_schema', name: 'n', schema: { a: 1 }, strict: true }, verbosity: 'low' },
        reasoning: { effort: 'low' },
      },
    },
  ],
  [
    '{ id: openrouter:a/m, config: { provider: { order: [x] }, omitDefaults: true } }',
    { id: 'openrouter:a/m', use: 'openrouter:a/m', params: { provider: { order: ['x'] } } },
  ],
  ['openai:gpt-5-mini', { id: 'openai:gpt-5-mini', use: 'openai:gpt-5-mini' }],
  ['openai:gpt-5.1-codex', { id: 'openai:gpt-5.1-codex', use: 'openai:gpt-5.1-codex', api: 'responses' }],
  [
    '{ id: anthropic:messages:c, config: { thinking: { type: enabled, budget_tokens: 1024 } } }',
    {
      id: 'anthropic:c',
      use: 'anthropic:c',
      params: { max_tokens: 2048, thinking: { type: 'enabled', budget_tokens: 1024 } },
    },
  ],
  [
    '{ id: openai:m, config: { cost: 0.000001, timeout: 9000, maxRetries: 2, passthrough: { top_k: 3 }, showThinking: false } }',
    {
      ...chat,
      price: { input: 1, output: 1 },
      limits: { timeout: '9000ms', retries: 2 },
      params: { temperature: 0, max_tokens: 1024, top_k: 3 },
    },
  ],
  [
    '{ id: openai:m, config: { apiHost: models.example, apiKey: "{{ env.MY_KEY }}", headers: { X-Team: a, X-Key: "{{env.K}}" } } }',
    {
      ...chat,
      baseURL: 'https://models.example/v1',
      apiKeyEnv: 'MY_KEY',
      headers: { 'X-Team': 'a', 'X-Key': { env: 'K' } },
      params: { temperature: 0, max_tokens: 1024 },
    },
  ],
  [
    '{ id: openai:m, config: { apiBaseUrl: "https://models.example/v1", apiKey: "${MY_KEY}" } }',
    {
      ...chat,
      baseURL: 'https://models.example/v1',
      apiKeyEnv: 'MY_KEY',
      params: { temperature: 0, max_tokens: 1024 },
    },
  ],
  // promptfoo sends the usual key to any address.
  [
    '{ id: openai:m, config: { apiBaseUrl: "https://models.example/v1" } }',
    {
      ...chat,
      baseURL: 'https://models.example/v1',
      apiKeyEnv: 'OPENAI_API_KEY',
      params: { temperature: 0, max_tokens: 1024 },
    },
  ],
  [
    '{ id: azure:chat:d, config: { apiHost: x.openai.azure.com, apiVersion: 2024-10-21 } }',
    {
      id: 'azure:d',
      use: 'azure:d',
      baseURL: 'https://x.openai.azure.com',
      apiKeyEnv: 'AZURE_OPENAI_API_KEY',
      apiVersion: '2024-10-21',
      params: { temperature: 0, max_tokens: 1024 },
    },
  ],
  // The region that promptfoo asks by default.
  [
    'bedrock:converse:us.amazon.nova-lite-v1:0',
    { id: 'bedrock:us.amazon.nova-lite-v1:0', use: 'bedrock:us.amazon.nova-lite-v1:0', region: 'us-east-1' },
  ],
  [
    '{ id: "bedrock:converse:us.amazon.nova-lite-v1:0", config: { region: us-east-1, maxTokens: 9 } }',
    {
      id: 'bedrock:us.amazon.nova-lite-v1:0',
      use: 'bedrock:us.amazon.nova-lite-v1:0',
      region: 'us-east-1',
      params: { maxTokens: 9 },
    },
  ],
  [
    '{ id: "vertex:gemini-2.5-flash", config: { region: europe-west1, projectId: p } }',
    { id: 'vertex:gemini-2.5-flash', use: 'vertex:gemini-2.5-flash', location: 'europe-west1', project: 'p' },
  ],
  [
    '{ id: "ollama:chat:llama3:8b", config: { num_predict: 9 } }',
    { id: 'ollama:llama3:8b', use: 'ollama:llama3:8b', params: { max_tokens: 9 } },
  ],
  [
    '{ id: openai:m, config: { tools: "file://tools.json" } }',
    { ...chat, params: { temperature: 0, max_tokens: 1024, tools: [{ type: 'function', function: { name: 'f' } }] } },
  ],
  [
    '{ id: openai:m, config: { apiBaseUrl: "https://1.example/v1", apiKey: "${OWN_KEY}", omitDefaults: true } }',
    { ...chat, baseURL: 'https://1.example/v1', apiKeyEnv: 'OWN_KEY' },
  ],
  // promptfoo picks by name what it sends to Ollama.
  ['{ id: "ollama:chat:m", config: { system: Be kind, max_tokens: 5 } }', { id: 'ollama:m', use: 'ollama:m' }],
  ['{ id: "ollama:m", config: { apiBaseUrl: "http://a.example" } }', { id: 'ollama:m', use: 'ollama:m' }],
  ['echo', 'echo:prompt'],
  [
    'hf:chat:org/m',
    {
      id: 'openai:org/m',
      use: 'openai:org/m',
      baseURL: 'https://router.huggingface.co/v1',
      apiKeyEnv: 'HF_TOKEN',
      params: { temperature: 0, max_tokens: 1024 },
    },
  ],
  ['fireworks:m', { id: 'fireworks:m', use: 'fireworks:m', params: { temperature: 0, max_tokens: 1024 } }],
  [
    '{ id: moonshot:kimi-k2, config: { max_tokens: 5 } }',
    { id: 'moonshot:kimi-k2', use: 'moonshot:kimi-k2', params: { max_completion_tokens: 5 } },
  ],
  [
    '{ id: localai:chat:m, config: { top_p: 1 } }',
    { ...chat, baseURL: 'http://localhost:8080/v1', params: { temperature: 0.7 } },
  ],
  ['{ id: litellm:m, config: { seed: 7 } }', { ...chat, baseURL: 'http://0.0.0.0:4000', params: { seed: 7 } }],
  [
    '{ id: litellm:m, config: { apiBaseUrl: "https://models.example" } }',
    { ...chat, baseURL: 'https://models.example', apiKeyEnv: 'LITELLM_API_KEY' },
  ],
  [
    'hf:text-generation:org/m',
    {
      id: 'hf:text-generation:org/m',
      use: 'http:hf-text-generation-org-m',
      baseURL: 'https://router.huggingface.co/hf-inference/models/org/m',
      apiKeyEnv: 'HF_TOKEN',
      request: { inputs: '{{ prompt }}', parameters: { return_full_text: false } },
      response: { text: '$[0].generated_text' },
    },
  ],
])('the provider %s', async (provider, written) => {
  const files = { 'tools.json': '[{"type":"function","function":{"name":"f"}}]' };
  expect((await providerOf(provider, files)).provider).toEqual(written);
});

test.each([
  ['openai:realtime:gpt-realtime'],
  ['openai:transcription:whisper-1'],
  ['openai:image:dall-e-3'],
  ['openai:video:sora-2'],
  ['openai:embedding:text-embedding-3-large'],
  ['openai:moderation:omni-moderation-latest'],
  ['openai:assistant:asst_1'],
  ['openai:completion:gpt-3.5-turbo-instruct'],
  ['openai:gpt-4o-realtime-preview'],
  ['google:live:gemini-2.0-flash-exp'],
  ['google:gemini-2.5-flash-image'],
  ['bedrock:video:amazon.nova-reel-v1:1'],
  ['bedrock:amazon.nova-sonic-v1:0'],
  ['openai:codex-app-server'],
  ['vertex:claude-3-5-sonnet'],
  ['azure:foundry-agent:x'],
  ['mistral:embedding'],
])('%s is no chat with a text', async (id) => {
  const { code, stderr } = await importConfig(`prompts: ["{{q}}"]\nproviders: ["${id}"]\n${tests}`);
  expect(code).toBe(2);
  expect(stderr).toContain(`the provider "${id}" has no equivalent here`);
});

test('settings that nothing here can say are named, each once', async () => {
  const { provider, stderr } = await providerOf(
    '{ id: openai:m, config: { apiKey: secret-1, apiBaseUrl: "https://models.example/v1", foo: 1, timeout: 9s, deploymentName: x, extra_body: { a: 1 }, mcp: { enabled: true }, headers: { Authorization: Bearer abc } }, bar: 2 }',
  );
  expect(provider).toMatchObject({ ...chat, params: { temperature: 0, max_tokens: 1024 } });
  // A secret that is written out is the user's to put into a variable that only this server gets.
  expect(provider).toMatchObject({
    apiKeyEnv: 'MODELS_EXAMPLE_API_KEY',
    headers: { Authorization: { env: 'MODELS_EXAMPLE_AUTHORIZATION' } },
  });
  for (const name of [
    ':3 into MODELS_EXAMPLE_API_KEY',
    ':3 into MODELS_EXAMPLE_AUTHORIZATION',
    '"foo" is left out',
    '"mcp" of a provider',
    '"bar" of',
  ])
    expect(stderr.split(name)).toHaveLength(2);
  expect(stderr).not.toMatch(/secret-1|Bearer abc/);
});

test.each<[model: string, config: string, params: unknown]>([
  ['claude-sonnet-5', '', { max_tokens: 1024 }],
  ['claude-opus-4-8-20260401', 'temperature: 0.3, top_k: 4', { max_tokens: 1024 }],
  ['claude-opus-5', '', { max_tokens: 2048 }],
  ['claude-mythos-5', 'thinking: { type: disabled }', { max_tokens: 2048 }],
  [
    'claude-opus-4-7',
    'top_p: 0.5, thinking: { type: enabled, budget_tokens: 2000 }',
    { max_tokens: 2048, thinking: { type: 'adaptive' } },
  ],
  ['claude-sonnet-4-5', '', { max_tokens: 1024, temperature: 0 }],
  [
    'claude-sonnet-4-5',
    'effort: low, output_format: { type: json_schema, schema: { type: object } }',
    {
      max_tokens: 1024,
      temperature: 0,
      output_config: { format: { type: 'json_schema', schema: { type: 'object' } }, effort: 'low' },
    },
  ],
])('%s with { %s } gets the parameters that promptfoo sends', async (model, config, params) => {
  const { provider } = await providerOf(`{ id: "anthropic:messages:${model}", config: { ${config} } }`);
  expect(provider).toEqual({ id: `anthropic:${model}`, use: `anthropic:${model}`, params });
});

test.each([
  ['openai:m', 'secret-1', 'set OPENAI_API_KEY where llmcheck runs'],
  ['mistral:m', 'secret-1', 'set MISTRAL_API_KEY where llmcheck runs'],
  ['openai:m', '', ''],
])('the key of %s that is written as "%s" comes from the usual variable', async (id, key, note) => {
  const { provider, stderr } = await providerOf(`{ id: "${id}", config: { apiKey: "${key}", temperature: 0 } }`);
  expect(provider).toMatchObject({ id, use: id });
  expect(stderr).toContain(note);
  expect(stderr).not.toContain('secret-1');
  expect(stderr.includes('"apiKey"')).toBe(key !== '');
});

test('a dropped setting of a provider is a line of the summary', async () => {
  const { text } = await importConfig(
    `prompts: ["{{q}}"]\nproviders:\n  - { id: openai:m, config: { mcp: { enabled: true } } }\n${tests}`,
    ['--partial'],
  );
  expect(text).toContain('# Not carried over, by line:\n#   3:36     "mcp" of a provider runs code');
});

test('a judge may be a provider of the config, by its id or label, and code', { tags: 'slow' }, async () => {
  const rubric = (provider: string) => `{ type: llm-rubric, value: kind, provider: ${provider} }`;
  const { project, suite, code, stderr } = await importConfig(
    `prompts: ["{{q}}"]
providers:
  - { id: echo, label: echo }
  - { id: openai:a, label: first, config: { temperature: 1 } }
tests: [{ vars: { q: a }, providers: [echo], assert: [${rubric('file://judge.cjs')}] }, { vars: { q: b }, providers: [first], assert: [${rubric('first')}, ${rubric('openai:a')}] }]
`,
    [],
    {
      'judge.cjs': `module.exports = class {
  callApi(prompt) {
    return { output: { pass: JSON.parse(prompt)[1].content.includes('kind'), score: 1, reason: 'r' } };
  }
};
`,
    },
  );
  expect([code, stderr.includes('as a JSON text of messages')]).toEqual([0, true]);
  expect(suite?.['judges']).toMatchObject([
    { use: 'module:providers/x.mjs', export: 'provider1' },
    { use: 'openai:a', params: { temperature: 1 }, sameModel: true },
  ]);
  const { report } = await project.report(['run', '--no-baseline', '--provider', 'echo']);
  expect(plannedTrialsOf(report)).toMatchObject([{ status: 'passed' }]);
});

test('a judge keeps its address, its key and its parameters', async () => {
  const { suite, code, stderr } = await importConfig(`${importBase}defaultTest:
  options:
    provider:
      text:
        id: openai:chat:judge
        config: { apiBaseUrl: "http://127.0.0.1:9/v1", apiKeyEnvar: JUDGE_KEY, temperature: 0.2, headers: { X-A: b } }
tests:
  - { vars: { q: a }, assert: [{ type: llm-rubric, value: kind }] }
  - { vars: { q: b }, assert: [{ type: llm-rubric, value: kind, provider: { id: openai:judge, config: { apiHost: b.example } } }] }
  - { vars: { q: c }, assert: [{ type: llm-rubric, value: kind, provider: openai:o3 }, { type: llm-rubric, value: kind, provider: openrouter:j }] }
`);
  expect([code, stderr.includes('reasoning')]).toEqual([0, false]);
  expect(suite?.['judges']).toEqual([
    {
      id: 'judge-openai-judge',
      use: 'openai:judge',
      baseURL: 'http://127.0.0.1:9/v1',
      apiKeyEnv: 'JUDGE_KEY',
      headers: { 'X-A': 'b' },
      params: { temperature: 0.2, max_tokens: 1024 },
    },
    {
      id: 'judge-openai-judge-2',
      use: 'openai:judge',
      baseURL: 'https://b.example/v1',
      apiKeyEnv: 'OPENAI_API_KEY',
      params: { temperature: 0, max_tokens: 1024 },
    },
    // promptfoo sends it no temperature.
    { id: 'judge-openai-o3', use: 'openai:o3', params: { temperature: null } },
    { id: 'judge-openrouter-j', use: 'openrouter:j', params: { temperature: 0, max_tokens: 1024 } },
  ]);
});

test('keys that promptfoo ignores are notes; those that mean something are refused', async () => {
  const { code, stderr } = await importConfig(`${importBase}version: 2
env: { dotenvPath: ../.env }
defaultTest: { vars: { t: x }, colour: red, options: { shape: round } }
tests: [{ vars: { q: a }, category: simple, assert: [{ type: contains, value: a, note: hi }] }]
`);
  expect(code).toBe(0);
  for (const name of ['version', 'env.dotenvPath', 'colour', 'shape', 'category', 'note'])
    expect(stderr).toContain(`"${name}"`);
  for (const part of [
    'defaultTest: { providerOutput: x }',
    'defaultTest: { options: { transformVars: file://x.py } }',
    'extensions: [file://a.js:b]',
    'env: { OPENAI_TEMPERATURE: 1 }',
    'evaluateOptions: { filterRange: "0:2" }',
    'commandLineOptions: { filterSample: 2 }',
  ]) {
    const refused = await importConfig(`${importBase}${part}\n${tests}`);
    expect([part, refused.code]).toEqual([part, 2]);
  }
});

test.each([
  ['google:gemini-2.5-flash', 'systemInstruction'],
  ['vertex:gemini-2.5-flash', 'systemInstruction'],
  ['cohere:command-a', 'preamble'],
  ['openai:responses:gpt-4o', 'webhook_url'],
  ['mistral:m', 'guardrails'],
])('the provider %s is refused with the setting %s, which promptfoo sends', async (id, key) => {
  const { stderr } = await providerOf(`{ id: ${id}, config: { ${key}: x, colour: red } }`);
  expect(stderr).toContain(`"${key}" of a provider has no equivalent here`);
});

test('a request sends the text of a number, and nothing for a variable that no test has', async () => {
  const { suite } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [{ id: "http://127.0.0.1:1/x", config: { method: POST, body: { q: "{{q}}{{gone}}", n: "{{n}}", m: "{{n}}!" }, transformResponse: json.a } }]\n${tests.replace('q: a', 'q: a, n: 5')}`,
  );
  // A template that is nothing but a variable would keep its type.
  const request = { q: '{{ prompt }}{{ vars.gone }}', n: "{{ vars.n | append: '' }}", m: '{{ vars.n }}!' };
  expect(suite?.['providers']).toMatchObject([{ request }]);
  expect(suite?.['defaults']).toEqual({ vars: { gone: '' } });
});

test('options of the run are the trials of a case, or notes', async () => {
  const { suite, stderr } = await importConfig(
    `${importBase}commandLineOptions: { repeat: 2 }\nevaluateOptions: { repeat: 3, delay: 9, cache: false }\n${tests}`,
  );
  expect(suite?.['defaults']).toEqual({ trials: 2 });
  expect(stderr).toContain('"evaluateOptions.delay" is left out: limits of a provider set the pace');
  expect(stderr).toContain('"evaluateOptions.cache" is left out: it does not affect verdicts');
});

test.each([
  ['openrouter:m', true],
  ['{ id: openrouter:m, config: { showThinking: false } }', false],
  ['{ id: openai:m, config: { apiBaseUrl: "https://models.example/v1" } }', true],
  ['openai:m', false],
  ['{ id: openai:responses:o3, config: { reasoning: { effort: low } } }', false],
  ['{ id: openai:responses:o3, config: { reasoning: { summary: auto } } }', true],
  ['anthropic:c', false],
  ['{ id: anthropic:c, config: { thinking: { type: enabled, budget_tokens: 1024 } } }', true],
])('a note says that the reasoning of %s is no part of the text: %s', async (provider, isNoted) => {
  const { stderr } = await providerOf(provider);
  expect(stderr.includes('reasoning, which promptfoo writes before the text')).toBe(isNoted);
});

test('the conversation so far is refused, not rendered as nothing', async () => {
  const { code, stderr } = await importConfig(
    `prompts: ["{{ _conversation | dump }} {{q}}"]\nproviders: [openai:m]\n${tests}`,
  );
  expect(code).toBe(2);
  expect(stderr).toContain('is the conversation so far');
});

test('a config without prompts sends the variable of that name', async () => {
  const { suite } = await importConfig(
    `providers: [echo]\ntests: [{ vars: { prompt: hi }, assert: [{ type: equals, value: hi }] }]\n`,
  );
  expect(suite?.['prompts']).toEqual([{ id: 'prompt', text: '{{ prompt }}' }]);
});

test('the echo provider answers with the prompt, and costs nothing', async () => {
  const { project } =
    await importConfig(`prompts: ["Say {{q}}", '[{"role":"user","content":"{{q}}"},{"role":"assistant","content":"b"}]']
providers: [echo]
tests: [{ vars: { q: a }, assert: [{ type: contains, value: a }, { type: cost, threshold: 0 }] }]
`);
  expect((await project.run(['run', '--no-baseline'])).code).toBe(0);
});

test('patterns name prompts and tests, and equal labels get ids of their own', async () => {
  const { code, suite, stderr } = await importConfig(
    `prompts: [file://prompts/*.txt]
providers: [{ id: openai:a, label: x }, { id: openai:b, label: x }]
tests: tests/*.yaml
`,
    [],
    {
      'prompts/1.txt': 'One {{q}}',
      'prompts/2.txt': 'Two {{q}}',
      'tests/a.yaml': '- { vars: { q: a }, assert: [{ type: contains, value: a }] }\n',
      'tests/b.yaml': '- { vars: { q: b }, assert: [{ type: contains, value: b }] }\n',
    },
  );
  expect(code).toBe(0);
  expect(suite?.['prompts']).toMatchObject([{ text: 'One {{ q }}' }, { text: 'Two {{ q }}' }]);
  expect(suite?.['providers']).toMatchObject([{ id: 'x' }, { id: 'x-2' }]);
  expect(suite?.['cases']).toMatchObject([{ vars: { q: 'a' } }, { vars: { q: 'b' } }]);
  expect(stderr).toContain('a second provider is called "x"');
});

test('a check for a variable that is empty in a test is refused at that test', async () => {
  const check = (type: string, value: string) => `assert: [{ type: ${type}, value: ${value} }]`;
  const config = `prompts: ["{{q}}"]
providers: [openai:chat:m]
tests:
  - { vars: { q: a, want: a }, ${check('contains', '"{{want}}"')} }
  - { vars: { q: b, want: "" }, ${check('contains', '"{{want}}"')} }
  - { vars: { q: c, want: "" }, ${check('not-icontains-any', '["{{want}}", d]')} }
  - { vars: { q: d, want: "" }, ${check('equals', '"{{want}}"')} }
`;
  const refused = await importConfig(config);
  expect([refused.code, refused.text]).toEqual([2, '']);
  expect(refused.stderr.match(/^\S+:\d+:\d+ error .*/gm)).toEqual(
    [5, 6].map(
      (line) =>
        `promptfooconfig.yaml:${line}:5 error not-carried-over: a check looks for the variable "want", which is empty in this test`,
    ),
  );
  const { code, suite } = await importConfig(config, ['--partial']);
  const cases = (suite?.['cases'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  expect([code, cases.map(({ assert, observe }) => [assert !== undefined, observe])]).toEqual([
    0,
    [
      [true, undefined],
      [false, true],
      [false, true],
      [true, undefined],
    ],
  ]);
});

test('a suite that is not valid is not written', async () => {
  const { code, stderr, text } = await importConfig(
    `prompts: ["{{q}}"]\nproviders: [{ id: openai:m, config: { apiBaseUrl: "https://u:p@models.example" } }]\n${tests.replace('{ q: a }', '{ q: a, "a b": 1 }').replace('value: a', 'value: "{{ q | replace(1) }}"')}`,
  );
  expect([code, text]).toEqual([2, '']);
  expect(stderr).toContain('what would be written is not valid');
});

const graded = { judge: 'judge-openai-gpt-5.5-2026-04-23' };

/** What is written of each assertion. */
const written: readonly (readonly [assertion: string, check: object])[] = [
  ['{ type: not-llm-rubric, value: rude }', { not: { rubric: { value: 'rude', ...graded } } }],
  ['{ type: g-eval, value: [kind, short] }', { rubric: { value: '1. kind\n2. short', ...graded, threshold: 0.7 } }],
  ['{ type: model-graded-closedqa, value: kind }', { rubric: { value: 'kind', ...graded } }],
  [
    '{ type: not-conversation-relevance }',
    { not: { rubric: { value: 'The answer is relevant to what the user says.', ...graded } } },
  ],
  [
    '{ type: context-recall, value: They eat fish., threshold: 0.8 }',
    {
      rubric: {
        value:
          'Score the share of the sentences of this expected answer that the context supports, whatever the answer says.\n\nExpected answer: They eat fish.\n\nContext: {{ context }}',
        ...graded,
        threshold: 0.8,
        input: false,
      },
    },
  ],
  ['{ type: context-relevance, threshold: 0.5 }', { rubric: { threshold: 0.5 } }],
  // No provider sends functions.
  [
    '{ type: is-valid-openai-function-call }',
    { jsonSchema: { type: 'array', minItems: 1, items: false, maxItems: 1 }, select: 'toolCalls' },
  ],
  ['{ type: context-faithfulness }', { rubric: graded, weight: 0 }],
  ['{ type: regex, value: "/a+/i" }', { regex: { value: String.raw`\/a+/i` } }],
  ['{ type: contains, value: file://v.txt }', { contains: { value: 'a {% raw %}{{{% endraw %}b}}' } }],
  ['{ type: contains-any, value: file://v.json }', { containsAny: { value: ['x', 'y'] } }],
  ['{ type: equals, value: file://v.yaml }', { equals: { value: { a: 1 } }, select: { json: true } }],
  [
    '{ type: contains-json, value: { required: [a] } }',
    {
      jsonSchema: { $schema: 'http://json-schema.org/draft-07/schema#', required: ['a'] },
      select: { regex: String.raw`\{[\s\S]*\}` },
    },
  ],
  [
    `{ type: contains, value: a, transform: "output.replace(/<t>.*<.t>/g, '').trim()" }`,
    { contains: { value: 'a' }, select: [{ replace: '<t>.*<.t>', with: '' }, 'trim'] },
  ],
  [
    '{ type: icontains, value: a, transform: JSON.parse(output).b.c }',
    { contains: { value: 'a', ignoreCase: true }, select: { jsonPath: '$.b.c' } },
  ],
];

test('each assertion is written as the check that means the same', async () => {
  const { suite } = await importConfig(
    `${importBase}tests: [{ vars: { q: a, query: b, context: c }, assert: [${written.map(([assertion]) => assertion).join(', ')}] }]\n`,
    [],
    { 'v.txt': 'a {{b}}\n', 'v.json': '["x", "y"]', 'v.yaml': 'a: 1\n' },
  );
  expect(suite?.['cases']).toMatchObject([{ assert: written.map(([, check]) => check) }]);
});

test('settings, variables and providers are read from where promptfoo reads them', async () => {
  const { suite, stderr } = await importConfig(
    `prompts: [{ raw: "{{q}} {{doc}}", config: { temperature: 1, max_tokens: 5 } }]
providers: [file://models.yaml, { id: openai:b, label: second }]
defaultTest:
  vars: file://shared.yaml
  options: { temperature: 0.5 }
  assert: [{ type: contains, value: all }]
tests:
  - { vars: { q: file://docs/*.diff }, providers: [second], options: { repeat: 2 } }
  - { vars: { q: file://data.yaml }, options: { disableDefaultAsserts: true }, assert: [{ type: contains, value: own }] }
`,
    [],
    {
      'models.yaml': '- id: openai:a\n  config: { temperature: 0.1, seed: 7 }\n',
      'shared.yaml': 'doc: shared\n',
      'docs/one.diff': '+ one\n',
      'docs/two.diff': '+ two\n',
      'data.yaml': 'a: [1]\n',
    },
  );
  expect(stderr).toBe('');
  expect(suite?.['providers']).toMatchObject([
    { id: 'openai:a', params: { temperature: 0.5, max_tokens: 5, seed: 7 } },
    { id: 'second', params: { temperature: 0.5, max_tokens: 5 } },
  ]);
  const all = [{ contains: { value: 'all' } }];
  expect(suite?.['cases']).toEqual([
    { vars: { q: '+ one', doc: 'shared' }, providers: ['second'], trials: 2, assert: all },
    { vars: { q: '+ two', doc: 'shared' }, providers: ['second'], trials: 2, assert: all },
    { vars: { q: '{"a":[1]}', doc: 'shared' }, assert: [{ contains: { value: 'own' } }] },
  ]);
});

test('a provider of a test takes the place of those of the config, for that test alone', async () => {
  const { suite, stderr } = await importConfig(`prompts: ["{{q}}"]
providers: [{ id: openai:a, label: first, config: { temperature: 1 } }, openai:b]
tests:
  - { vars: { q: one } }
  - { vars: { q: two }, provider: openai:b }
  - { vars: { q: three }, provider: openai:a }
  - { vars: { q: four }, provider: { id: openai:a, config: { seed: 7 } } }
  - { vars: { q: five }, provider: openai:a, providers: [first] }
`);
  expect(stderr.match(/:\d+:\d+ .*/g)).toHaveLength(5);
  expect(stderr).toContain(
    ':5:25 warning not-carried-over: promptfoo asks "provider" of a test once for each of the 2',
  );
  expect(suite?.['providers']).toMatchObject([
    { id: 'first', params: { temperature: 1 } },
    { id: 'openai:b' },
    { id: 'openai:a', params: { temperature: 0 } },
    { id: 'openai:a-2', params: { seed: 7 } },
  ]);
  const asked = [['first', 'openai:b'], ['openai:b'], ['openai:a'], ['openai:a-2'], ['openai:a']];
  expect(suite?.['cases']).toMatchObject(asked.map((providers) => ({ providers })));
});

test('settings of a test are those of a provider that its case alone asks', async () => {
  const { suite, code } = await importConfig(`prompts: ["{{q}}"]
providers: [{ id: openai:a, label: first, config: { seed: 7 } }, openai:b]
defaultTest: { options: { top_p: 0.5 } }
tests:
  - { vars: { q: one } }
  - { vars: { q: two }, options: { temperature: 1, top_p: 0.9 } }
  - { vars: { q: three }, options: { temperature: 1, top_p: 0.9 }, providers: [first] }
`);
  expect(code).toBe(0);
  const warm = { temperature: 1, max_tokens: 1024, top_p: 0.9 };
  expect(suite?.['providers']).toMatchObject([
    { id: 'first', params: { temperature: 0, seed: 7, top_p: 0.5 } },
    { id: 'openai:b', params: { temperature: 0, top_p: 0.5 } },
    { id: 'first-2', use: 'openai:a', params: { ...warm, seed: 7 } },
    { id: 'openai:b-2', use: 'openai:b', params: warm },
  ]);
  const asked = [['first', 'openai:b'], ['first-2', 'openai:b-2'], ['first-2']];
  expect(suite?.['cases']).toMatchObject(asked.map((providers) => ({ providers })));
});

test('the provider of the defaults may be named by its label', async () => {
  const { suite } = await importConfig(`prompts: ["{{q}}"]
providers: [{ id: openai:a, label: first }, openai:b]
defaultTest: { provider: first }
tests: [{ vars: { q: a } }, { vars: { q: b }, provider: openai:x }]
`);
  expect(suite?.['providers']).toMatchObject([{ id: 'first' }, { id: 'openai:x' }]);
  expect(suite?.['cases']).toMatchObject([{ providers: ['first'] }, { providers: ['openai:x'] }]);
});

test.each([
  ['tests: [{ vars: { q: a }, provider: first }]', 'promptfoo takes no provider "first"'],
  [
    'tests: [{ vars: { q: a }, provider: { id: openai:x, config: { response_format: { type: json_schema } } } }]',
    'another form',
  ],
  ['scenarios: [{ config: [{ vars: { q: a } }], tests: [{ provider: openai:x }] }]', 'within scenarios'],
  [
    'targets: [openai:a]\ntests: [{ vars: { q: a }, options: { response_format: { type: json_schema } } }]',
    'another form',
  ],
])('the provider in %s is refused', async (part, reason) => {
  const { stderr } = await importConfig(`prompts: ["{{q}}"]\nproviders: [{ id: openai:a, label: first }]\n${part}\n`);
  expect(stderr).toContain(reason);
});

test.each([
  ['{ type: context-recall, value: a, threshold: 1 }', '', 'without a variable "context"'],
  ['{ type: context-relevance, threshold: 1 }', 'context: c', 'without a variable "query"'],
  ['{ type: context-relevance }', 'context: c, query: q }, threshold: 0.5, options: {', 'in a test that has one'],
  [
    '{ type: context-recall, value: a, threshold: 1, contextTransform: context.prompt.label }',
    'context: c, query: q',
    'context.prompt',
  ],
  ['{ type: answer-relevance, threshold: 1 }', 'query: q', 'similarity of questions'],
  ['{ type: not-b-eval, value: a }', '', 'promptfoo takes no assertion "not-b-eval"'],
  ['{ type: select-best, value: a }', '', 'it compares answers with each other'],
  ['{ type: skill-used, value: notes }', '', 'agents or code of the project'],
  ['{ type: levenshtein, value: a }', '}, threshold: 0.5, options: {', 'another score'],
  [
    '{ type: assert-set, assert: [{ type: is-json }, { type: regex, value: a }] }',
    '}, threshold: 0.5, options: {',
    'another one',
  ],
  ['{ type: assert-set, threshold: 0, assert: [{ type: is-json }] }', '', 'above 0 and up to 1'],
  [
    '{ type: assert-set, threshold: 0.5, assert: [{ type: levenshtein, value: a }, { type: is-json }] }',
    '',
    'a set of scores',
  ],
  ['{ type: similar, value: a, provider: "vertex:embedding:x" }', '', 'embeds texts with this provider'],
])('the assertion %s is refused beside the variables {%s}', async (assertion, vars, reason) => {
  const { code, stderr } = await importConfig(`${importBase}tests: [{ vars: { ${vars} }, assert: [${assertion}] }]\n`);
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
});

test('calls of tools are valid where they fit the tools that the provider sends', { tags: 'slow' }, async () => {
  const tool = (name: string, type: string) =>
    `{ type: function, function: { name: ${name}, parameters: { type: object, properties: { id: { type: ${type} } }, required: [id] } } }`;
  const calls: Readonly<Record<string, readonly (readonly [name: string, args: object])[]>> = {
    one: [['find', { id: 7 }]],
    both: [
      ['close', { id: 'a' }],
      ['find', { id: 7 }],
    ],
    other: [
      ['find', { id: 7 }],
      ['open', { id: 7 }],
    ],
    wrong: [['find', { id: 'a' }]],
    none: [],
  };
  const { project, code } = await importConfig(`prompts: ["{{q}}"]
providers: [{ id: openai:m, config: { tools: [${tool('find', 'number')}, ${tool('close', 'string')}] } }]
defaultTest: { assert: [{ type: is-valid-openai-tools-call, metric: valid }, { type: tool-call-f1, value: "find, close", threshold: 0.6, metric: f1 }, { type: not-tool-call-f1, value: [find], metric: more }] }
tests: [${Object.keys(calls)
    .map((q) => `{ description: ${q}, vars: { q: ${q} } }`)
    .join(', ')}]
`);
  expect(code).toBe(0);
  const server = await startServer(({ body }) => {
    const { messages } = JSON.parse(body) as { messages: readonly { content: string }[] };
    const made = (calls[messages[0]?.content ?? ''] ?? []).map(([name, args], index) => ({
      id: `c${index}`,
      type: 'function',
      function: { name, arguments: JSON.stringify(args) },
    }));
    const message = made.length === 0 ? { content: 'no' } : { content: null, tool_calls: made };
    return { body: { choices: [{ message: { role: 'assistant', ...message }, finish_reason: 'stop' }] } };
  });
  const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'k' };
  const { report } = await project.report(['run', '--no-baseline'], { env });
  const found = plannedTrialsOf(report).map(({ caseId, checks }) => [caseId, ...checks.map(({ pass }) => pass)]);
  expect(found).toEqual([
    ['both', true, true, true],
    ['none', false, false, true],
    ['one', true, true, false],
    ['other', false, false, true],
    ['wrong', false, true, false],
  ]);
});

const picture = 'GIF89a and so on';
const withPicture = (parts: string, vars: string) =>
  `prompts: ['[{"role":"user","content":[${parts}]}]']
providers: [openai:m]
tests: [{ vars: { ${vars} }, assert: [{ type: contains, value: ok }] }]
`;
const asked = '{"type":"text","text":"What is it, {{q}}?"}';

test.each([
  ['{"type":"image_url","image_url":{"url":"{{photo}}"}}'],
  ['{"type":"image_url","image_url":{"url":"data:image/gif;base64,{{photo}}"}}'],
  ['{"type":"input_image","image_url":"{{ photo }}"}'],
  ['{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"{{photo}}"}}'],
])('a picture beside a message goes along as a file: %s', async (part) => {
  const { code, suite, stderr } = await importConfig(
    withPicture(`${asked}, ${part}`, 'q: Ann, photo: file://pics/cat.gif'),
    [],
    { 'pics/cat.gif': picture },
  );
  expect([code, stderr.includes('its variable is the path')]).toEqual([0, true]);
  expect(suite?.['prompts']).toMatchObject([
    { messages: [{ role: 'user', content: 'What is it, {{ q }}?', attach: ['{{ photo }}'] }] },
  ]);
  expect(suite?.['cases']).toMatchObject([{ vars: { q: 'Ann', photo: '../pics/cat.gif' } }]);
});

test('a picture in a text is the address of its data', async () => {
  const url = `data:image/gif;base64,${Buffer.from(picture).toString('base64')}`;
  const { suite } = await importConfig(
    'prompts: ["{{photo}}"]\nproviders: [echo]\ntests: [{ vars: { photo: file://cat.png } }]\n',
    [],
    { 'cat.png': picture },
  );
  expect(suite?.['cases']).toMatchObject([{ vars: { photo: url } }]);
});

test.each([
  [
    withPicture(
      asked.replace('{{q}}', '{{photo}}') + ', {"type":"image_url","image_url":{"url":"{{photo}}"}}',
      'photo: file://cat.gif',
    ),
    'a picture and a text',
  ],
  [
    withPicture(
      `${asked}, {"type":"image_url","image_url":{"url":"{{photo}}"}}`,
      'q: a, photo: "https://a.example/cat.gif"',
    ),
    'file of the project',
  ],
  [
    withPicture(`${asked}, {"type":"image_url","image_url":{"url":"{{photo}}"}}`, 'q: a'),
    'without the picture "photo"',
  ],
  [
    withPicture(`${asked}, {"type":"image_url","image_url":{"url":"{{photo}}","detail":"low"}}`, 'q: a'),
    'with or without pictures',
  ],
  [withPicture(`${asked}, ${asked}`, 'q: a'), 'with or without pictures'],
  [
    withPicture(`${asked}, {"type":"image_url","image_url":{"url":"{{photo}}"}}`, 'q: a, photo: file://none.gif'),
    'none.gif does not exist',
  ],
  ['prompts: ["{{q}}"]\nproviders: [echo]\ntests: [{ vars: { q: file://large.gif } }]\n', 'more than 64 KiB'],
])('a picture that nothing here can say is refused: %#', async (config, reason) => {
  const { code, stderr } = await importConfig(config, [], { 'cat.gif': picture, 'large.gif': picture.repeat(5000) });
  expect(code).toBe(2);
  expect(stderr).toContain(reason);
});
