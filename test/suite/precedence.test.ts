import { describe, expect, test } from 'vitest';
import { openTempProject } from '../support/temp-project.ts';
import { casesOf, loadAt, onlySuite, problemsAt } from './load-fixture.ts';

const prompts = 'prompts: [{ id: v1, text: "{{ q }}" }, { id: v2, text: "{{ q }}" }]\n';

function openProject(files: Readonly<Record<string, string>>): string {
  const project = openTempProject();
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return project.root;
}

describe('the nearer setting wins', () => {
  test('a case over its file, and the file over the defaults', async () => {
    const own = { skip: 'own', trials: 5, threshold: 0.9, prompts: ['v2'], mustPass: false, vars: { q: 'own' } };
    const rows = [{ id: 'own', ...own, assert: [{ contains: 'x' }] }, { id: 'file' }];
    const root = openProject({
      'a.eval.yaml':
        `${prompts}providers: [openai:m]\ndefaults: { trials: 2, vars: { q: general, r: general }, assert: [{ contains: "{{ r }}" }] }\n` +
        'cases:\n' +
        '  - { file: rows.jsonl, skip: file, trials: 3, threshold: 0.5, prompts: [v1], vars: { q: file } }\n' +
        '  - { id: plain }\n',
      'rows.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
    });
    const cases = casesOf(onlySuite(await loadAt(root, ['a.eval.yaml'])));
    expect(cases['own']).toMatchObject({ ...own, vars: { q: 'own', r: 'general' } });
    expect(cases['file']).toMatchObject({
      skip: 'file',
      trials: 3,
      threshold: 0.5,
      prompts: ['v1'],
      vars: { q: 'file' },
    });
    expect(cases['plain']).toMatchObject({ trials: 2, vars: { q: 'general' } });
    expect(cases['plain']).not.toHaveProperty('skip');
  });

  test("a suite's gate over the config's, key by key", async () => {
    const root = openProject({
      'llmcheck.config.yaml':
        'gate: { alpha: 0.1, scope: suite, passRate: { min: 0.5, maxDrop: 0.2 }, score: { min: 0.4 }, cost: { max: 9 }, latency: { p95Max: 9s }, cases: { added: warn, drifted: fail }, confirm: { cases: 3, budget: 50% }, certify: true }\n',
      'a.eval.yaml':
        `${prompts}providers: [openai:m]\ncases: [{ id: a, vars: { q: x }, assert: [{ contains: x }] }]\n` +
        'gate: { alpha: 0.01, scope: population, passRate: { min: 0.9 }, score: { min: 0.8 }, cost: { max: 1 }, latency: { p95Max: 1s }, cases: { added: fail }, confirm: { budget: 20% }, certify: false }\n',
    });
    expect(onlySuite(await loadAt(root, ['a.eval.yaml'])).gate).toEqual({
      alpha: 0.01,
      scope: 'population',
      passRate: { min: 0.9, maxDrop: 0.2 },
      score: { min: 0.8 },
      cost: { max: 1 },
      latency: { p95MaxMs: 1000 },
      cases: { broken: 'fail', drifted: 'fail', added: 'fail' },
      confirm: { cases: 3, budget: 0.2 },
      certify: false,
    });
  });
});

test('a judge is the model under test only where it has the same address too', async () => {
  const suite = (judge: string) =>
    `${prompts}providers: [{ id: mine, use: openai:m, baseURL: "http://127.0.0.1:1/v1" }]\njudges: [{ id: j, use: openai:m${judge} }]\n` +
    'cases: [{ id: a, vars: { q: x }, assert: [{ rubric: good }] }]\n';
  const other = openProject({ 'a.eval.yaml': suite(', baseURL: "http://127.0.0.1:2/v1"') });
  expect(onlySuite(await loadAt(other, ['a.eval.yaml'])).judges).toMatchObject([{ id: 'j' }]);
  const same = openProject({ 'a.eval.yaml': suite(', baseURL: "http://127.0.0.1:1/v1"') });
  expect((await problemsAt(same, ['a.eval.yaml'])).map(({ message }) => message)).toEqual([
    expect.stringContaining('would let openai:m judge itself'),
  ]);
});

test.each(['headers: { x-any: KEY }', 'params: { any: KEY }'])(
  'a text that looks like a key is refused in %s',
  async (group) => {
    const key = 'sk-proj-0123456789abcdef';
    const root = openProject({
      'a.eval.yaml':
        `${prompts}providers: [{ id: p, use: openai:m, ${group.replace('KEY', key)} }]\n` +
        'cases: [{ id: a, vars: { q: x }, assert: [{ contains: x }] }]\n',
    });
    const problems = await problemsAt(root, ['a.eval.yaml']);
    expect(problems.map(({ code }) => code)).toEqual(['literal-key']);
    expect(JSON.stringify(problems)).not.toContain(key);
  },
);
