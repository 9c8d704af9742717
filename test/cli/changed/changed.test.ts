import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { foldersUpTo } from '../../../src/changes/suite-sources.ts';
import { commitAll, gitEnv, initRepository, runGit } from '../../support/git.ts';
import { type CliResult, runCli } from '../../support/run-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

/** Two suites with nothing in common but the project; `a` has every kind of file that a suite can hang on. */
function openRepository(): TempProject {
  const project = openTempProject();
  project.write('.gitignore', '.llmcheck/\nsecret/\n');
  project.write('llmcheck.config.yaml', 'suites: ["evals/**/*.eval.{yaml,mjs}"]\n');
  project.write(
    'evals/a.eval.yaml',
    `prompts: [{ id: v1, messages: [{ role: user, file: "prompts/ä b.md", attach: ["{{ picture }}"] }] }]
providers: [{ id: app, use: "module:../app/answer.mjs" }]
contract: { output: ../schemas/out.json }
defaults: { assert: [{ module: ../checks/check.mjs }] }
tools: { module: ../tools/shop.mjs }
cases:
  - { id: one, vars: { word: yes, picture: pictures/one.png } }
  - { file: "cases/*.jsonl" }
`,
  );
  project.write('evals/prompts/ä b.md', 'Say {{ word }}');
  project.write('evals/pictures/one.png', 'not really');
  project.write('evals/cases/more.jsonl', '{"id": "two", "vars": {"word": "no", "picture": "pictures/one.png"}}\n');
  project.write('schemas/out.json', 'true');
  project.write('app/answer.mjs', "import { say } from './lib/say.mjs';\nexport default () => say();\n");
  project.write(
    'app/lib/say.mjs',
    `import { readFileSync } from 'node:fs';
export const say = () => readFileSync(new URL('./word.txt', import.meta.url), 'utf8');
`,
  );
  project.write('app/lib/word.txt', 'yes');
  project.write('checks/check.mjs', "import { ok } from './lib.js';\nexport default () => ok;\n");
  project.write('checks/lib.js', 'export const ok = true;\n');
  project.write(
    'tools/shop.mjs',
    "import { stock } from './stock.mjs';\nexport const tools = { stock: () => stock };\n",
  );
  project.write('tools/stock.mjs', 'export const stock = 3;\n');
  project.write(
    'evals/b.eval.yaml',
    'prompts: [{ id: v1, text: "{{ word }}" }]\nproviders: ["exec:node ../b.mjs"]\ncases: [{ id: one, vars: { word: hello }, assert: [{ contains: hello }] }]\n',
  );
  project.write('b.mjs', 'process.stdout.write("hello");\n');
  project.write('README.md', 'read me\n');
  initRepository(project.root);
  return project;
}

/** The verdict on each suite, as printed: `run` or `skip` with the reason. */
async function look(project: TempProject, ...argv: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const result = await project.run(['run', '--changed', ...argv, '--dry-run'], { env: gitEnv });
  const verdicts = verdictsOf(result);
  if (Object.keys(verdicts).length === 0) throw new Error(`exit ${result.code}: ${result.stderr}`);
  return verdicts;
}

function verdictsOf({ stderr }: CliResult): Readonly<Record<string, string>> {
  const lines = [...stderr.matchAll(/^ {2}(run|skip|gone) +(\S+) +(.*)$/gm)];
  return Object.fromEntries(lines.map(([, mark = '', id = '', reason = '']) => [id, `${mark}: ${reason}`]));
}

type Edit = (project: TempProject) => void;
const append =
  (name: string): Edit =>
  (project) =>
    project.write(name, `${project.read(name)}\n`);

