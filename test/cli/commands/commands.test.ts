import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const commands = ['run', 'validate', 'list', 'init', 'report', 'cache', 'schema'];

describe('help', () => {
  test.each(commands)('%s --help shows an example on stdout', async (command) => {
    const project = openTempProject();
    const { code, stdout, stderr } = await project.run([command, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/Examples?:\n +\$ llmcheck /);
  });

  test.each(['stats', 'list', 'clear', 'prune', 'verify', 'export', 'import'])('cache %s --help works', async (action) => {
    const project = openTempProject();
    const { code, stdout } = await project.run(['cache', action, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:\n +\$ llmcheck cache /);
  });

  test('the program itself, with every command in it', async () => {
    const project = openTempProject();
    const { code, stdout } = await project.run(['--help']);
    expect(code).toBe(0);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
    expect(await project.run(['help', 'run'])).toMatchObject({ code: 0 });
  });
});

test('--version prints the version', async () => {
  const project = openTempProject();
  const { code, stdout } = await project.run(['--version']);
  expect([code, /^\d+\.\d+\.\d+\n$/.test(stdout)]).toEqual([0, true]);
});

test.each([[[]], [['rnu']], [['list']], [['list', 'nonsense']], [['schema', 'nonsense']], [['cache']], [['cache', 'nonsense']], [['--nonsense']]])(
  '%j is a usage error that leaves stdout empty',
  async (argv) => {
    const project = openTempProject();
    const { code, stdout, stderr } = await project.run(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).not.toBe('');
  },
);

test('a misspelt command is suggested', async () => {
  const project = openTempProject();
  expect((await project.run(['valdate'])).stderr).toContain('validate');
});

describe('init', () => {
  test('in an empty folder makes a project that is valid and passes without a key', async () => {
    const project = openTempProject();
    expect((await project.run(['init'])).code).toBe(0);
    expect((await project.run(['validate'])).code).toBe(0);
    const { code, report } = await project.report(['run']);
    expect(code).toBe(0);
    expect(report.totals.errored).toBe(0);
    expect(report.totals.passed).toBeGreaterThan(0);
    expect(project.read('.gitignore')).toContain('.llmcheck/');
  });

  test('keeps what is there, also on a second run, and --force overwrites', async () => {
    const project = openTempProject();
    project.write('.gitignore', 'node_modules');
    await project.run(['init']);
    expect(project.read('.gitignore')).toBe('node_modules\n.llmcheck/\n');
    project.write('evals/prompts/greeting.v1.md', 'mine {{ name }} {{ topic }}');
    const again = await project.run(['init']);
    expect(again.stdout).toContain('kept');
    expect(project.read('evals/prompts/greeting.v1.md')).toContain('mine');
    expect(project.read('.gitignore')).toBe('node_modules\n.llmcheck/\n');
    await project.run(['init', '--force']);
    expect(project.read('evals/prompts/greeting.v1.md')).not.toContain('mine');
    expect((await project.run(['run'])).code).toBe(0);
  });

  test('takes a folder', async () => {
    const project = openTempProject();
    expect((await project.run(['init', 'my project'])).code).toBe(0);
    expect(project.files('my project/evals')).not.toHaveLength(0);
  });
});

describe('list', () => {
  test.each(['suites', 'cases', 'providers', 'assertions', 'reporters', 'runs'])('%s as a table and as JSON', async (what) => {
    const project = openTempProject('echo');
    const server = await startEchoServer();
    await project.run(['run'], { env: server.env });
    const table = await project.run(['list', what]);
    const json = await project.run(['list', what, '--json']);
    expect([table.code, json.code]).toEqual([0, 0]);
    const rows = JSON.parse(json.stdout) as object[];
    expect(rows.length).toBeGreaterThan(0);
    expect(table.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(rows.length);
  });

  test('runs of a new project are none, and no crash', async () => {
    const project = openTempProject();
    expect(await project.run(['list', 'runs'])).toMatchObject({ code: 0 });
    expect(JSON.parse((await project.run(['list', 'runs', '--json'])).stdout)).toEqual([]);
  });

  test('a damaged record does not hide the other runs', async () => {
    const project = openTempProject('echo');
    const server = await startEchoServer();
    await project.run(['run'], { env: server.env });
    project.write('.llmcheck/runs/20200101-000000-abcdef.jsonl', 'garbage\n');
    const { code, stdout } = await project.run(['list', 'runs', '--json']);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as unknown[]).length).toBeGreaterThanOrEqual(1);
  });
});

describe('cache', () => {
  async function openCached() {
    const project = openTempProject('echo');
    const server = await startEchoServer();
    await project.run(['run'], { env: server.env });
    return { project, server };
  }

  test('stats and list count what is there', async () => {
    const { project } = await openCached();
    const stats = JSON.parse((await project.run(['cache', 'stats', '--json'])).stdout) as { entries: number };
    expect(stats.entries).toBe(3);
    expect((await project.run(['cache', 'stats'])).stdout).toContain('3 entries');
    const listed = (await project.run(['cache', 'list', '--json'])).stdout.trim().split('\n');
    expect(listed.map((line) => (JSON.parse(line) as { text: string }).text).sort()).toEqual(['green', 'red', 'seven']);
    expect((await project.run(['cache', 'list', '--limit', '1'])).stdout.trim().split('\n')).toHaveLength(1);
    expect((await project.run(['cache', 'list', '--limit', 'x'])).code).toBe(2);
  });

  test('export, clear and import bring every answer back', async () => {
    const { project, server } = await openCached();
    expect((await project.run(['cache', 'export', 'answers.jsonl'])).code).toBe(0);
    expect((await project.run(['cache', 'export'])).stdout).toBe(project.read('answers.jsonl'));
    expect((await project.run(['cache', 'clear'])).stdout).toContain('removed 3');
    expect((await project.run(['run', '--cache', 'replay'], { env: server.env })).code).toBe(3);
    expect((await project.run(['cache', 'import', 'answers.jsonl'])).stdout).toContain('imported 3');
    expect((await project.run(['run', '--cache', 'replay'], { env: server.env })).code).toBe(0);
    expect(server.requests).toHaveLength(3);
  });

  test('verify finds what is damaged, and --fix removes it', async () => {
    const { project } = await openCached();
    const [entry = ''] = project.files('.llmcheck/cache');
    project.write(entry, project.read(entry).replace('e', 'f'));
    const found = await project.run(['cache', 'verify']);
    expect([found.code, found.stdout.includes('1 damaged')]).toEqual([1, true]);
    expect((await project.run(['cache', 'verify', '--fix'])).code).toBe(0);
    expect((await project.run(['cache', 'verify'])).stdout).toContain('2 entries checked, 0 damaged');
  });

  test('prune asks what to remove, and removes it', async () => {
    const { project } = await openCached();
    expect((await project.run(['cache', 'prune'])).code).toBe(2);
    expect((await project.run(['cache', 'prune', '--older-than', '1h'])).stdout).toContain('removed 0');
    const later = { now: () => new Date(Date.now() + 7_200_000) };
    expect((await project.run(['cache', 'prune', '--older-than', '1h'], later)).stdout).toContain('removed 3');
    expect((await project.run(['cache', 'prune', '--older-than', 'soon'])).code).toBe(2);
  });

  test('an empty cache is no error', async () => {
    const project = openTempProject();
    for (const action of ['stats', 'list', 'clear', 'verify', 'export']) {
      expect([action, (await project.run(['cache', action])).code]).toEqual([action, 0]);
    }
  });

  test('a file that can not be read or written is a usage error', async () => {
    const { project } = await openCached();
    expect((await project.run(['cache', 'import', 'none.jsonl'])).code).toBe(2);
    const { code, stderr } = await project.run(['cache', 'export', 'no/such/folder/x.jsonl']);
    expect([code, stderr.includes('this is a bug')]).toEqual([2, false]);
  });
});
