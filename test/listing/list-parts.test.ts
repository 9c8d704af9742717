import { expect, test } from 'vitest';
import { listCases, listProviders, listSuites } from '../../src/listing/list-parts.ts';
import { loadProject } from '../../src/project/load-project.ts';
import { openTempProject } from '../support/temp-project.ts';

test('suites, cases and providers are listed with the same keys in every row', async () => {
  const project = openTempProject();
  project.write(
    'evals/a.eval.yaml',
    `suite: a
description: Queues of tickets.
prompts: [{ id: v1, text: "{{ word }}" }, { id: v2, text: "{{ word }}!" }]
providers:
  - openai:gpt-4o-mini
  - { id: proxy, use: "openai:m" }
cases:
  - { id: one, vars: { word: x }, tags: [vip, eu], mustPass: true, assert: [{ equals: x, name: exact }, { contains: x }] }
  - { id: two, vars: { word: y }, trials: 3, skip: until May, assert: [{ equals: y }] }
  - { id: three, vars: { word: z }, skip: broken, assert: [{ equals: z }] }
  - { id: four, vars: { word: z }, assert: [{ equals: z }] }
`,
  );
  project.write(
    'evals/b.eval.yaml',
    'suite: b\nprompts: [{ id: v1, text: hi }]\nproviders: ["exec:./answer.sh"]\ncases: [{ id: only, assert: [{ equals: x }] }]\n',
  );
  const { project: loaded } = await loadProject({ paths: [], cwd: project.root });
  expect(listSuites(loaded)).toEqual([
    {
      suite: 'a',
      path: 'evals/a.eval.yaml',
      cases: 4,
      prompts: ['v1', 'v2'],
      providers: ['openai:gpt-4o-mini', 'proxy'],
      description: 'Queues of tickets.',
    },
    {
      suite: 'b',
      path: 'evals/b.eval.yaml',
      cases: 1,
      prompts: ['v1'],
      providers: ['exec:./answer.sh'],
      description: null,
    },
  ]);
  expect(listCases(loaded)).toEqual([
    {
      suite: 'a',
      case: 'one',
      tags: ['vip', 'eu'],
      trials: 1,
      checks: ['exact', 'contains'],
      state: 'must pass',
      at: 'evals/a.eval.yaml:8',
    },
    {
      suite: 'a',
      case: 'two',
      tags: [],
      trials: 3,
      checks: ['equals'],
      state: 'skipped: until May',
      at: 'evals/a.eval.yaml:9',
    },
    {
      suite: 'a',
      case: 'three',
      tags: [],
      trials: 1,
      checks: ['equals'],
      state: 'skipped: broken',
      at: 'evals/a.eval.yaml:10',
    },
    { suite: 'a', case: 'four', tags: [], trials: 1, checks: ['equals'], state: '', at: 'evals/a.eval.yaml:11' },
    { suite: 'b', case: 'only', tags: [], trials: 1, checks: ['equals'], state: '', at: 'evals/b.eval.yaml:4' },
  ]);
  const env = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1?api_key=sk-secret-1234567890' };
  const [first, second, third] = listProviders(loaded, {});
  const openai = {
    suite: 'a',
    adapter: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    key: 'OPENAI_API_KEY (not set)',
  };
  expect(first).toEqual({ ...openai, provider: 'openai:gpt-4o-mini', model: 'gpt-4o-mini' });
  expect(second).toEqual({ ...openai, provider: 'proxy', model: 'm' });
  expect(third).toMatchObject({ suite: 'b', adapter: 'exec', baseUrl: null, key: 'none' });
  const shown = (key: string) => listProviders(loaded, { ...env, OPENAI_API_KEY: key })[0];
  expect(shown('')?.['key']).toBe('OPENAI_API_KEY (not set)');
  expect(shown('sk-x')?.['key']).toBe('OPENAI_API_KEY');
  expect(shown('')?.['baseUrl']).toMatch(/^http:\/\/127\.0\.0\.1:9\/v1\?api_key=(?!.*secret)/);
});