describe('a suite runs where a file that it depends on changed, and names the file', () => {
  test.each<[string, Edit, string]>([
    ['its own file', append('evals/a.eval.yaml'), 'evals/a.eval.yaml changed'],
    ['a prompt, its path with a space and an umlaut', append('evals/prompts/ä b.md'), 'evals/prompts/ä b.md changed'],
    ['a file of cases', append('evals/cases/more.jsonl'), 'evals/cases/more.jsonl changed'],
    [
      'a file that came under a glob',
      (project) =>
        project.write('evals/cases/new.jsonl', '{"id":"three","vars":{"word":"x","picture":"pictures/one.png"}}\n'),
      'evals/cases/new.jsonl was added',
    ],
    ['a schema', append('schemas/out.json'), 'schemas/out.json changed'],
    ['an assertion of its own', append('checks/check.mjs'), 'checks/check.mjs changed'],
    ['what that imports', append('checks/lib.js'), 'checks/lib.js changed'],
    ['a module of tools', append('tools/shop.mjs'), 'tools/shop.mjs changed'],
    ['what a module of tools imports', append('tools/stock.mjs'), 'tools/stock.mjs changed'],
    ["a provider's module", append('app/answer.mjs'), 'app/answer.mjs changed'],
    ['what that imports', append('app/lib/say.mjs'), 'app/lib/say.mjs changed'],
    ['what that reads', append('app/lib/word.txt'), 'app/lib/word.txt changed'],
    ['an attached file', append('evals/pictures/one.png'), 'evals/pictures/one.png changed'],
    [
      'a baseline that came',
      (project) => project.write('evals/a.baseline.jsonl', ''),
      'evals/a.baseline.jsonl was added',
    ],
  ])('%s', async (_what, edit, reason) => {
    const project = openRepository();
    edit(project);
    expect(await look(project)).toEqual({ a: `run: ${reason}`, b: 'skip: none of its 2 files changed' });
  });

  test('an edit counts staged, and committed since HEAD left main; since HEAD it then does not', {
    tags: ['slow'],
  }, async () => {
    const project = openRepository();
    append('schemas/out.json')(project);
    runGit(project.root, 'add', '-A');
    expect((await look(project))['a']).toBe('run: schemas/out.json changed');
    runGit(project.root, 'checkout', '-qb', 'feature');
    commitAll(project.root);
    expect((await look(project))['a']).toBe('run: schemas/out.json changed');
    expect((await look(project, 'git:main'))['a']).toBe('run: schemas/out.json changed');
    expect((await look(project, 'HEAD'))['a']).toMatch(/^skip/);
  });

  test('a file deleted from a glob, a renamed file, a deleted suite', async () => {
    const project = openRepository();
    project.write('evals/cases/other.jsonl', '{"id":"three","vars":{"word":"x","picture":"pictures/one.png"}}\n');
    project.write('evals/c.eval.yaml', project.read('evals/b.eval.yaml'));
    commitAll(project.root);
    rmSync(project.path('evals/c.eval.yaml'));
    rmSync(project.path('evals/cases/other.jsonl'));
    expect(await look(project)).toEqual({
      a: 'run: evals/cases/other.jsonl was deleted',
      b: 'skip: none of its 2 files changed',
      'evals/c.eval.yaml': 'gone: was deleted',
    });
    runGit(project.root, 'checkout', '-q', '--', '.');
    renameSync(project.path('evals/cases/other.jsonl'), project.path('evals/cases/renamed.jsonl'));
    expect((await look(project))['a']).toBe(
      'run: evals/cases/renamed.jsonl was added, evals/cases/other.jsonl was deleted',
    );
  });

  test('what a suite that is code imports', { tags: ['slow'] }, async () => {
    const project = openRepository();
    project.write('evals/word.mjs', "export const word = 'hello';\n");
    project.write(
      'evals/c.eval.mjs',
      `import { word } from './word.mjs';
export default { prompts: [{ id: 'v1', text: '{{ word }}' }], providers: ['exec:node ../b.mjs'], cases: [{ id: 'one', vars: { word }, assert: [{ contains: word }] }] };
`,
    );
    commitAll(project.root);
    expect((await look(project))['c']).toMatch(/^skip/);
    append('evals/word.mjs')(project);
    expect(await look(project)).toMatchObject({ c: 'run: evals/word.mjs changed', b: expect.stringMatching(/^skip/) });
  });

  test('a link that leads elsewhere, and what it leads to', { tags: ['slow'] }, async () => {
    const project = openRepository();
    project.write('shared/one/text.md', 'one {{ word }}');
    project.write('shared/two/text.md', 'two {{ word }}');
    symlinkSync('one', project.path('shared/current'));
    symlinkSync('../shared/current', project.path('evals/linked'));
    project.write('evals/a.eval.yaml', project.read('evals/a.eval.yaml').replace('prompts/ä b.md', 'linked/text.md'));
    commitAll(project.root);
    project.write('shared/one/text.md', 'other {{ word }}');
    expect((await look(project))['a']).toBe('run: shared/one/text.md changed');
    runGit(project.root, 'checkout', '-q', '--', '.');
    rmSync(project.path('shared/current'));
    symlinkSync('two', project.path('shared/current'));
    expect((await look(project))['a']).toBe('run: shared/current changed');
  });

  test('what git ignores can change unseen, so the suite runs', async () => {
    const project = openRepository();
    project.write('secret/text.md', '{{ word }}');
    project.write(
      'evals/a.eval.yaml',
      project.read('evals/a.eval.yaml').replace('prompts/ä b.md', '../secret/text.md'),
    );
    commitAll(project.root);
    expect((await look(project))['a']).toBe('run: secret/text.md is not tracked by git, so it may have changed');
  });
});

