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

  test('a case over its file also for how it counts, with the tags of both', async () => {
    const settings = 'mustPass: true, group: letters, providers: ["openai:m"], tags: [long]';
    const rows = [
      { id: 'own', mustPass: false, observe: true, group: 'mails', providers: ['openai:n'], tags: ['german', 'long'] },
      { id: 'file', expected: 'x' },
    ];
    const root = openProject({
      'a.eval.yaml':
        `${prompts}providers: ["openai:m", "openai:n"]\ndefaults: { vars: { q: x }, assert: [{ contains: x }] }\n` +
        `cases:\n  - { file: rows.jsonl, ${settings} }\n  - { file: watched.jsonl, observe: true }\n`,
      'rows.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
      'watched.jsonl': '{"id":"watched"}\n{"id":"judged","observe":false}',
    });
    const { own, file, watched, judged } = casesOf(onlySuite(await loadAt(root, ['a.eval.yaml'])));
    expect(own).toMatchObject({
      mustPass: false,
      observe: true,
      group: 'mails',
      providers: ['openai:n'],
      tags: ['long', 'german'],
    });
    expect(file).toMatchObject({
      mustPass: true,
      observe: false,
      group: 'letters',
      providers: ['openai:m'],
      tags: ['long'],
      expected: 'x',
    });
    expect([watched?.observe, judged?.observe]).toEqual([true, false]);
  });

  test('the stubs of a case before those of its file, and those before the defaults, as with the bound on steps', async () => {
    const stub = (text: string) => ({ find: { returns: text } });
    const rows = [{ id: 'own', maxSteps: 7, tools: { ...stub('own'), own: { returns: 'x' } } }, { id: 'file' }];
    const root = openProject({
      'a.eval.yaml':
        `${prompts}providers: ["openai:m"]\n` +
        'defaults: { vars: { q: x }, assert: [{ contains: general }] }\nmaxSteps: 5\ntools: { find: { returns: suite }, clock: { returns: suite } }\n' +
        'cases:\n  - { file: rows.jsonl, maxSteps: 6, tools: { find: { returns: file }, list: { returns: file } }, assert: [{ contains: file }] }\n' +
        '  - { id: plain, assert: [{ contains: own }] }\n',
      'rows.jsonl': rows.map((row) => JSON.stringify({ ...row, assert: [{ contains: row.id }] })).join('\n'),
    });
    const cases = casesOf(onlySuite(await loadAt(root, ['a.eval.yaml'])));
    const shown = (id: string) => ({
      stubs: cases[id]?.agent?.stubs.map(({ name, answer }) => [name, answer.kind === 'returns' ? answer.content : '']),
      maxSteps: cases[id]?.agent?.maxSteps,
      checks: cases[id]?.checks.map(({ params }) => (params as { readonly value: string }).value),
    });
    const ofFile = [
      ['find', 'file'],
      ['list', 'file'],
    ];
    const ofSuite = [
      ['find', 'suite'],
      ['clock', 'suite'],
    ];
    const own = [
      ['find', 'own'],
      ['own', 'x'],
    ];
    expect(shown('own')).toEqual({
      stubs: [...own, ...ofFile, ...ofSuite],
      maxSteps: 7,
      checks: ['general', 'file', 'own'],
    });
    expect(shown('file')).toEqual({ stubs: [...ofFile, ...ofSuite], maxSteps: 6, checks: ['general', 'file', 'file'] });
    expect(shown('plain')).toEqual({ stubs: ofSuite, maxSteps: 5, checks: ['general', 'own'] });
  });

  test('rows without an id are distinguished by their variables, turns and stubs', async () => {
    const rows = [
      { vars: { q: 'a' } },
      { vars: { q: 'b' } },
      { vars: { q: 'a' }, turns: [{ user: 'more' }] },
      { vars: { q: 'a' }, tools: { find: { returns: 'x' } } },
      { vars: { q: 'a' }, tools: { find: { returns: 'y' } } },
    ];
    const root = openProject({
      'a.eval.yaml': `${prompts}providers: ["openai:m"]\ndefaults: { assert: [{ contains: x }] }\ncases: [{ file: rows.jsonl }]\n`,
      'rows.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
    });
    expect(Object.keys(casesOf(onlySuite(await loadAt(root, ['a.eval.yaml']))))).toHaveLength(rows.length);
  });

  test("a suite's defaults over the config's, key by key, and its list of assertions in place of the config's", async () => {
    const project = (defaults: string) =>
      openProject({
        'llmcheck.config.yaml':
          'defaults: { trials: 4, vars: { q: general, r: general }, assert: [{ contains: general }] }\n',
        'a.eval.yaml': `${prompts}providers: [openai:m]\n${defaults}cases: [{ id: a, assert: [{ contains: own }, { equals: "{{ r }}" }] }]\n`,
      });
    const load = async (defaults: string) => casesOf(onlySuite(await loadAt(project(defaults), ['a.eval.yaml'])))['a'];
    const sourcesOf = (found: Awaited<ReturnType<typeof load>>) => found?.checks.map(({ source }) => source);
    const general = await load('');
    expect(general).toMatchObject({ trials: 4, vars: { q: 'general', r: 'general' } });
    expect(sourcesOf(general)).toEqual([{ contains: 'general' }, { contains: 'own' }, { equals: 'general' }]);
    const own = await load('defaults: { trials: 2, vars: { q: suite }, assert: [{ contains: suite }] }\n');
    expect(own).toMatchObject({ trials: 2, vars: { q: 'suite', r: 'general' } });
    expect(sourcesOf(own)).toEqual([{ contains: 'suite' }, { contains: 'own' }, { equals: 'general' }]);
  });

  test("what a suite's gate leaves out is the config's, and a slice's limits are those of both", async () => {
    const slices = 'slices: { german: { passRate: { min: 0.5, maxDrop: 0.2 } }, legal: { passRate: { min: 1 } } }';
    const gate = `alpha: 0.1, scope: suite, certify: true, erosion: fail, passRate: { min: 0.5 }, score: { min: 0.4 }, cost: { max: 9 }, latency: { p95Max: 9s }, cases: { added: warn }, confirm: { budget: 0 }, ${slices}`;
    const root = openProject({
      'llmcheck.config.yaml': `gate: { ${gate} }\n`,
      'a.eval.yaml':
        `${prompts}providers: [openai:m]\ngate: { slices: { german: { passRate: { min: 0.9 } } } }\n` +
        'cases: [{ id: a, tags: [german], vars: { q: x }, assert: [{ contains: x }] }]\n',
      'b.eval.yaml': `${prompts}providers: [openai:m]\ncases: [{ id: b, tags: [legal], vars: { q: x }, assert: [{ contains: x }] }]\n`,
    });
    const shared = {
      alpha: 0.1,
      scope: 'suite',
      certify: true,
      erosion: 'fail',
      passRate: { min: 0.5 },
      score: { min: 0.4 },
      cost: { max: 9 },
      latency: { p95MaxMs: 9000 },
      cases: { added: 'warn' },
      confirm: { budget: { calls: 0 } },
    };
    // Of no slice that the suite has no case of.
    const gates = (await loadAt(root, ['a.eval.yaml', 'b.eval.yaml'])).project.suites.map((suite) => suite.gate);
    expect(gates).toMatchObject([shared, shared]);
    expect(gates.map((found) => found.slices)).toEqual([
      { german: { passRate: { min: 0.9, maxDrop: 0.2 } } },
      { legal: { passRate: { min: 1 } } },
    ]);
  });

  test("a prompt's contract over the suite's, and the suite's over the config's, schema by schema", async () => {
    const root = openProject({
      'llmcheck.config.yaml':
        'contract: { policy: formal, input: { type: object, title: config }, output: { type: object, title: config } }\n',
      'a.eval.yaml':
        'prompts: [{ id: v1, text: "{{ q }}" }, { id: v2, text: "{{ q }}", contract: { output: { type: object, title: prompt } } }]\n' +
        'providers: [openai:m]\ncontract: { output: { type: object, title: suite } }\n' +
        'cases: [{ id: a, vars: { q: x }, assert: [{ contains: x }] }]\n',
    });
    const { contract, prompts: versions } = onlySuite(await loadAt(root, ['a.eval.yaml']));
    expect(contract).toMatchObject({ policy: 'formal', input: { title: 'config' }, output: { title: 'suite' } });
    expect(versions.map((version) => version.contract)).toEqual([
      undefined,
      { output: { type: 'object', title: 'prompt' } },
    ]);
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
      confirm: { cases: 3, budget: { share: 0.2 } },
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
