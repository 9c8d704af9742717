import { describe, expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** Names in the list of commands that a help text ends with. */
function commandsIn(help: string): readonly string[] {
  const [, list = ''] = help.split('Commands:\n');
  return [...list.matchAll(/^ {2}([a-z-]+)\b/gm)].map(([, name = '']) => name);
}

describe('help', () => {
  test('shows an example on stdout for every command and subcommand', async () => {
    const project = openTempProject();
    const list = (await project.run(['--help'])).stdout;
    expect(list.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const names = commandsIn(list).filter((name) => name !== 'help');
    const pending = names.map((name) => [name]);
    expect(names).toEqual(expect.arrayContaining(['run', 'validate', 'list', 'init', 'report', 'cache', 'schema']));
    for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
      const { code, stdout, stderr } = await project.run([...path, '--help']);
      expect([path, code, stderr]).toEqual([path, 0, '']);
      expect(stdout).not.toMatch(/default:\s+(?:\[|"")/);
      expect(stdout).toMatch(new RegExp(`Examples?:\\n +\\$ llmcheck ${path.join(' ')}`));
      for (const name of commandsIn(stdout)) if (name !== 'help') pending.push([...path, name]);
    }
  });

  test('is a command too', async () => {
    const project = openTempProject();
    const { code, stdout } = await project.run(['help', 'run']);
    expect(code).toBe(0);
    expect(stdout).toBe((await project.run(['run', '--help'])).stdout);
  });
});

test('--version prints the version', async () => {
  const project = openTempProject();
  const { code, stdout } = await project.run(['--version']);
  expect([code, /^\d+\.\d+\.\d+\n$/.test(stdout)]).toEqual([0, true]);
});

test.each([
  [[]],
  [['rnu']],
  [['list']],
  [['list', 'nonsense']],
  [['schema', 'nonsense']],
  [['cache']],
  [['cache', 'nonsense']],
  [['--nonsense']],
])('%j is a usage error that leaves stdout empty', async (argv) => {
  const project = openTempProject();
  const { code, stdout, stderr } = await project.run(argv);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).not.toBe('');
});

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
    const { code, stdout } = await project.run(['init', 'my project']);
    expect([code, stdout]).toEqual([0, expect.stringContaining("\nNext: cd 'my project' && llmcheck run  ")]);
    expect(project.files('my project/evals')).not.toHaveLength(0);
    expect((await project.run(['init', '.'])).stdout).toContain('\nNext: llmcheck run  ');
  });
});

describe('list', () => {
  test.each(['suites', 'cases', 'providers', 'assertions', 'reporters', 'runs'])(
    '%s as a table and as JSON',
    async (what) => {
      const project = openTempProject('echo');
      const server = await startEchoServer();
      await project.run(['run'], { env: server.env });
      const table = await project.run(['list', what]);
      const json = await project.run(['list', what, '--json']);
      expect([table.code, json.code]).toEqual([0, 0]);
      const rows = JSON.parse(json.stdout) as object[];
      expect(rows.length).toBeGreaterThan(0);
      expect(table.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(rows.length);
    },
  );

  test('assertions with parameters, example, failure reason and source, all or the named ones', async () => {
    const project = openTempProject();
    const all = JSON.parse((await project.run(['list', 'assertions', '--json'])).stdout) as object[];
    expect(all.length).toBeGreaterThan(30);
    for (const one of all) expect(Object.values(one).every((value) => value !== null && value !== '')).toBe(true);
    const { stdout } = await project.run(['list', 'assertions', 'contains']);
    expect(stdout).toMatch(/^contains \(text\)\n {2}summary .*\n {2}parameters {2}value, ignoreCase\n {2}example .*/);
    expect(stdout).toContain('  failure     does not contain "refund": found "It is on its way."\n  definition  ');
    const unknown = await project.run(['list', 'assertions', 'contians']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean "contains"?')]);
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
    for (const name of project.files('.llmcheck/answers')) {
      project.write(name, project.read(name).replace('"red"', '"rad"'));
    }
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
    project.write('file', 'no folder');
    const { code, stderr } = await project.run(['cache', 'export', 'file/x.jsonl']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a part of the path is not a folder (ENOTDIR)')]);
  });
});

test.each([['plan-size'], ['assertions', 'check'], ['calibrate']])(
  '%s %s breaks no word at the edge of a terminal',
  { tags: ['slow'] },
  async (...argv) => {
    const project = openTempProject('echo');
    const server = await startEchoServer();
    for (let run = 0; run < 2; run += 1)
      await project.run(['run', '--trials', '3', '--cache', 'off'], { env: server.env });
    const whole = await project.run(argv);
    const narrow = await project.run(argv, { columns: 60 });
    expect(whole.stdout.split('\n').some((line) => line.length > 60)).toBe(true);
    expect(narrow.stdout.split('\n').filter((line) => line.length > 60)).toEqual([]);
    expect(narrow.stdout.split(/\s+/)).toEqual(whole.stdout.split(/\s+/));
  },
);
