import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import type { ChatServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject, trialsOf } from '../../support/temp-project.ts';

/** Real tools that write down each call they get. */
const answers = `import { appendFileSync } from 'node:fs';
const log = (name, args) => appendFileSync(new URL('calls.log', import.meta.url), name + ' ' + JSON.stringify(args) + '\\n');
export const tools = {
  find_order(args) {
    log('find_order', args);
    if (args.order_id === '404') throw new Error('no such order');
    return { order_id: args.order_id, state: 'open', mail: 'ann@example.com', note: 'costs {{ price }}' };
  },
  say(args) {
    log('say', args);
    return process.env.SHOP_KEY ?? 'no key';
  },
  crash(args) {
    log('crash', args);
    process.exit(3);
  },
  flood: () => 'x'.repeat(300 * 1024),
};
`;

const program = `import { readFileSync } from 'node:fs';
import { tools } from './real.mjs';
const { tool, arguments: args } = JSON.parse(readFileSync(0, 'utf8'));
try {
  const result = tools[tool](args);
  console.log(typeof result === 'string' ? result : JSON.stringify(result));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
`;

interface ShopOptions {
  readonly record?: string;
  readonly stubs?: string;
  readonly tools?: string;
  readonly cases?: number;
  readonly head?: string;
}

function openShop({
  record = '{ module: tools/real.mjs }',
  tools = `{ file: stubs/shop.yaml, record: ${record} }`,
  stubs,
  cases = 1,
  head = '',
}: ShopOptions = {}): TempProject {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: [shop.eval.yaml]\n');
  project.write('tools/real.mjs', answers);
  project.write('tools/program.mjs', program);
  if (stubs !== undefined) project.write('stubs/shop.yaml', stubs);
  const ids = Array.from({ length: cases }, (_, index) => `  - { id: case-${index}, assert: [{ contains: Done }] }`);
  project.write(
    'shop.eval.yaml',
    `suite: shop
prompts: [{ id: v1, text: "Cancel order 7731." }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
${head}tools: ${tools}
gate: { confirm: { budget: 0 } }
cases:
${ids.join('\n')}
`,
  );
  return project;
}

async function runShop(
  project: TempProject,
  steps: readonly ScriptedStep[] | ChatServer,
  argv: readonly string[] = ['--record-tools'],
  env: Readonly<Record<string, string>> = {},
) {
  const server = 'requests' in steps ? steps : await startAgentServer(steps);
  const run = await project.report(['run', '--no-baseline', ...argv], { env: { ...server.env, ...env } });
  const [trial] = trialsOf(run.report);
  const why = trial?.error?.message ?? trial?.checks.find(({ pass }) => !pass)?.reason ?? '';
  return { ...run, server, trial, why, status: trial?.status };
}

const find = (id: string): ScriptedStep => [['find_order', { order_id: id }]];

function callsOf(project: TempProject): readonly string[] {
  return existsSync(project.path('tools/calls.log')) ? project.read('tools/calls.log').trim().split('\n') : [];
}

