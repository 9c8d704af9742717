import { expect, test } from 'vitest';
import { loadProject } from '../../src/project/load-project.ts';
import { maskFor } from '../../src/project/mask-for.ts';
import { openTempProject } from '../support/temp-project.ts';

const config = 'cache: { urlEnv: CACHE_URL, passwordEnv: CACHE_PASSWORD }\n';
const suite = `prompts: [{ id: v1, text: hi }]
providers:
  - { id: cloud, use: "bedrock:m", region: eu-central-1 }
  - { id: keyed, use: "openai:m", baseURL: "http://127.0.0.1:9/v1", apiKeyEnv: OWN_KEY, headers: { x-team: { env: TEAM_KEY } } }
  - { id: program, use: "exec:cat", env: [PROGRAM_KEY] }
judges: [{ id: judge, use: "openai:n", apiKeyEnv: JUDGE_KEY }]
cases: [{ id: a, assert: [{ rubric: good }, { similar: { value: hi, provider: "mistral:embed" } }] }]
`;

test.each([
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'OWN_KEY',
  'TEAM_KEY',
  'PROGRAM_KEY',
  'JUDGE_KEY',
  'MISTRAL_API_KEY',
  'OPENAI_ORG_ID',
])('the value of %s is masked', async (name) => {
  const project = openTempProject();
  project.write('evals/a.eval.yaml', suite);
  const loaded = await loadProject({ cwd: project.root, paths: [] });
  const mask = maskFor(loaded.project, { [name]: 'canary-value-0123456789', OTHER: 'plain-value-0123456789' });
  expect(mask('canary-value-0123456789 and plain-value-0123456789')).toBe('*** and plain-value-0123456789');
});

test.each([
  ['HTTPS_PROXY', 'http://me:canary-value-0123456789@host:1'],
  ['http_proxy', 'me:canary-value-0123456789@host:1'],
  ['CACHE_URL', 'redis://me:canary-value-0123456789@host:1'],
  ['CACHE_PASSWORD', 'canary-value-0123456789'],
])('the password in %s is masked', async (name, address) => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', config);
  project.write('evals/a.eval.yaml', suite);
  const loaded = await loadProject({ cwd: project.root, paths: [] });
  expect(maskFor(loaded.project, { [name]: address })('canary-value-0123456789')).toBe('***');
});

test.each([
  ['HTTPS_PROXY', 'http://canary-value-0123456789@host:1'],
  ['HTTPS_PROXY', 'http://canary-value-0123456789:1'],
  ['CACHE_URL', 'redis://canary-value-0123456789@host:1'],
  ['CACHE_URL', 'canary-value-0123456789 is no address'],
  ['undefined', 'canary-value-0123456789'],
])('what is no password in %s=%s stays', async (name, address) => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', config);
  project.write('evals/a.eval.yaml', suite);
  const loaded = await loadProject({ cwd: project.root, paths: [] });
  expect(maskFor(loaded.project, { [name]: address })('canary-value-0123456789')).toBe('canary-value-0123456789');
});

test('a password that is encoded in an address is masked in both forms, and so are further values', async () => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', config);
  project.write('evals/a.eval.yaml', suite);
  const loaded = await loadProject({ cwd: project.root, paths: [] });
  const env = { CACHE_URL: 'redis://me:pass%40word%40x@host:1', HTTP_PROXY: 'http://user-name:other%3Aword@host:1' };
  const mask = maskFor(loaded.project, env, ['further-value']);
  expect(mask('pass@word@x pass%40word%40x other:word user-name further-value')).toBe('*** *** *** *** ***');
});

test('the secrets of every suite are masked, with those of addresses, tool servers and the bucket of a cache', async () => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', config);
  const cases = 'cases: [{ id: a, assert: [{ contains: x }] }]\n';
  const suiteOf = (provider: string) => `prompts: [{ id: v1, text: hi }]\nproviders: [${provider}]\n${cases}`;
  project.write('evals/a.eval.yaml', suiteOf('{ id: a, use: "exec:cat", env: [FIRST, SECOND] }'));
  project.write(
    'evals/b.eval.yaml',
    suiteOf('{ id: b, use: "openai:m", apiKeyEnv: THIRD }, { id: c, use: "openai:n" }'),
  );
  const { project: loaded } = await loadProject({ cwd: project.root, paths: [] });
  const server = { source: 'https://a/${SOURCE}', folder: '/', headers: { a: '${HEADER}' }, env: ['GIVEN'] };
  const snapshots = [{ file: 'a', sent: [], snapshot: { server, info: { name: 's' }, tools: [] } }];
  const suites = loaded.suites.map((one) => (one.path === 'evals/b.eval.yaml' ? { ...one, snapshots } : one));
  const names = ['FIRST', 'SECOND', 'THIRD', 'SOURCE', 'HEADER', 'GIVEN', 'OPENAI_API_KEY', 'OPENAI_PROJECT_ID'];
  const aws = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
  const values = Object.fromEntries([...names, ...aws].map((name) => [name, `canary of ${name}`]));
  const env = { ...values, OPENAI_BASE_URL: 'https://gateway.example/v1?api_key=canary-in-address' };
  const mask = maskFor({ ...loaded, suites }, env);
  for (const value of [...Object.values(values), 'canary-in-address'])
    expect([value, mask(value)]).toEqual([value, '***']);
  expect(mask('https://gateway.example/v1')).toBe('https://gateway.example/v1');
});