test('an environment file that git ignores runs no suite, one that changed runs all', async () => {
  const project = openRepository();
  project.write('secret/env', 'A=1\n');
  const skipped = 'skip: none of its 2 files changed';
  expect((await look(project, '--env-file', 'secret/env'))['b']).toBe(skipped);
  project.write('ci.env', 'A=1\n');
  commitAll(project.root);
  expect((await look(project, '--env-file', 'ci.env'))['b']).toBe(skipped);
  project.write('ci.env', 'A=2\n');
  expect((await look(project, '--env-file', 'ci.env'))['b']).toBe('run: ci.env changed');
});

describe('every suite runs', () => {
  test.each<[string, Edit, string]>([
    ['the config', append('llmcheck.config.yaml'), 'llmcheck.config.yaml changed'],
    ['a lockfile', (project) => project.write('package-lock.json', '{}'), 'package-lock.json was added'],
    [
      'the dependencies',
      (project) => project.write('package.json', '{"dependencies": {"llmcheck": "^9"}}'),
      'package.json was added',
    ],
    [
      "CI's llmcheck",
      (project) => project.write('.github/workflows/x.yml', 'run: npx llmcheck@9 run\n'),
      '.github/workflows/x.yml was added',
    ],
  ])('after a change of %s', async (_what, edit, reason) => {
    const project = openRepository();
    edit(project);
    expect(await look(project)).toEqual({ a: `run: ${reason}`, b: `run: ${reason}` });
  });

  test('where another llmcheck ran it last, as its record says', { tags: ['slow'] }, async () => {
    const project = openRepository();
    const runB = ['run', '-q', 'evals/b.eval.yaml'];
    await project.run(runB, { env: gitEnv });
    makeOlder(project);
    expect(await look(project)).toMatchObject({ b: reason });
    // A shard of this version ran a part of the suite, and must not take the reason from the other shards.
    await project.run([...runB, '--shard', '1/2'], { env: gitEnv });
    expect(await look(project)).toMatchObject({ b: reason });
    await project.run(runB, { env: gitEnv });
    expect((await look(project))['b']).toMatch(/^skip: /);
  });

  test('where another llmcheck ran a part of it last', async () => {
    const project = openRepository();
    await project.run(['run', '-q', 'evals/b.eval.yaml', '--shard', '1/2'], { env: gitEnv });
    makeOlder(project);
    expect(await look(project)).toMatchObject({ b: reason });
  });

  /** Rewrites the record of the only run as one of an older llmcheck. */
  function makeOlder(project: TempProject): void {
    const [record = ''] = project.files('.llmcheck/runs');
    const older = '"tool":{"name":"llmcheck","version":"0.0.1"}';
    project.write(record, project.read(record).replace(/"tool":\{[^}]*\}/, older));
  }

  const reason = expect.stringMatching(/^run: llmcheck is .+, and its last run here was by 0\.0\.1$/);
});

