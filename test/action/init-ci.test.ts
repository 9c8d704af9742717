import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Typed } from '../../src/cli/io.ts';
import { installPrograms, runShell } from '../support/ci-shell.ts';
import { runGit } from '../support/git.ts';
import { runCli } from '../support/run-cli.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

interface Step {
  readonly uses?: string;
  readonly if?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly 'working-directory'?: string;
}

interface Workflow {
  readonly permissions: unknown;
  readonly concurrency: unknown;
  readonly jobs: { readonly prompts: { readonly 'timeout-minutes': number; readonly steps: readonly Step[] } };
}

const workflowFile = '.github/workflows/llmcheck.yml';

/** Each way to say which package manager a project uses, and what its job then runs. */
const managers: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ['no lockfile', {}, ['npm ci', 'npx llmcheck ci']],
  ['package-lock.json', { 'package-lock.json': '{}' }, ['npm ci', 'npx llmcheck ci']],
  ['pnpm-lock.yaml', { 'pnpm-lock.yaml': '' }, ['pnpm install --frozen-lockfile', 'pnpm exec llmcheck ci']],
  ['yarn.lock', { 'yarn.lock': '__metadata:\n' }, ['yarn install --immutable', 'yarn llmcheck ci']],
  [
    'yarn.lock of version 1',
    { 'yarn.lock': '# yarn lockfile v1\n' },
    ['yarn install --frozen-lockfile', 'npx llmcheck ci'],
  ],
  ['bun.lock', { 'bun.lock': '{}' }, ['bun install --frozen-lockfile', 'bun x llmcheck ci']],
  [
    'packageManager, which comes before a lockfile',
    { 'package.json': '{ "packageManager": "pnpm@10.2.0" }', 'package-lock.json': '{}' },
    ['pnpm install --frozen-lockfile', 'pnpm exec llmcheck ci'],
  ],
];

/** With this one, llmcheck is started by `npx`. With the others, only what they are told is looked at; other tests start pnpm. */
const isStarted = (manager: string): boolean => manager === 'no lockfile';

/** A repository, and the project that `init` begins in one of its folders. */
async function openInit(files: Readonly<Record<string, string>>, flags: readonly string[], folder = '.') {
  const project = openTempProject();
  runGit(project.root, 'init', '-q', '-b', 'main');
  for (const [path, text] of Object.entries(files)) project.write(path, text);
  project.write(`${folder}/.keep`, '');
  const result = await runCli(['init', ...flags], { cwd: project.path(folder) });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return { ...result, project };
}

/** Runs the steps of a job, and returns the first exit code that is not 0. */
async function runSteps(
  project: TempProject,
  steps: readonly { readonly lines: readonly string[]; readonly folder?: string; readonly env?: object }[],
  startsCli = true,
) {
  const env = { PATH: await installPrograms(project, startsCli), HOME: project.root, CI: 'true' };
  let log = '';
  for (const { lines, folder = '.', env: own } of steps) {
    const ran = await runShell(lines, { cwd: project.path(folder), env: { ...env, ...own } });
    log += ran.log;
    if (ran.code !== 0) return { code: ran.code, log };
  }
  return { code: 0, log };
}

function stepsOf(project: TempProject, file = workflowFile) {
  const { steps } = (parse(project.read(file)) as Workflow).jobs.prompts;
  return steps.flatMap(({ run, 'working-directory': folder }) =>
    run === undefined ? [] : [{ lines: [run], ...(folder !== undefined && { folder }) }],
  );
}

function breakSuite(project: TempProject, folder = ''): void {
  const file = `${folder}evals/greeting.eval.yaml`;
  project.write(file, project.read(file).replace('- contains: Ada', '- contains: Zoe'));
}