describe('--record-tools', () => {
  for (const record of ['{ module: tools/real.mjs }', '{ exec: node tools/program.mjs }']) {
    test(`asks real tools once and writes stubs that answer later runs: ${record}`, { tags: 'slow' }, async () => {
      const project = openShop({ record, cases: 3 });
      const server = await startAgentServer([find('8'), find('404'), find('7731'), find('8'), 'Done.']);
      const first = await runShop(project, server);
      expect([first.code, first.report.totals.passed]).toEqual([0, 3]);
      expect(callsOf(project).toSorted()).toEqual(
        ['404', '7731', '8'].map((id) => `find_order {"order_id":"${id}"}`).toSorted(),
      );
      expect(first.stderr).toContain('--record-tools: 3 stubs written to stubs/shop.yaml; review and commit it');
      const text = project.read('stubs/shop.yaml');
      const result = (id: string) => ({ order_id: id, state: 'open', mail: '***', note: 'costs {{ price }}' });
      expect(parse(text)).toEqual({
        find_order: [
          { when: { order_id: '404' }, compare: 'exact', fails: 'no such order' },
          { when: { order_id: '7731' }, compare: 'exact', templates: false, returns: result('7731') },
          { when: { order_id: '8' }, compare: 'exact', templates: false, returns: result('8') },
        ],
      });
      const requests = server.requests.length;
      const second = await runShop(project, server, []);
      expect([second.code, second.report.totals.passed, callsOf(project).length]).toEqual([0, 3, 3]);
      // The stubs give what the model was told, so every answer of the model is in the cache.
      expect([server.requests.length, second.report.totals.cached]).toEqual([requests, 3]);
      const third = await runShop(project, server);
      expect([third.code, callsOf(project).length, project.read('stubs/shop.yaml')]).toEqual([0, 3, text]);
      expect(third.stderr).not.toContain('written to');
    });
  }

  test('keeps the stubs and comments of the file, and asks for no call that one answers', {
    tags: 'slow',
  }, async () => {
    const stubs = `# The shop's tools.
issue_refund: { never: true } # must not happen

find_order:
  # Known.
  - { when: { order_id: "8" }, returns: "by hand" }
say: { when: { all: true }, returns: hello }
`;
    const project = openShop({ stubs });
    const run = await runShop(project, [find('8'), find('7731'), [['say', {}]], 'Done.']);
    expect([run.code, callsOf(project)]).toEqual([0, ['find_order {"order_id":"7731"}', 'say {}']]);
    const text = project.read('stubs/shop.yaml');
    for (const kept of ["# The shop's tools.", 'never: true } # must not happen', '# Known.', 'returns: "by hand"']) {
      expect(text).toContain(kept);
    }
    expect(parse(text)).toMatchObject({
      issue_refund: { never: true },
      find_order: [{ returns: 'by hand' }, { when: { order_id: '7731' } }],
      say: [{ returns: 'hello' }, { when: {}, compare: 'exact', returns: 'no key' }],
    });
    const refund = await runShop(project, [[['issue_refund', {}]], 'Done.']);
    expect(refund.why).toContain('must never call');
  });

  test('masks secrets, and records no call whose arguments hold one', { tags: 'slow' }, async () => {
    const record = '{ module: tools/real.mjs, env: [SHOP_KEY] }';
    // One has the form of a key, the other is the value of a variable.
    for (const key of ['sk-ant-abcdefghij0123456789abcdef', 'open sesame, please']) {
      const project = openShop({ record });
      const steps: readonly ScriptedStep[] = [[['say', {}]], [['say', { key }]], 'Done.'];
      const run = await runShop(project, steps, ['--record-tools'], { SHOP_KEY: key });
      expect(run.why).toContain('is not recorded: its arguments hold a secret');
      expect(callsOf(project)).toEqual(['say {}']);
      expect(parse(project.read('stubs/shop.yaml'))).toEqual({ say: [{ when: {}, compare: 'exact', returns: '***' }] });
      expect(run.server.requests.map(({ body }) => JSON.stringify(body)).at(-1)).not.toContain(`"content":"${key}"`);
    }
  });

  test('goes on in a run that is resumed', { tags: ['slow'] }, async () => {
    const project = openShop();
    const keyless = await runShop(project, [find('8'), 'Done.'], ['--record-tools'], { OPENAI_API_KEY: '' });
    expect([keyless.code, callsOf(project)]).toEqual([3, []]);
    const resumed = await project.report(['run', '--resume'], { env: keyless.server.env });
    expect([resumed.code, callsOf(project)]).toEqual([0, ['find_order {"order_id":"8"}']]);
    expect(resumed.stderr).toContain('--record-tools: 1 stub written to stubs/shop.yaml');
  });

  test('records no tool that can not be run, and says why', { tags: 'slow' }, async () => {
    const module = openShop();
    const crashed = await runShop(module, [[['crash', {}]], 'Done.']);
    expect([crashed.code, crashed.status]).toEqual([3, 'errored']);
    expect(crashed.stderr).toContain('--record-tools: "crash" with "{}" is not recorded: tools:');
    const unknown = await runShop(module, [[['send_mail', {}]], 'Done.']);
    expect([unknown.status, unknown.why]).toEqual(['failed', expect.stringContaining('export "send_mail" from')]);
    const long = await runShop(module, [[['flood', {}]], 'Done.']);
    expect([long.status, long.why]).toEqual(['failed', expect.stringContaining('bytes')]);
    const list = await runShop(module, [[['say', '[1]']], 'Done.']);
    expect([list.status, list.why]).toEqual(['failed', expect.stringContaining('are no JSON object')]);
    expect(existsSync(module.path('stubs/shop.yaml'))).toBe(false);
    const busy = openShop({ record: '{ exec: "sh -c \'cat > /dev/null; exit 75\'" }' });
    expect((await runShop(busy, [[['busy', {}]], 'Done.'])).why).toContain('ended with exit code 75');
    const slow = openShop({ record: '{ exec: sleep 60, timeout: 300ms }' });
    expect((await runShop(slow, [[['say', {}]], 'Done.'])).why).toContain('took longer than 300 ms');
    const missing = openShop({ record: '{ exec: no-such-program }' });
    expect((await runShop(missing, [[['say', {}]], 'Done.'])).why).toContain("can't be started");
  });

  test('is refused on pull requests, without an answer of real tools, and where nothing names them', async () => {
    const project = openShop();
    const refusals: readonly (readonly [readonly string[], Readonly<Record<string, string>>, string])[] = [
      [[], { GITHUB_EVENT_NAME: 'pull_request_target' }, 'GITHUB_EVENT_NAME says that this is one'],
      [[], { CI_MERGE_REQUEST_IID: '7' }, 'CI_MERGE_REQUEST_IID says that this is one'],
      [[], { BUILDKITE_PULL_REQUEST: '12' }, 'BUILDKITE_PULL_REQUEST says'],
      [['--cache', 'replay'], {}, '--cache replay is given'],
      [['--watch'], {}, '--watch is given'],
    ];
    for (const [argv, env, words] of refusals) {
      const run = await project.run(['run', '--record-tools', ...argv], { env: { OPENAI_API_KEY: 'k', ...env } });
      expect([run.code, run.stderr]).toEqual([2, expect.stringContaining(words)]);
    }
    const push = { GITHUB_EVENT_NAME: 'push', BUILDKITE_PULL_REQUEST: 'false' };
    expect((await runShop(project, ['Done.'], ['--record-tools'], push)).code).toBe(0);
    const replayed = openShop({ head: 'recordings: r.jsonl\n' });
    const run = await replayed.run(['run', '--record-tools'], { env: { OPENAI_API_KEY: 'k' } });
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('is answered from its recordings')]);
    const plain = openShop({ tools: '{ say: { returns: hello } }' });
    const none = await plain.run(['run', '--record-tools'], { env: { OPENAI_API_KEY: 'k' } });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no case of this run names real tools')]);
    expect(callsOf(project)).toEqual([]);
  });

  test('asks nothing for --dry-run, and a run without it fails the call with the way to record it', async () => {
    const project = openShop();
    const dry = await project.run(['run', '--record-tools', '--dry-run'], { env: { OPENAI_API_KEY: 'k' } });
    expect([dry.code, callsOf(project)]).toEqual([0, []]);
    const run = await runShop(project, [find('8'), 'Done.'], []);
    expect([run.status, run.why]).toEqual([
      'failed',
      expect.stringContaining('or record it: llmcheck run --record-tools'),
    ]);
    expect(run.stderr).toContain('stubs/shop.yaml does not exist yet');
    expect(callsOf(project)).toEqual([]);
  });

  test('is bounded by the longest result that real tools may give', async () => {
    const project = openShop({ stubs: 'say: { returns: hello }\n' });
    const suite = project
      .read('shop.eval.yaml')
      .replace('gpt-4o-mini" }', 'gpt-4o-mini", params: { max_tokens: 20 } }');
    project.write('shop.eval.yaml', suite);
    const boundOf = async (...flags: readonly string[]) => {
      const { stdout } = await project.run(['run', '--dry-run', ...flags], { env: { OPENAI_API_KEY: 'k' } });
      return Number(/at most \$([\d.]+)/.exec(stdout)?.[1]);
    };
    const [stubbed, recorded] = [await boundOf(), await boundOf('--record-tools')];
    // Ten requests, of which each repeats the results before it: 16 of 256 KiB a step, at 0.15 USD for a million tokens.
    const resultsUsd = 45 * 16 * 256 * 1024 * 0.15e-6;
    expect(stubbed).toBeLessThan(1);
    expect(recorded).toBeGreaterThan(resultsUsd);
    expect(recorded).toBeLessThan(resultsUsd + 1);
  });

  test('leaves the file whole where it can not be written, and nothing beside it', { tags: 'slow' }, async () => {
    const stubs = 'say: { returns: hello }\n';
    const project = openShop({ stubs });
    const server = await startAgentServer([find('8'), 'Done.']);
    // The file breaks between the start of the run and its end.
    const broken = openShop({ stubs });
    broken.write(
      'tools/real.mjs',
      answers.replace(
        "log('find_order', args);",
        "appendFileSync(new URL('../stubs/shop.yaml', import.meta.url), '{ not yaml');",
      ),
    );
    const run = await broken.report(['run', '--no-baseline', '--record-tools'], { env: server.env });
    expect(run.stderr).toContain("stubs/shop.yaml can't be read any more");
    expect(broken.read('stubs/shop.yaml')).toBe(`${stubs}{ not yaml`);
    expect(readdirSync(broken.path('stubs'))).toEqual(['shop.yaml']);
    expect(run.code).not.toBe(0);
    expect((await runShop(project, [find('8'), 'Done.'])).code).toBe(0);
    expect(readdirSync(project.path('stubs'))).toEqual(['shop.yaml']);
  });

  test('is also the name of a tool, whose stubs say what it returns', async () => {
    for (const stub of ['{ returns: kept }', '{ fails: full }', '{ never: true }', '[{ returns: kept }]']) {
      const { code, stderr } = await openShop({ tools: `{ record: ${stub} }` }).run(['validate']);
      expect([stub, code, stderr.includes('error')]).toEqual([stub, 0, false]);
    }
  });

  test('reports what is wrong with record at its place', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['{ record: { module: tools/real.mjs } }', 'record needs the YAML file'],
      ['{ file: stubs/shop.json, record: { module: tools/real.mjs } }', 'record needs the YAML file'],
      ['{ file: s.yaml, record: { module: tools/real.mjs, exec: node x } }', 'needs one of module, exec and mcp'],
      ['{ file: s.yaml, record: { modul: tools/real.mjs } }', 'unknown key "modul"'],
      ['{ file: s.yaml, record: { module: tools/none.mjs } }', 'tools/none.mjs'],
      ["{ file: s.yaml, record: { exec: 'node \"x' } }", "can't be read"],
      ['{ file: ../s.yaml, record: { module: tools/real.mjs } }', 'outside'],
      ['{ file: s.yaml }', 's.yaml'],
      ['{ module: tools/real.mjs, timeout: soon }', 'timeout'],
      ['{ module: tools/real.mjs, memoryMb: 1 }', 'memoryMb'],
      ['self.yaml', 'a file of stubs can\'t have "file"'],
    ];
    for (const [tools, words] of wrong) {
      const project = openShop({ tools });
      project.write('self.yaml', 'file: self.yaml\n');
      const run = await project.run(['validate']);
      expect([tools, run.code, run.stderr]).toEqual([tools, 2, expect.stringContaining(words)]);
    }
  });
});