test('changes of other files, other keys of the manifest and new times run no suite', async () => {
  const project = openRepository();
  project.write('package.json', '{"scripts": {"x": "y"}}');
  project.write('README.md', 'other\n');
  project.write('.github/workflows/y.yml', 'run: make\n');
  utimesSync(project.path('evals/a.eval.yaml'), new Date(), new Date());
  const skip = expect.stringMatching(/^skip: none of its \d+ files changed$/);
  expect(await look(project)).toEqual({ a: skip, b: skip });
});

describe('the run itself', () => {
  test('runs and reports what changed alone, says what it left out, and takes the ids of all suites', async () => {
    const project = openRepository();
    project.write('b.mjs', 'process.stdout.write("hello you");\n');
    const { report, stderr } = await project.report(['run', '--changed', '--provider', 'exec:node ../b.mjs,app'], {
      env: gitEnv,
    });
    expect(report.suites.map(({ suite }) => suite)).toEqual(['b']);
    expect(stderr).toContain('1 of 2 suites changed since HEAD left main (');
    const { stdout } = await project.run(['report'], { env: gitEnv });
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/1 of 2 suites changed since HEAD left main \(\w+\); not run: a/);
  });

  test('no change is nothing evaluated: 4, or 0 with --allow-empty', async () => {
    const project = openRepository();
    const none = await project.run(['run', '--changed'], { env: gitEnv });
    expect(none.code).toBe(4);
    expect(none.stdout.replaceAll(/\s+/g, ' ')).toContain('no suite changed since HEAD left main (');
    expect((await project.run(['run', '--changed', '--allow-empty'], { env: gitEnv })).code).toBe(0);
  });

  test('in a subfolder, on a path and through the environment', async () => {
    const project = openRepository();
    append('evals/prompts/ä b.md')(project);
    const inFolder = await project.run(['run', '--dry-run', 'b.eval.yaml', 'a.eval.yaml'], {
      env: { ...gitEnv, LLMCHECK_CHANGED: '1' },
    });
    expect(inFolder.code).toBe(2);
    const result = await runCli(['run', '--changed', '--dry-run', 'a.eval.yaml', '.'], {
      cwd: project.path('evals'),
      env: gitEnv,
    });
    expect(verdictsOf(result)).toMatchObject({ a: 'run: prompts/ä b.md changed', b: expect.stringMatching(/^skip/) });
  });

  test('a stopped run is resumed with the suites that it began with', { tags: ['slow'] }, async () => {
    const project = openRepository();
    project.write('b.mjs', 'process.stdout.write("no");\n');
    await project.report(['run', '--changed'], { env: gitEnv });
    project.write('b.mjs', 'process.stdout.write("hello again");\n');
    commitAll(project.root);
    const { report } = await project.report(['run', '--resume'], { env: gitEnv });
    expect(report.suites.map(({ suite }) => suite)).toEqual(['b']);
    expect((await project.run(['run', '--resume', '--changed'], { env: gitEnv })).code).toBe(2);
  });

  test('a run that took no suite is not resumed with all', async () => {
    const project = openRepository();
    expect((await project.run(['run', '--changed'], { env: gitEnv })).code).toBe(4);
    const { code, stderr } = await project.run(['run', '--resume'], { env: gitEnv });
    expect([code, stderr]).toEqual([2, expect.stringContaining('took no suite')]);
  });
});

