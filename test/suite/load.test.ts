import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/json/canonical-json.ts';
import { sha256Hex } from '../../src/text/sha256.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import { casesOf, fixtureFolder, loadAt, onlySuite } from './load-fixture.ts';

async function loadTriage() {
  return onlySuite(await loadAt(join(fixtureFolder, 'support-triage')));
}

describe('the whole suite format', () => {
  test('prompts come from files, lists of messages and texts, with their roles split', async () => {
    const { prompts } = await loadTriage();
    expect(prompts.map(({ id, replaces, params, file }) => ({ id, replaces, params, file }))).toEqual([
      { id: 'v1', replaces: undefined, params: {}, file: 'evals/prompts/triage.v1.md' },
      { id: 'v2', replaces: 'v1', params: { temperature: 0 }, file: 'evals/prompts/triage.v2.yaml' },
      { id: 'v3', replaces: undefined, params: {}, file: undefined },
    ]);
    const vars = { team: 'Support', email: 'system: {{ team }}' };
    expect(prompts.map(({ messages }) => messages.map(({ role, template }) => [role, template.render(vars)]))).toEqual([
      [['user', 'You sort e-mails for Support.\n\nsystem: {{ team }}']],
      [
        ['system', 'You sort e-mails for Support.'],
        ['user', 'system: {{ team }}\n'],
      ],
      [
        ['system', 'Rules: answer in JSON.'],
        ['user', 'E-mail: system: {{ team }}'],
      ],
    ]);
  });

  test('providers are shorthands, ids of the config and maps', async () => {
    const { providers, judges } = await loadTriage();
    expect(providers.map(({ id, adapter, model, at }) => [id, adapter, model, at?.file])).toEqual([
      ['openai:gpt-4o-mini', 'openai', 'gpt-4o-mini', 'llmcheck.config.yaml'],
      ['local', 'openai', 'qwen2.5:7b', 'evals/support-triage.eval.yaml'],
    ]);
    expect(providers[1]).toMatchObject({
      baseUrl: 'http://127.0.0.1:11434/v1',
      apiKeyEnv: 'LOCAL_KEY',
      params: { temperature: 0, max_tokens: 200, seed: 7 },
      headers: { 'X-Team': 'evals', 'X-Key': { env: 'TEAM_KEY' } },
      price: { input: 0.15, output: 0.6, cachedInput: 0.075 },
      limits: { concurrency: 20, rpm: 500, tpm: 200_000, timeoutMs: 60_000, retries: 4 },
      options: {},
    });
    expect(judges.map(({ id, model }) => [id, model])).toEqual([['strict', 'gpt-4o']]);
  });

  test('the gate of the config holds where the suite says nothing, key by key', async () => {
    const { gate } = await loadTriage();
    expect(gate).toEqual({
      alpha: 0.1,
      scope: 'population',
      cases: { broken: 'fail', drifted: 'fail', added: 'warn' },
      confirm: { cases: 10, budget: { share: 2, least: 200 } },
      certify: false,
      passRate: { min: 0.8, maxDrop: 0.05 },
      score: { maxDrop: 0.05 },
      cost: { maxIncrease: 0.1, max: 0.5 },
      latency: { maxIncrease: 0.25, p95MaxMs: 4000 },
    });
  });

  test('a suite knows every file that it was made from', async () => {
    const suite = await loadTriage();
    expect(suite.path).toBe('evals/support-triage.eval.yaml');
    expect(suite.sources.files).toEqual([
      'evals/cases/bulk.jsonl',
      'evals/cases/more.csv',
      'evals/fixtures/triage.jsonl',
      'evals/prompts/rules.md',
      'evals/prompts/triage.v1.md',
      'evals/prompts/triage.v2.yaml',
      'evals/schemas/triage.schema.json',
      'evals/support-triage.eval.yaml',
    ]);
    expect(suite.sources.globs).toEqual([{ pattern: 'cases/*.jsonl', folder: 'evals' }]);
    expect(suite.contract.output).toMatchObject({ required: ['queue'] });
    expect(suite.recordings).toBe(join(fixtureFolder, 'support-triage/evals/fixtures/triage.jsonl'));
    expect(suite.baseline).toEqual({ outputs: 'full' });
  });

  test('the config gives prices and defaults of flags', async () => {
    const { project } = await loadAt(join(fixtureFolder, 'support-triage'));
    expect(project.prices).toEqual({ 'qwen2.5:7b': { input: 0, output: 0 } });
    expect(project.run).toEqual({ maxCost: 0.5 });
  });
});

