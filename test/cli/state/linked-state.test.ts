import { mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const key = 'ab'.repeat(32);

function openEcho(): TempProject {
  const project = openTempProject();
  project.write(
    'evals/echo.eval.yaml',
    `suite: echo
prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: program, use: "exec:node -e console.log(1)" }]
cases: [{ id: one, vars: { word: one }, assert: [{ contains: "1" }] }]
`,
  );
  return project;
}

/** A folder outside of the project, with files of the names that llmcheck gives its own. */
function openVictim(): TempProject {
  const victim = openTempProject();
  for (const folder of ['', 'cache/']) victim.write(`${folder}ab/${key}.json`, 'an answer');
  for (const folder of ['', 'runs/']) victim.write(`${folder}20260101-000000-abcd.jsonl`, 'a record');
  victim.write('publish/job.json', 'a comment');
  return victim;
}

function linkTo(project: TempProject, name: string, target: string): void {
  mkdirSync(dirname(project.path(name)), { recursive: true });
  symlinkSync(target, project.path(name));
}

const commands: readonly (readonly string[])[] = [
  ['run', '--no-baseline'],
  ['run', '--dry-run', '--no-baseline'],
  ['run', '--resume'],
  ['run', '--last-failed'],
  ['list', 'runs'],
  ['report', 'latest'],
  ['baseline', 'accept'],
  ['compare', 'latest', 'latest'],
  ['cache', 'stats'],
  ['cache', 'list'],
  ['cache', 'clear'],
  ['cache', 'prune', '--max-size', '0'],
  ['cache', 'verify', '--fix'],
  ['cache', 'export'],
];

describe('a folder of state that leads out of the project is neither read, written nor cleared', () => {
  test.each(commands.map((argv) => [argv.join(' '), argv] as const))('%s', async (_name, argv) => {
    const isOfCache = argv[0] === 'cache' || argv.includes('--no-baseline');
    for (const part of ['.llmcheck', isOfCache ? '.llmcheck/answers' : '.llmcheck/runs']) {
      const project = openEcho();
      const victim = openVictim();
      const before = victim.files();
      linkTo(project, part, victim.root);
      const { code, stderr } = await project.run(argv);
      expect(stderr).toContain('lies outside the project');
      expect(stderr).toContain('remove the link');
      expect(code).toBe(2);
      expect(victim.files()).toEqual(before);
    }
  });

  test('what lies in a linked folder of the cache is left alone', { tags: ['slow'] }, async () => {
    const project = openEcho();
    const victim = openVictim();
    const before = victim.files();
    await project.run(['run', '--no-baseline']);
    await project.run(['cache', 'clear']);
    for (const name of ['index.json', '000001-0123456789ab.jsonl'])
      linkTo(project, `.llmcheck/answers/${name}`, victim.path(`ab/${key}.json`));
    linkTo(project, '.llmcheck/answers/000002-0123456789ab.jsonl', victim.path('ab'));
    for (const argv of [['clear'], ['prune', '--max-size', '0'], ['verify', '--fix'], ['stats']]) {
      expect((await project.run(['cache', ...argv])).code).toBe(0);
    }
    const { code, stderr } = await project.run(['run', '--no-baseline']);
    expect(stderr).toContain('000001-0123456789ab.jsonl is not a file of the cache. It is not read.');
    expect(code).toBe(0);
    expect(victim.files()).toEqual(before);
  });

  test('a record that is a link is no stored run', async () => {
    const project = openEcho();
    const victim = openVictim();
    linkTo(project, '.llmcheck/runs/20260101-000000-abcd.jsonl', victim.path('20260101-000000-abcd.jsonl'));
    expect((await project.run(['list', 'runs'])).stdout).not.toContain('20260101');
    const { code, stderr } = await project.run(['report', '.llmcheck/runs/20260101-000000-abcd.jsonl']);
    expect([code, stderr.includes('lies outside the project')]).toEqual([2, true]);
  });

  test('a link that stays in the project is followed, as every other path', async () => {
    const project = openEcho();
    mkdirSync(project.path('state'));
    linkTo(project, '.llmcheck', 'state');
    expect((await project.run(['run', '--no-baseline'])).code).toBe(0);
    expect(readdirSync(project.path('state'))).toEqual(['answers', 'machine-key', 'runs']);
  });

  test('a link into the folder of git is refused', async () => {
    const project = openEcho();
    mkdirSync(project.path('.git'));
    linkTo(project, '.llmcheck', '.git');
    const { code, stderr } = await project.run(['run', '--no-baseline']);
    expect([code, stderr.includes('lies in the folder .git')]).toEqual([2, true]);
  });
});

describe('init writes nothing through a link out of the project', () => {
  test.each([
    'evals',
    'evals/prompts',
    '.gitignore',
    '.github',
    'llmcheck.config.yaml',
    'evals/recordings/greeting.jsonl',
  ])('%s', async (name) => {
    const project = openTempProject();
    const victim = openTempProject();
    const isFile = name.includes('.') && name !== '.github';
    linkTo(project, name, isFile ? victim.path('file') : victim.root);
    const { code, stderr } = await project.run(['init', '--force', '--ci', 'github']);
    expect([code, stderr.includes('lies outside the project')]).toEqual([2, true]);
    expect([victim.files(), project.files()]).toEqual([[], []]);
  });
});

describe('only the owner can read what llmcheck keeps', () => {
  const modes = (project: TempProject) => {
    const names = readdirSync(project.path('.llmcheck'), { recursive: true, encoding: 'utf8' });
    const all = ['.llmcheck', ...names.map((name) => `.llmcheck/${name}`)].map((name) => statSync(project.path(name)));
    return new Set(
      all.map((stats) => `${stats.isDirectory() ? 'folder' : 'file'} ${(stats.mode & 0o777).toString(8)}`),
    );
  };

  test.skipIf(process.platform === 'win32')('records, answers and their folders are private', async () => {
    const project = openEcho();
    await project.run(['run', '--no-baseline']);
    expect(modes(project)).toEqual(new Set(['folder 700', 'file 600']));
    await project.run(['run', '--no-baseline', '--resume']);
    await project.run(['cache', 'export', 'answers.jsonl']);
    await project.run(['cache', 'clear']);
    await project.run(['cache', 'import', 'answers.jsonl']);
    expect(modes(project)).toEqual(new Set(['folder 700', 'file 600']));
  });

  test.skipIf(process.platform === 'win32')('a folder that an earlier version made becomes private', async () => {
    const project = openEcho();
    mkdirSync(project.path('.llmcheck'), { mode: 0o755 });
    await project.run(['list', 'runs']);
    expect(statSync(project.path('.llmcheck')).mode & 0o777).toBe(0o700);
  });
});