describe('a question that git can not answer is a usage error', () => {
  test('no repository, no such ref, no commit yet', async () => {
    const project = openRepository();
    const unknown = await project.run(['run', '--changed', 'mian'], { env: gitEnv });
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('"main"')]);
    rmSync(project.path('.git'), { recursive: true });
    const outside = await project.run(['run', '--changed'], { env: gitEnv });
    expect([outside.code, outside.stderr]).toEqual([2, expect.stringContaining('leave --changed out')]);
    runGit(project.root, 'init', '-q', '-b', 'main');
    expect((await project.run(['run', '--changed'], { env: gitEnv })).code).toBe(2);
  });

  test('a shallow clone names the command that fetches the rest', { tags: ['slow'] }, async () => {
    const project = openRepository();
    runGit(project.root, 'checkout', '-qb', 'feature');
    append('README.md')(project);
    commitAll(project.root);
    const clone = openTempProject();
    runGit(clone.root, 'clone', '-q', '--depth', '1', '--branch', 'feature', `file://${project.root}`, 'c');
    const run = (given: readonly string[], extra = {}) =>
      runCli(['run', '--changed', ...given, '--dry-run'], { cwd: clone.path('c'), env: { ...gitEnv, ...extra } });
    const shallow = await run([]);
    expect([shallow.code, shallow.stderr]).toEqual([2, expect.stringContaining('git fetch --unshallow origin')]);
    // At the tip of the default branch nothing would seem to have changed.
    runGit(clone.root, 'clone', '-q', '--depth', '1', '--branch', 'main', `file://${project.root}`, 'tip');
    const atTip = await runCli(['run', '--changed', '--dry-run'], { cwd: clone.path('tip'), env: gitEnv });
    expect([atTip.code, atTip.stderr]).toEqual([2, expect.stringContaining('git fetch --unshallow origin')]);
    const older = await run(['HEAD~1']);
    expect([older.code, older.stderr]).toEqual([2, expect.stringContaining('git fetch --unshallow origin')]);
    const inCi = await run([], { GITHUB_BASE_REF: 'main' });
    const command = /`git (fetch [^`]+)`/.exec(inCi.stderr)?.[1] ?? '';
    expect([inCi.code, command]).toEqual([2, expect.stringContaining('fetch --unshallow origin main')]);
    runGit(clone.path('c'), ...command.split(' '));
    expect((await run([], { GITHUB_BASE_REF: 'main' })).stderr).toContain(
      '0 of 2 suites changed since HEAD left origin/main',
    );
  });
});

test('a submodule is looked into: an edit, an untracked file and another commit in it', {
  tags: ['slow'],
}, async () => {
  const inner = openTempProject();
  inner.write('text.md', '{{ word }}');
  inner.write('other.md', 'x');
  runGit(inner.root, 'init', '-q', '-b', 'main');
  commitAll(inner.root);
  const project = openRepository();
  runGit(project.root, 'submodule', '--quiet', 'add', inner.root, 'lib');
  project.write('evals/a.eval.yaml', project.read('evals/a.eval.yaml').replace('prompts/ä b.md', '../lib/text.md'));
  commitAll(project.root);
  expect((await look(project))['a']).toMatch(/^skip/);
  writeFileSync(project.path('lib/other.md'), 'y');
  expect((await look(project))['a']).toMatch(/^skip/);
  writeFileSync(project.path('lib/text.md'), 'now {{ word }}');
  expect((await look(project))['a']).toBe('run: lib/text.md changed');
  runGit(join(project.root, 'lib'), 'commit', '-qam', 'other');
  expect((await look(project))['a']).toBe('run: lib/text.md changed');
  mkdirSync(project.path('unused'));
});

test('the folders from one up to another are both and those between, and the first alone where it is in another tree', () => {
  expect(foldersUpTo('/a/b/c', '/a')).toEqual(['/a/b/c', '/a/b', '/a']);
  expect(foldersUpTo('/a', '/a')).toEqual(['/a']);
  expect(foldersUpTo('/a/b', '/c')).toEqual(['/a/b']);
});
