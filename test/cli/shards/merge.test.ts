import { describe, expect, test } from 'vitest';
import type { History } from '../../../src/model/report/history.ts';
import type { RunHeader } from '../../../src/model/run/record.ts';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, type TempProject, withoutTimes } from '../../support/temp-project.ts';

const words = Array.from({ length: 23 }, (_, index) => `w${index}`);

function suite(name: string, ids: readonly string[] = words): string {
  return `suite: ${name}
prompts: [{ id: v1, text: "Say: {{ word }}" }, { id: v2, text: "Say: {{ word }}", replaces: v1 }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
defaults: { trials: 2, assert: [{ equals: "{{ word }}" }] }
cases:
${ids.map((word) => `  - { id: ${word}, vars: { word: ${word} } }`).join('\n')}
`;
}

/** Every fifth word is answered wrongly. */
async function open() {
  const server = await startChatServer(({ text }) => (/[05]$/.test(text) ? 'wrong' : wordOf(text)));
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write('evals/a.eval.yaml', suite('a'));
  project.write('evals/b.eval.yaml', suite('b', ['one', 'two']));
  return { project, env: server.env };
}

/** Runs a shard; gives its record's path. */
async function runShard(
  project: TempProject,
  shard: string,
  env: Readonly<Record<string, string>>,
  more: readonly string[] = [],
) {
  const before = new Set(project.files('.llmcheck/runs'));
  await project.run(['run', '--shard', shard, ...more], { env });
  return project.files('.llmcheck/runs').find((file) => !before.has(file)) ?? '';
}

async function runShards(project: TempProject, count: number, env: Readonly<Record<string, string>>) {
  const records: string[] = [];
  for (let index = 1; index <= count; index += 1) records.push(await runShard(project, `${index}/${count}`, env));
  return records;
}