describe('init --ci github', () => {
  async function expectToRun(name: string, files: Readonly<Record<string, string>>, ran: readonly string[]) {
    const { project } = await openInit(files, ['--ci', 'github']);
    const passed = await runSteps(project, stepsOf(project), isStarted(name));
    expect(passed).toMatchObject({ code: 0 });
    const log = project.read('bin/log').split('\n');
    const [install = '', ci = ''] = ran;
    for (const command of [install, `${ci} github --comment`, `${ci} github --publish`]) {
      expect(log.filter((line) => line.startsWith(command))).toHaveLength(1);
    }
  }

  test.each(managers)('writes a workflow that runs, for a project with %s', expectToRun);

  test('writes a workflow that fails with a page', { tags: 'slow' }, async () => {
    const { project } = await openInit({}, ['--ci', 'github']);
    breakSuite(project);
    expect((await runSteps(project, stepsOf(project))).code).toBe(1);
    expect(project.files().filter((name) => name === 'llmcheck.html')).toHaveLength(1);
  });

  test.each(managers)('writes a workflow that is safe, for a project with %s', async (_, files) => {
    const { project } = await openInit(files, ['--ci', 'github']);
    const text = project.read(workflowFile);
    const { permissions, concurrency, jobs } = parse(text) as Workflow;
    expect([permissions, concurrency]).toEqual([{ contents: 'read' }, expect.anything()]);
    expect(jobs.prompts['timeout-minutes']).toBeLessThanOrEqual(30);
    const { steps } = jobs.prompts;
    for (const { uses = '' } of steps.filter((step) => step.uses !== undefined)) {
      expect(text).toMatch(new RegExp(`uses: ${uses} # v\\d+\\.\\d+\\.\\d+\n`));
      expect(uses).toMatch(/@[0-9a-f]{40}$/);
    }
    const using = (name: string) => steps.find(({ uses = '' }) => uses.startsWith(`${name}@`));
    expect(using('actions/checkout')?.with).toMatchObject({ 'persist-credentials': false, 'fetch-depth': 0 });
    expect(steps.filter(({ run = '' }) => run.includes('${{'))).toEqual([]);
    // What is kept of a red run.
    expect(using('actions/cache/restore')?.with).toMatchObject({ path: '.llmcheck/answers' });
    expect(using('actions/cache/save')).toMatchObject({
      if: '${{ !cancelled() }}',
      with: { path: '.llmcheck/answers' },
    });
    expect(using('actions/upload-artifact')).toMatchObject({
      if: '${{ !cancelled() }}',
      'continue-on-error': true,
      with: { name: 'llmcheck.html', path: 'llmcheck.html', archive: false },
    });
    // Secrets are given to the one step that needs them. What runs the suites has no token.
    expect(steps.filter(({ env }) => env !== undefined).map(({ run, env }) => [run, Object.keys(env ?? {})])).toEqual([
      [expect.stringContaining('llmcheck ci github --comment'), ['OPENAI_API_KEY']],
      [expect.stringMatching(/llmcheck ci github --publish$/), ['GITHUB_TOKEN', 'LLMCHECK_PAGE_URL']],
    ]);
  });

  test.each([
    ['trunk', ['trunk']],
    ['release/1.0', ['release/1.0']],
    ['a, b', ['main']],
  ])('runs on pushes to the default branch of the clone: %s', async (branch, branches) => {
    const head = { '.git/refs/remotes/origin/HEAD': `ref: refs/remotes/origin/${branch}\n` };
    const { project } = await openInit(head, ['--ci', 'github']);
    const { on } = parse(project.read('.github/workflows/llmcheck.yml')) as { on: { push: object } };
    expect(on.push).toEqual({ branches });
  });

  test('finds the lockfile above the folder, and writes to the repository', { tags: 'slow' }, async () => {
    const { project, stdout } = await openInit({ 'pnpm-lock.yaml': '' }, ['--ci', 'github'], 'packages/shop');
    const file = '.github/workflows/llmcheck-packages-shop.yml';
    expect(stdout).toContain(`wrote    ../../${file}`);
    expect(await runSteps(project, stepsOf(project, file))).toMatchObject({ code: 0 });
    breakSuite(project, 'packages/shop/');
    expect((await runSteps(project, stepsOf(project, file))).code).toBe(1);
    expect(project.files('packages/shop')).toContain('packages/shop/llmcheck.html');
    expect(project.read(file)).toContain('path: "packages/shop/llmcheck.html"');
  });

  test.each([
    ['packages/shop', 'packages/shop-api', ''],
    ['packages/shop', 'old/packages/shop', ''],
    ['packages/shop', 'packages/shop/sub', ''],
    ['.', 'packages/shop', ''],
    ['packages/shop', './packages/shop', 'kept'],
    ['packages/shop', 'packages/shop/', 'kept'],
    ['.', '.', 'kept'],
  ])('in %s sees that a workflow is for %s', async (folder, other, kept) => {
    const own = `on: push\njobs: { x: { steps: [{ run: npx llmcheck run, working-directory: ${other} }] } }\n`;
    const file = '.github/workflows/prompts.yml';
    const { project, stdout } = await openInit({ [file]: own }, ['--ci', 'github', '--force'], folder);
    expect(stdout.includes('kept  ')).toBe(kept === 'kept');
    expect(project.files('.github/workflows')).toHaveLength(kept === 'kept' ? 1 : 2);
  });

  test.each([
    ['of the same name', workflowFile],
    ['of another name', '.github/workflows/prompts.yaml'],
  ])('never overwrites a workflow %s that runs llmcheck, and shows what differs', async (_, file) => {
    const own = 'name: own\non: push\njobs: { x: { steps: [{ run: npx llmcheck run }] } }\n';
    const { project, stdout } = await openInit({ [file]: own }, ['--ci', 'github', '--force']);
    expect(project.read(file)).toBe(own);
    expect(project.files('.github')).toEqual([file]);
    expect(stdout).toContain(`kept     ${file} (it was there, and is never overwritten)`);
    expect(stdout).toMatch(/^-name: own\n(?:-.*\n)*\+name: llmcheck$/m);
  });

  test('says nothing about a workflow that is as it would be written', async () => {
    const { project } = await openInit({}, ['--ci', 'github']);
    const { stdout } = await project.run(['init', '--ci', 'github']);
    expect(stdout).toContain(`kept     ${workflowFile}\n`);
    expect(stdout).not.toContain('differ');
  });
});

