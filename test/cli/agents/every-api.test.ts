import { describe, expect, test } from 'vitest';
import { redisPath, startRealRedis } from '../../support/real-redis.ts';
import { startWorker } from '../../support/run-worker.ts';
import { reasoningApis, type StrictApi, startStrictApi, strictApis } from '../../support/strict-apis/index.ts';
import { type TempProject, trialsOf } from '../../support/temp-project.ts';
import { openShop } from './shop-project.ts';

const output = 'You are welcome.';

function openAgentOver({ adapter, model, params, options }: StrictApi, suite = ''): TempProject {
  const tools = ['find_order', 'get_policy'].map((name) => ({ name, parameters: { type: 'object', properties: {} } }));
  const provider = { id: 'agent', use: `${adapter}:${model}`, params: { tools, ...params }, ...options };
  const keys = `    turns:
      - assert: [{ contains: DHL }]
      - { user: "Thanks", assert: [{ equals: "${output}" }] }
    assert:
      - trajectory: { calls: [find_order, find_order, get_policy, find_order], order: exact, steps: { max: 4 } }`;
  return openShop({ provider, suite, question: 'Where are orders 7731 and 9?', keys });
}

describe.each(strictApis.map((api) => [api.name, api] as const))('an agent over %s', (_name, api) => {
  test('keeps the rules of the API, and passes', async () => {
    const project = openAgentOver(api);
    const server = await startStrictApi(api);
    const { code, report } = await project.report(['run', '--no-baseline'], { env: api.env(server.url) });
    const [trial] = trialsOf(report);
    expect([trial?.status, trial?.error]).toEqual(['passed', undefined]);
    expect([code, server.requests.length]).toEqual([0, 4]);
    expect(trial?.output).toBe(output);
    expect(server.requests[1]?.body).toMatch(api.toldOfError);
  });
});

describe.each(reasoningApis.map((api) => [api.name, api] as const))('what %s wants back', (_name, api) => {
  async function openRun(suiteKeys = '') {
    const project = openAgentOver(api, suiteKeys);
    const server = await startStrictApi(api);
    /** The exit code, and how many requests have come so far. */
    const run = async (...flags: string[]) => {
      const { code } = await project.report(['run', '--no-baseline', ...flags], { env: api.env(server.url) });
      return [code, server.requests.length];
    };
    return { project, server, run };
  }

  test('is kept by the cache and its export, to the byte', async () => {
    const { project, server, run } = await openRun();
    expect(await run()).toEqual([0, 4]);
    expect((await project.run(['cache', 'export', 'answers.jsonl'])).code).toBe(0);
    expect((await project.run(['cache', 'clear'])).code).toBe(0);
    expect((await project.run(['cache', 'import', 'answers.jsonl'])).code).toBe(0);
    expect(await run()).toEqual([0, 4]);
    const [segment = ''] = project.files('.llmcheck/answers');
    const others = project
      .read(segment)
      .split('\n')
      .filter((line) => !line.includes(`"text":"${output}"`));
    project.write(segment, others.join('\n'));
    expect(await run()).toEqual([0, 5]);
    expect(server.requests[4]?.body).toBe(server.requests[3]?.body);
  });

  test('is kept by recordings, and is in no record or baseline', async () => {
    const { project, server, run } = await openRun('recordings: shop.jsonl');
    expect(await run('--record')).toEqual([0, 4]);
    expect(project.read('shop.jsonl')).toContain('"continuation":');
    expect((await project.run(['cache', 'clear'])).code).toBe(0);
    expect(await run()).toEqual([0, 4]);
    // Hashes that are filled again are those of the same requests.
    const recorded = project.read('shop.jsonl');
    project.write('shop.jsonl', recorded.replaceAll(/"requestHash":"\w+",/g, ''));
    const env = api.env(server.url);
    expect((await project.run(['cache', 'import', 'shop.jsonl'], { env })).code).toBe(0);
    expect(project.read('shop.jsonl')).toBe(recorded);
    expect((await project.run(['baseline', 'accept'])).code).toBe(0);
    const stored = project.files().filter((path) => !/^(shop\.|llmcheck\.|\.llmcheck\/cache)/.test(path));
    expect(stored.length).toBeGreaterThan(1);
    for (const path of stored) expect(project.read(path)).not.toMatch(/continuation|SIGNED-/);
  });
});

describe.skipIf(redisPath === undefined)('through a queue', () => {
  test('a worker sends back what an API wants', { tags: 'slow' }, async () => {
    const api = reasoningApis.find(({ name }) => name === 'Anthropic');
    if (api === undefined) throw new Error('no Anthropic');
    const redis = await startRealRedis();
    const project = openAgentOver(api);
    const server = await startStrictApi(api);
    const env = api.env(server.url);
    const url = `redis://127.0.0.1:${redis.port}/0`;
    const worker = await startWorker(project.root, ['--queue', url], env);
    const { code } = await project.report(['run', '--no-baseline', '--queue', url], { env });
    expect([code, server.requests.length]).toEqual([0, 4]);
    await worker.stop();
  });
});