describe('cases', () => {
  test('inline cases, JSON lines and CSV rows are the same kind of case', async () => {
    const suite = await loadTriage();
    const cases = [...suite.cases()];
    expect(suite.caseCount).toBe(7);
    expect(
      cases.map(({ id, tags, mustPass, at }) => [id, tags.join(), mustPass, `${at.file}:${at.line}:${at.column}`]),
    ).toEqual([
      ['refund', 'billing', true, 'evals/support-triage.eval.yaml:36:5'],
      [expect.stringMatching(/^[0-9a-f]{8}$/), '', false, 'evals/support-triage.eval.yaml:45:5'],
      ['talk', '', false, 'evals/support-triage.eval.yaml:54:5'],
      ['b1', 'bulk', false, 'evals/cases/bulk.jsonl:1:1'],
      ['17', 'bulk,hard', false, 'evals/cases/bulk.jsonl:3:1'],
      ['c1', 'slow,parcel', true, 'evals/cases/more.csv:2:1'],
      ['c2', '', false, 'evals/cases/more.csv:4:1'],
    ]);
    expect(cases.every(({ trials }) => trials === 3)).toBe(true);
    expect(cases[0]?.at).not.toHaveProperty('excerpt');
  });

  test('checks come from the defaults, then the file of cases, then the case', async () => {
    const cases = casesOf(await loadTriage());
    expect(cases['refund']?.checks.map(({ assertion }) => assertion)).toEqual(['json', 'equals', 'not']);
    expect(cases['b1']?.checks.map(({ assertion }) => assertion)).toEqual(['json', 'contains']);
    expect(cases['b1']?.checks[0]).toBe(cases['talk']?.checks[0]);
  });

  test('a template that is exactly one path keeps the type, inside and outside of lists', async () => {
    const cases = casesOf(await loadTriage());
    const structured = Object.values(cases).find(({ threshold }) => threshold === 0.8);
    const [, equals, anyOf] = structured?.checks ?? [];
    expect(equals).toMatchObject({
      params: { value: { queue: 'technical', version: new SpelledNumber(1.1, '1.10') }, ignoreCase: true },
      name: 'whole answer',
      weight: 2,
      required: false,
    });
    expect(anyOf).toMatchObject({
      required: true,
      children: [{ params: { value: 'technical' } }, { params: { value: 'Apps' } }],
    });
    expect(cases['refund']?.checks[1]?.select).toEqual({ kind: 'jsonPath', path: '$.queue' });
  });

  test('turns are rendered; a result that is not a text is sent as JSON', async () => {
    const { talk } = casesOf(await loadTriage());
    expect(talk?.turns).toEqual([
      { kind: 'user', content: 'My team is Support', checks: [expect.objectContaining({ assertion: 'contains' })] },
      { kind: 'toolResult', name: 'lookup', content: '{"state":"lost","days":3}', checks: [] },
    ]);
    expect(talk).toMatchObject({ observe: true, prompts: ['v2'], description: 'A conversation.' });
  });

  test('an id that is not given is the hash of vars and turns, at any place of the case', async () => {
    const cases = [...(await loadTriage()).cases()];
    const vars = { email: 'The app crashes since 1.10', team: 'Apps' };
    expect(cases[1]?.id).toBe(sha256Hex(canonicalJson({ vars })).slice(0, 8));
  });

  test('cases may be iterated again and keep their hashes', async () => {
    const suite = await loadTriage();
    const caseHashes = [...suite.cases()].map(({ caseHash }) => caseHash);
    expect([...suite.cases()].map(({ caseHash }) => caseHash)).toEqual(caseHashes);
    expect(new Set(caseHashes).size).toBe(7);
    expect(caseHashes.every((caseHash) => /^[0-9a-f]{12}\.[0-9a-f]{12}$/.test(caseHash))).toBe(true);
  });

  test('numbers, dates and versions stay as they are written, in YAML and in JSON', async () => {
    const suite = onlySuite(await loadAt(join(fixtureFolder, 'spelling'), ['evals']));
    const cases = casesOf(suite);
    const prompt = suite.prompts[0]?.messages[0]?.template;
    const rendered = (id: string) => prompt?.render(cases[id]?.vars ?? {});
    expect(rendered('yaml')).toBe('2024-01-31 1.10 1_000 007 true');
    expect(rendered('json')).toBe('2024-01-31 1.10 1e3 7 true');
    expect(rendered('1.0')).toBe('1.10 is text 2 3 4 false');
    expect(cases['yaml']?.checks.map(({ source }) => source)).toEqual([
      { equals: { $number: '1.50' } },
      { equals: { $number: '2.0' } },
    ]);
    expect(cases['json']?.checks[0]?.source).toEqual({ equals: { price: { $number: '1.50' } } });
    expect(cases['1.0']?.expected).toBeNull();
  });

  test('templates that need the engine are rendered with values that stay values', async () => {
    const suite = onlySuite(await loadAt(join(fixtureFolder, 'engine'), ['evals']));
    const [one] = [...suite.cases()];
    expect(suite.prompts[0]?.messages[0]?.template.render(one?.vars ?? {})).toBe(
      '- A\n- {{ ORDER }}\n{"version":1.1}\n',
    );
  });

  test('a variable that no template reads is a warning, once for all cases', async () => {
    const { warnings } = await loadAt(join(fixtureFolder, 'unused'), ['evals']);
    expect(warnings.map(({ code, message, at }) => [code, message, at?.line, at?.column])).toEqual([
      ['unused-variable', 'no template reads the variable "emial"', 5, 57],
    ]);
  });
});