describe('init --ci gitlab', () => {
  const scriptOf = (project: TempProject) => {
    const { prompts } = parse(project.read('.gitlab-ci.yml')) as { prompts: { script: readonly string[] } };
    return [{ lines: prompts.script }];
  };

  async function expectToRun(name: string, files: Readonly<Record<string, string>>, ran: readonly string[]) {
    const { project } = await openInit(files, ['--ci', 'gitlab']);
    expect(project.files('.github')).toEqual([]);
    expect(await runSteps(project, scriptOf(project), isStarted(name))).toMatchObject({ code: 0 });
    const log = project.read('bin/log').split('\n');
    for (const command of ran) expect(log.filter((line) => line.startsWith(command))).toHaveLength(1);
  }

  test.each(managers.slice(0, 1))('writes a pipeline that runs, for a project with %s', expectToRun);
  test.each(managers.slice(1))('writes a pipeline that runs, for a project with %s', { tags: ['slow'] }, expectToRun);

  test('writes a pipeline that fails with its reports, for a project with pnpm', { tags: ['slow'] }, async () => {
    const { project } = await openInit({ 'pnpm-lock.yaml': '' }, ['--ci', 'gitlab']);
    breakSuite(project);
    expect((await runSteps(project, scriptOf(project))).code).toBe(1);
    const written = project.files();
    expect(['llmcheck.html', 'llmcheck.json', 'llmcheck.xml'].filter((name) => !written.includes(name))).toEqual([]);
  });

  test('runs in the folder of the project', { tags: 'slow' }, async () => {
    const { project } = await openInit({ 'bun.lock': '' }, ['--ci', 'gitlab'], 'packages/shop');
    expect(await runSteps(project, scriptOf(project))).toMatchObject({ code: 0 });
    expect(project.files('packages/shop')).toContain('packages/shop/llmcheck.xml');
    expect(project.read('.gitlab-ci.yml')).toContain('junit: "packages/shop/llmcheck.xml"');
  });

  test('shows the job to add where a pipeline is there', async () => {
    const own = 'test: { script: [npm test] }\n';
    const { project, stdout } = await openInit({ '.gitlab-ci.yml': own }, ['--ci', 'gitlab', '--force']);
    expect(project.read('.gitlab-ci.yml')).toBe(own);
    expect(stdout).toContain('To run llmcheck there, add this job:\n\nprompts:\n  image: node:22\n');
  });
});

