import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { adapters } from '../../../src/providers/index.ts';
import { answerOfEveryApi, type ReceivedRequest, startServer } from '../../support/http-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const canaries = {
  CANARY_KEY: 'canary-key/4f9c1e+77aa&b',
  CANARY_HEADER: 'canary-header-2b8d0c5e91',
  CANARY_URL: 'canary-url-9e3f7a6c40',
  AWS_SECRET_ACCESS_KEY: 'canary-aws-secret-51d2e8b7',
  AWS_SESSION_TOKEN: 'canary-aws-token-c07f3a92',
} as const;

/** A secret as it stands, URL-encoded and in base64. */
const forms = Object.values(canaries).flatMap((secret) => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, '').slice(0, -1),
]);

/** An answer to every API at once, which quotes the whole request in every way it can. */
function echo({ url, headers, body }: ReceivedRequest): object {
  const heard = [url, ...Object.values(headers)].map(String);
  const bare = heard.map((value) => value.replace(/^Bearer /, ''));
  const said = [
    ...heard,
    ...bare.map(encodeURIComponent),
    ...bare.map((value) => Buffer.from(value).toString('base64')),
  ];
  const text = said.join(' ');
  if (/refuse/.test(body)) return { status: 400, body: { error: { message: text } } };
  return { body: { ...answerOfEveryApi(text), id: text, model: text } };
}

const ownCode = {
  exec: 'exec:node answer.mjs',
  module: 'module:function.mjs',
} as const;

function suiteOf(provider: object): string {
  return JSON.stringify({
    suite: 'canary',
    prompts: [{ id: 'v1', text: '{{ word }}' }],
    providers: [{ id: 'p', limits: { retries: 0 }, ...provider }],
    recordings: 'recorded.jsonl',
    cases: [
      { id: 'echo', vars: { word: 'echo' }, assert: [{ contains: 'nowhere to be found' }] },
      { id: 'refuse', vars: { word: 'refuse' }, assert: [{ contains: 'nowhere' }] },
    ],
  });
}

const sendsNothing = new Set(['replay', 'echo']);

/** Everything that a run with this provider writes and prints, after it has really asked. */
async function everyByte(provider: object, env: Readonly<Record<string, string>>): Promise<string> {
  const project = openTempProject();
  const all = 'Object.values(process.env).join(" ")';
  const sources = new Set(['llmcheck.config.yaml', 'canary.eval.yaml', 'answer.mjs', 'function.mjs']);
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  project.write('canary.eval.yaml', suiteOf(provider));
  project.write(
    'answer.mjs',
    `const text = await new Response(process.stdin).text();
     if (/refuse/.test(text)) { console.error(${all}); process.exitCode = 1; } else console.log(${all});`,
  );
  project.write(
    'function.mjs',
    `export default ({ messages }) => { if (messages[0].content === 'refuse') throw new Error(${all}); return ${all}; };`,
  );
  const options = { env: { ...env, PATH: process.env['PATH'] ?? '' } };
  const flags = ['-r', 'json=report.json', '-r', 'junit=junit.xml', '-r', 'markdown=report.md', '-r', 'terminal'];
  const ran = [
    await project.run(['list', 'providers'], options),
    await project.run(['validate'], options),
    await project.run(['run', '--dry-run', '--record'], options),
    await project.run(['run', '--record', '--verbose', ...flags], options),
    await project.run(['run', '--cache', 'use', '--verbose'], options),
  ];
  expect(ran[3]?.code).not.toBe(2);
  const written = project.files().filter((path) => !sources.has(path));
  expect(written.length).toBeGreaterThan(3);
  const files = written.map((path) => `${path}\n${readFileSync(project.path(path), 'latin1')}`);
  return [...ran.map(({ stdout, stderr }) => stdout + stderr), ...files].join('\n');
}

function findLeaks(text: string): readonly string[] {
  return forms.filter((form) => text.includes(form));
}

describe('no byte that is written or printed holds a secret', () => {
  const names = Object.keys(adapters).filter((name) => !sendsNothing.has(name) && !Object.hasOwn(ownCode, name));

  it.each(names)('where %s gets it in its key and its headers', { tags: ['slow'] }, async (name) => {
    const server = await startServer(echo);
    onTestFinished(() => server.close());
    const provider = {
      use: `${name}:some-model`,
      baseURL: `${server.url}/v1`,
      apiKeyEnv: 'CANARY_KEY',
      headers: { 'X-Canary': { env: 'CANARY_HEADER' } },
    };
    const text = await everyByte(provider, canaries);
    const [received] = server.requests;
    expect(JSON.stringify(received?.headers)).toContain(canaries.CANARY_KEY);
    expect(JSON.stringify(received?.headers)).toContain(canaries.CANARY_HEADER);
    expect(text).toContain('***');
    expect(findLeaks(text)).toEqual([]);
  });

  it.each([
    ['openai', 'OPENAI_BASE_URL', 'OPENAI_API_KEY'],
    ['azure', 'AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_API_KEY'],
    ['anthropic', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'],
    ['gemini', 'GOOGLE_GEMINI_BASE_URL', 'GEMINI_API_KEY'],
    ['vertex', 'GOOGLE_VERTEX_BASE_URL', 'GOOGLE_ACCESS_TOKEN'],
    ['cohere', 'CO_API_URL', 'CO_API_KEY'],
    ['bedrock', 'AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'AWS_BEARER_TOKEN_BEDROCK'],
  ])('where %s gets it in the address that %s holds', async (name, variable, key) => {
    const server = await startServer(echo);
    onTestFinished(() => server.close());
    const env = {
      ...canaries,
      [variable]: `${server.url}?key=${canaries.CANARY_URL}`,
      [key]: canaries.CANARY_KEY,
      AWS_REGION: 'eu-west-1',
    };
    const text = await everyByte({ use: `${name}:some-model` }, env);
    expect(server.requests[0]?.url).toContain(canaries.CANARY_URL);
    expect(findLeaks(text)).toEqual([]);
  });

  it('where bedrock signs with it', { tags: ['slow'] }, async () => {
    const server = await startServer(echo);
    onTestFinished(() => server.close());
    const env = {
      ...canaries,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_REGION: 'eu-west-1',
    };
    const text = await everyByte({ use: 'bedrock:some-model' }, env);
    expect(server.requests[0]?.headers['authorization']).toContain('AWS4-HMAC-SHA256');
    expect(findLeaks(text)).toEqual([]);
  });

  it.each(Object.entries(ownCode))('where %s quotes all that it sees', { tags: 'slow' }, async (_name, use) => {
    const text = await everyByte({ use, env: ['CANARY_KEY', 'CANARY_HEADER'] }, canaries);
    expect(text).toContain('***');
    expect(findLeaks(text)).toEqual([]);
  });

  it('in the address of a suite, where it is refused', async () => {
    const project = openTempProject();
    project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
    const baseURL = `http://127.0.0.1:9/v1?api_key=${canaries.CANARY_URL}`;
    project.write('canary.eval.yaml', suiteOf({ use: 'openai:some-model', baseURL }));
    const { code, stdout, stderr } = await project.run(['run'], { env: {} });
    expect(code).toBe(2);
    expect(stderr).toContain('literal-key');
    expect(findLeaks(stdout + stderr)).toEqual([]);
  });
});
