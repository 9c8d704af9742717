import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const key = 'sk-test-0123456789abcdef';
const keys = { OPENAI_API_KEY: key, ANTHROPIC_API_KEY: key, GROQ_API_KEY: key, GATEWAY_KEY: key, GITHUB_TOKEN: key };

function openWith(provider: string, more = '') {
  const project = openTempProject();
  project.write(
    'evals/own.eval.yaml',
    `suite: own
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [${provider}]
${more}cases: [{ id: red, vars: { word: red }, assert: [{ contains: red }] }]
`,
  );
  return project;
}

const foreign = 'baseURL: "https://llm.example/v1"';

test.each([
  ['apiKeyEnv with a baseURL', `{ id: p, use: "openai:m", ${foreign}, apiKeyEnv: OPENAI_API_KEY }`, 'OPENAI_API_KEY'],
  [
    'a host that only looks alike',
    '{ id: p, use: "openai:m", baseURL: "https://api.openai.com.llm.example/v1", apiKeyEnv: OPENAI_API_KEY }',
    'OPENAI_API_KEY',
  ],
  [
    'a host whose name ends alike',
    '{ id: p, use: "openai:m", baseURL: "https://llm-openai.com/v1", apiKeyEnv: OPENAI_API_KEY }',
    'OPENAI_API_KEY',
  ],
  [
    'a header',
    `{ id: p, use: "openai:m", ${foreign}, headers: { X-Key: { env: ANTHROPIC_API_KEY } } }`,
    'ANTHROPIC_API_KEY',
  ],
  ['another service', '{ id: p, use: "groq:m", apiKeyEnv: OPENAI_API_KEY }', 'OPENAI_API_KEY'],
  [
    'a header to another service',
    '{ id: p, use: "openai:m", headers: { X-Key: { env: GITHUB_TOKEN } } }',
    'GITHUB_TOKEN',
  ],
  [
    'an adapter of its own',
    `{ id: p, use: "anthropic:m", ${foreign}, apiKeyEnv: ANTHROPIC_API_KEY }`,
    'ANTHROPIC_API_KEY',
  ],
  [
    'another cloud address of Amazon',
    '{ id: p, use: "bedrock:m", baseURL: "https://x.execute-api.us-east-1.amazonaws.com", apiKeyEnv: AWS_BEARER_TOKEN_BEDROCK }',
    'AWS_BEARER_TOKEN_BEDROCK',
  ],
])('validate and run name a well-known key that goes to a foreign address: %s', async (_what, provider, name) => {
  const project = openWith(provider);
  // A proxy on a closed port: nothing leaves this machine.
  const env = { ...keys, HTTPS_PROXY: 'http://127.0.0.1:9' };
  for (const argv of [['validate'], ['run', '--cache', 'replay']]) {
    const { stderr } = await project.run(argv, { env });
    expect(stderr).toMatch(new RegExp(`own\\.eval\\.yaml:3:\\d+ warning foreign-key: provider p sends ${name}, `));
    expect(stderr).not.toContain(key);
  }
});

test.each([
  ['a key of its own', `{ id: p, use: "openai:m", ${foreign}, apiKeyEnv: GATEWAY_KEY }`],
  ['no key', `{ id: p, use: "openai:m", ${foreign} }`],
  [
    'the service itself',
    '"openai:m", { id: p, use: "openai:m", baseURL: "https://eu.api.openai.com/v1", apiKeyEnv: OPENAI_API_KEY }',
  ],
  [
    'the service at another adapter',
    '{ id: p, use: "openai:m", baseURL: "https://api.groq.com/openai/v1", apiKeyEnv: GROQ_API_KEY }',
  ],
])('nothing is said of %s', async (_what, provider) => {
  const { stderr } = await openWith(provider).run(['validate'], { env: keys });
  expect(stderr).not.toContain('foreign-key');
});

test('a judge and a shared cache are looked at as well', async () => {
  const judge = `judges: [{ id: strict, use: "openai:m", ${foreign}, apiKeyEnv: OPENAI_API_KEY }]\n`;
  const project = openWith('"openai:m"', judge);
  const suite = project.read('evals/own.eval.yaml');
  project.write('evals/own.eval.yaml', suite.replace('{ contains: red }', '{ rubric: Good. }'));
  expect((await project.run(['validate'], { env: keys })).stderr).toContain('provider strict sends OPENAI_API_KEY');
  project.write('llmcheck.config.yaml', 'cache: { url: "redis://127.0.0.1:9/0", passwordEnv: OPENAI_API_KEY }\n');
  expect((await project.run(['validate'], { env: keys })).stderr).toContain(
    'the shared cache is sent OPENAI_API_KEY as its password',
  );
});

test('an address that an env file moves is named, one that the environment moves is not', async () => {
  const server = await startEchoServer();
  const project = openWith('"openai:m"');
  const { OPENAI_BASE_URL: address = '', ...withoutAddress } = server.env;
  const own = await project.run(['run'], { env: server.env });
  expect([own.code, own.stderr.includes('foreign-key')]).toEqual([0, false]);
  project.write('.env', `OPENAI_BASE_URL=${address}\n`);
  project.write('llmcheck.config.yaml', 'run: { envFile: .env }\n');
  for (const argv of [['validate'], ['run']]) {
    const { code, stderr } = await project.run(argv, { env: withoutAddress });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/sends OPENAI_API_KEY, .*127\.0\.0\.1.*OPENAI_BASE_URL/)]);
  }
  // A file that holds the key as well gives away nothing else.
  project.write('.env', `OPENAI_BASE_URL=${address}\nOPENAI_API_KEY=${server.env['OPENAI_API_KEY'] ?? ''}\n`);
  expect((await project.run(['run', '--cache', 'off'])).stderr).not.toContain('foreign-key');
});