describe('init without --ci', () => {
  test.each([
    ['writes for GitHub', {}, workflowFile],
    ['writes for GitLab where a pipeline is there', { '.gitlab-ci.yml': '{}\n' }, '.gitlab-ci.yml'],
  ])('%s', async (_, files, file) => {
    const { project, stdout } = await openInit(files, []);
    expect(stdout).toMatch(new RegExp(`(wrote|kept) +${file}`));
    expect(project.files('.github')).toEqual(file === workflowFile ? [workflowFile] : []);
  });

  test('finds GitLab by the remote', async () => {
    const project = openTempProject();
    runGit(project.root, 'init', '-q');
    runGit(project.root, 'remote', 'add', 'origin', 'git@gitlab.example:acme/shop.git');
    expect((await project.run(['init'])).stdout).toContain('wrote    .gitlab-ci.yml');
  });

  test.each<[string, readonly (string | Typed)[], object, readonly string[]]>([
    ['the system that is typed', [' GitLab '], {}, ['.gitlab-ci.yml']],
    ['none', ['none'], {}, []],
    ['the likely system, for an empty line', [''], {}, [workflowFile]],
    ['the likely system, where the repository is on GitLab', [''], { '.gitlab-ci.yml': '{}\n' }, ['.gitlab-ci.yml']],
    ['the likely system, where the input ends', [{ ended: 'input' }], {}, [workflowFile]],
    ['what is typed after a name that is none', ['jenkins', 'gitlab'], {}, ['.gitlab-ci.yml']],
  ])('asks on a terminal, and writes for %s', async (_, typed, files, written) => {
    const project = openTempProject();
    runGit(project.root, 'init', '-q');
    for (const [path, text] of Object.entries(files)) project.write(path, String(text));
    const asked: string[] = [];
    const answer = (question: string): string | Typed => typed[asked.push(question) - 1] ?? { ended: 'input' };
    const { code, stdout, stderr } = await runCli(['init'], { cwd: project.root, answer });
    expect([code, stderr, asked.length]).toEqual([0, '', typed.length]);
    const likely = Object.keys(files).length === 0 ? 'github' : 'gitlab';
    expect(asked[0]).toBe(`CI system: github, gitlab or none? [${likely}] `);
    expect(project.files('').filter((name) => [workflowFile, '.gitlab-ci.yml'].includes(name))).toEqual(written);
    expect(stdout.includes('There is no template for jenkins')).toBe(typed[0] === 'jenkins');
  });

  test('writes nothing after Ctrl-C, and asks nothing where --ci answers', async () => {
    const project = openTempProject();
    const answer = (): Typed => ({ ended: 'interrupt' });
    const stopped = await runCli(['init'], { cwd: project.root, answer });
    expect([stopped.code, project.files('')]).toEqual([130, []]);
    const told = await runCli(['init', '--ci', 'none'], { cwd: project.root, answer });
    expect([told.code, told.stdout.includes('CI system')]).toEqual([0, false]);
  });

  test('--ci none writes no workflow, and another name is a usage error', async () => {
    const { project } = await openInit({}, ['--ci', 'none']);
    expect(project.files('.github')).toEqual([]);
    const wrong = await project.run(['init', '--ci', 'jenkins']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('github, gitlab, none')]);
  });
});