describe('llmcheck merge', () => {
  test('four shards are one run, whatever their order, and the gate speaks once', { tags: 'slow' }, async () => {
    const { project, env } = await open();
    // Each shard looks again at what it has found, which the whole run does at once.
    for (const file of ['evals/a.eval.yaml', 'evals/b.eval.yaml']) {
      project.write(file, `${project.read(file)}gate: { confirm: { budget: 0 } }\n`);
    }
    const whole = await project.report(['run'], { env });
    const [a = '', b = '', c = '', d = ''] = await runShards(project, 4, env);
    const merged = await project.report(['merge', c, a, d, b]);
    expect(merged.code).toBe(whole.code);
    const header = JSON.parse(project.read(a).split('\n')[0] ?? '') as RunHeader;
    expect(merged.report.run.startedAt).toBe(header.startedAt);
    expect(withoutTimes(merged.report)).toEqual(withoutTimes(whole.report));
    expect(merged.report.totals.planned).toBe(100);
  });

  test.each([
    [0, 'nothing was planned', ['--allow-empty']],
    [2, 'is not a shard', []],
  ])('shards that select no case at all end with %i: %s', async (code, text, more) => {
    const { project, env } = await open();
    const records: string[] = [];
    for (const shard of ['1/2', '2/2']) records.push(await runShard(project, shard, env, ['-t', 'nothing*', ...more]));
    const merged = await project.run(['merge', ...records]);
    expect([merged.code, merged.stdout + merged.stderr]).toEqual([code, expect.stringContaining(text)]);
  });

  test('a suite whose cases are all under observe is in the merged run', { tags: ['slow'] }, async () => {
    const { project, env } = await open();
    const watched = suite('c', ['one', 'two']).replaceAll(' vars:', ' observe: true, vars:');
    project.write('evals/c.eval.yaml', watched);
    const merged = await project.report(['merge', ...(await runShards(project, 2, env))]);
    expect(merged.report.suites.map((found) => found.suite)).toEqual(['a', 'b', 'c']);
    expect(merged.report.totals).toMatchObject({ planned: 100, observed: 8 });
  });

  test.each([
    ['all cases is a whole run', [], 2],
    ['a part of the cases is a partial run', ['-t', 'w1*'], 3],
  ])('a merged run of %s in the history', { tags: ['slow'] }, async (_, flags, partialRuns) => {
    const { project, env } = await open();
    const shards = [await runShard(project, '1/2', env, flags), await runShard(project, '2/2', env, flags)];
    await project.run(['merge', ...shards]);
    const { stdout } = await project.run(['history', '--suite', 'a', '-r', 'json']);
    expect((JSON.parse(stdout) as History).suites).toMatchObject([{ suite: 'a', partialRuns }]);
  });

  test('a cell whose row is gone leaves the merged run incomplete', { tags: ['slow'] }, async () => {
    const { project, env } = await open();
    const [first = '', second = ''] = await runShards(project, 2, env);
    const rows = project.read(first).split('\n');
    project.write(first, rows.filter((_, index) => index !== 2).join('\n'));
    const { code, report } = await project.report(['merge', first, second]);
    expect(report.run).toMatchObject({ complete: false });
    expect(report.decision.breaches.map((breach) => breach.code)).toContain('stopped');
    expect(code).not.toBe(0);
  });

  test('a case is broken by as many failures as in one run, since the shards are looked at as one', {
    tags: 'slow',
  }, async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `w${index}`);
    let failures = 0;
    const server = await startChatServer(({ text }) => {
      if (wordOf(text) !== 'w7' || failures === 0) return wordOf(text);
      failures -= 1;
      return 'wrong';
    });
    const { env } = server;
    const project = openTempProject();
    project.write('llmcheck.config.yaml', '');
    project.write('evals/a.eval.yaml', suite('a', ids).replace('trials: 2', 'trials: 1'));
    await project.run(['run', '--cache', 'off'], { env });
    await project.run(['baseline', 'accept'], { env });
    // One more and a run of 100 cases would call it broken; one of 25 would by now.
    failures = 5;
    const whole = await project.report(['run', '--cache', 'off', '--prompt', 'v2'], { env });
    const records: string[] = [];
    failures = 5;
    for (const shard of ['1/4', '2/4', '3/4', '4/4']) {
      records.push(await runShard(project, shard, env, ['--cache', 'off', '--prompt', 'v2']));
    }
    const merged = await project.report(['merge', ...records]);
    expect([whole.code, merged.code]).toEqual([0, 0]);
    expect(merged.report.decision).toEqual(whole.report.decision);
    expect(merged.report.totals).toMatchObject({ planned: whole.report.totals.planned, failed: 1 });
  });

  test.each([
    ['one is missing', 'shard 2/3 is missing', ([a, , c]: string[]) => [a, c]],
    ['one is there twice', 'shard 1/3 is there 2 times', ([a, b, c]: string[]) => [a, b, c, a]],
    [
      'one is no shard',
      'is not a shard: it was not run with --shard',
      ([a, b, c, whole]: string[]) => [a, b, c, whole],
    ],
    ['one is of another selection', 'another selection', ([, b, c, , filtered]: string[]) => [filtered, b, c]],
    ['one is of another number', 'another number of shards', ([a, b, , , , half]: string[]) => [a, b, half]],
    ['one was cut off', '--resume', ([a, b, , , , , cut]: string[]) => [a, b, cut]],
  ])('is refused where %s, and nothing is written', { tags: 'slow' }, async (_, message, choose) => {
    const { project, env } = await open();
    const records = await runShards(project, 3, env);
    await project.run(['run'], { env });
    const whole = project.files('.llmcheck/runs').find((file) => !records.includes(file)) ?? '';
    const filtered = await runShard(project, '1/3', env, ['-t', 'a/*']);
    const half = await runShard(project, '2/2', env);
    project.write('cut.jsonl', project.read(records[2] ?? '').replace(/\{"type":"end".*\n$/, ''));
    const before = project.files('.llmcheck/runs');
    const chosen = choose([...records, whole, filtered, half, 'cut.jsonl']).map(String);
    const { code, stderr } = await project.run(['merge', ...chosen]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(project.files('.llmcheck/runs')).toEqual(before);
  });

  test('a shard whose row is damaged is refused, and nothing of it is stored', { tags: ['slow'] }, async () => {
    const { project, env } = await open();
    const [first = '', second = ''] = await runShards(project, 2, env);
    const lines = project.read(second).split('\n');
    lines[5] = (lines[5] ?? '').replace(/.$/, '?');
    project.write(second, lines.join('\n'));
    const before = project.files('.llmcheck/runs');
    expect((await project.run(['merge', first, second])).code).toBe(2);
    expect(project.files('.llmcheck/runs')).toEqual(before);
  });

  test('two shards that hold one cell are refused by the names of both and of the cell', {
    tags: ['slow'],
  }, async () => {
    const { project, env } = await open();
    const [first = '', second = ''] = await runShards(project, 2, env);
    const [row = '', ...others] = project
      .read(first)
      .split('\n')
      .filter((line) => line.startsWith('{"type":"cell"'));
    const { suite: name, caseId, prompt, provider } = JSON.parse(row) as Readonly<Record<string, string>>;
    const lines = project.read(second).split('\n');
    project.write(second, [lines[0], row, ...others.slice(0, 4), ...lines.slice(1)].join('\n'));
    const before = project.files('.llmcheck/runs');
    const { code, stderr } = await project.run(['merge', first, second]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${first} and ${second} both hold trial 1 of ${name}/${caseId} (${prompt} × ${provider})`);
    expect(stderr.match(/both hold/g)).toHaveLength(3);
    expect(stderr).not.toContain('trial 0 of');
    expect(project.files('.llmcheck/runs')).toEqual(before);
  });

  test('each shard may have a cost limit of its own in its environment', { tags: 'slow' }, async () => {
    const { project, env } = await open();
    const first = await runShard(project, '1/2', { ...env, LLMCHECK_MAX_COST: '1' });
    const second = await runShard(project, '2/2', { ...env, LLMCHECK_MAX_COST: '2' });
    const { report } = await project.report(['merge', first, second]);
    expect(report.totals.planned).toBe(100);
    // What both have noted is said once.
    expect(report.notes.filter((note) => note.includes('set no limit on output tokens'))).toHaveLength(1);
  });

  test.each([
    ['another number of trials', 'value of --trials, 3 instead of none', ['--trials', '3']],
    ['another version of the prompt', 'value of --prompt', ['--prompt', 'v1']],
    ['another filter that takes every case', 'value of --filter', ['-t', '*']],
    ['another cache mode', 'set of settings', ['--cache', 'off']],
  ])('%s is another run', { tags: ['slow'] }, async (_, message, more) => {
    const { project, env } = await open();
    const first = await runShard(project, '1/2', env);
    const second = await runShard(project, '2/2', env, more);
    const { code, stderr } = await project.run(['merge', first, second]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test.each([
    ['trials', ['trials: 2', 'trials: 3']],
    ['a case that must pass', ['{ id: two,', '{ id: two, mustPass: true,']],
    ['another prompt version', ['replaces: v1 }]', 'replaces: v1 }, { id: v3, text: "{{ word }}" }]']],
  ])('a suite that changed between two shards is another plan: %s', { tags: 'slow' }, async (_, [before, after]) => {
    const { project, env } = await open();
    const first = await runShard(project, '1/2', env);
    project.write('evals/b.eval.yaml', project.read('evals/b.eval.yaml').replace(String(before), String(after)));
    const second = await runShard(project, '2/2', env);
    const { code, stderr } = await project.run(['merge', first, second]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/another (?:plan|state)/)]);
  });

  test('a changed case between two shards is another state', { tags: ['slow'] }, async () => {
    const { project, env } = await open();
    const first = await runShard(project, '1/2', env);
    project.write('evals/b.eval.yaml', suite('b', ['one', 'three']));
    const second = await runShard(project, '2/2', env);
    const { code, stderr } = await project.run(['merge', first, second]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('another state, of the cases')]);
  });
});
