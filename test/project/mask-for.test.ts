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
cases: [{ id: a, assert: [{ rubric: good }] }]
`;

test.each([
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'OWN_KEY',
  'TEAM_KEY',
  'PROGRAM_KEY',
  'JUDGE_KEY',
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
