import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuilt } from '../../scripts/build-stamp.mjs';
import { createDescribePrices, listLookups, openBuiltTable, publishedTable } from './price-table.ts';

const root = join(import.meta.dirname, '../..');

describe('the package, as npm installs it', { tags: 'slow' }, () => {
  let folder = '';
  let project = '';

  function inProject(command: string, args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    const env = { ...bareEnv(), ...variables };
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: 'utf8', env });
    return { status, stdout, stderr };
  }

  /** As npx starts it, which takes longer than the program. */
  function llmcheck(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    return inProject(join(project, 'node_modules/.bin/llmcheck'), args, variables);
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'llmcheck-package-'));
    // A copy, which is built where the checkout's own dist/ is stale.
    const copy = join(folder, 'copy');
    mkdirSync(copy);
    for (const name of ['package.json', 'bin', 'src', 'schema', 'scripts', 'README.md', 'tsconfig.json']) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    if (isBuilt()) cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
    else execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: copy, stdio: 'pipe' });
    project = join(folder, 'project');
    mkdirSync(project);
    // With `--install-links` npm packs the folder as `npm pack` does; `--ignore-scripts`, since `prepare` would build again.
    const quiet = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    const install = ['install', '--install-links', ...quiet, '--prefix', project, copy];
    execFileSync('npm', install, { cwd: project, stdio: 'pipe', env: bareEnv() });
  }, 400_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000);

  test('makes a project and runs it without a key', () => {
    expect(inProject('npx', ['--no-install', 'llmcheck', 'init'])).toMatchObject({ status: 0, stderr: '' });
    const run = llmcheck(['run', '-r', 'json']);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ decision: { exitCode: 0 }, totals: { errored: 0, skipped: 0 } });
  });

  test('asks a proxy for a tunnel', () => {
    const suite = `prompts: [{ id: v1, text: Hello }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", baseURL: "https://api.example/v1", limits: { retries: 0 } }]
cases: [{ id: one, assert: [{ contains: a }] }]
`;
    writeFileSync(join(project, 'proxy.eval.yaml'), suite);
    const { status, stdout } = llmcheck(['run', 'proxy.eval.yaml', '-r', 'json'], {
      // Nothing listens there.
      HTTPS_PROXY: 'http://127.0.0.1:1',
      OPENAI_API_KEY: 'sk-test-0123456789',
    });
    expect([status, stdout]).toEqual([3, expect.stringContaining("the proxy 127.0.0.1:1 can't be used: connect")]);
  });

  test('knows its version, and a wrong flag ends in 2', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(llmcheck(['--version']).stdout.trim()).toBe(version);
    expect(llmcheck(['run', '--nonsense']).status).toBe(2);
  });

  test('brings no dependency and no install script, and is small', () => {
    const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['llmcheck']);
    const manifest = JSON.parse(readFileSync(join(project, 'node_modules/llmcheck/package.json'), 'utf8')) as {
      scripts?: Record<string, string>;
      dependencies?: object;
    };
    expect(manifest.dependencies).toBeUndefined();
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
    expect(sizeOf(join(project, 'node_modules'))).toBeLessThan(15e6);
  });

  test('has every price that the published table has', async () => {
    const built = await openBuiltTable(join(project, 'node_modules/llmcheck/dist'));
    const lookups = listLookups();
    expect(lookups.length).toBeGreaterThan(2000);
    const described = lookups.map(createDescribePrices(built));
    expect(described).toEqual(lookups.map(createDescribePrices(publishedTable)));
    expect(described.filter((text) => /\d$/.test(text)).length).toBeGreaterThan(1000);
  }, 180_000);

  test('the demo of a broken pull request names what broke, on the terminal, in its comment and in its page', () => {
    const demo = join(folder, 'copy/examples/pull-request');
    cpSync(join(root, 'examples/pull-request'), demo, { recursive: true });
    const env = { ...bareEnv(), TMPDIR: folder };
    const { status, stdout } = spawnSync(process.execPath, [join(demo, 'demo.mjs')], { encoding: 'utf8', env });
    expect([status, stdout]).toEqual([1, expect.stringContaining('FAILED  8 of 24 tickets cases broke')]);
    const [, project = ''] = /^In (.+)$/m.exec(stdout) ?? [];
    expect(readFileSync(join(project, 'comment.md'), 'utf8')).toContain('❌ llmcheck FAILED: 8 of 24');
    expect(readFileSync(join(project, 'report.html'), 'utf8')).toContain('8 of 24 tickets cases broke');
  });

  test('the TypeScript program of the examples is typed by the package, and runs; what the package does not know is a type error', () => {
    const example = openExample('typescript');
    const wrong = `import { defineSuite, runSuites } from 'llmcheck';
runSuites({ concurency: 4 });
defineSuite({ prompts: [{ id: 'v1', txt: 'x' }], cases: [] });
`;
    writeFileSync(join(example, 'wrong.ts'), wrong);
    const tsc = join(root, 'node_modules/typescript-7/bin/tsc');
    const config = join(example, 'tsconfig.json');
    writeFileSync(config, readFileSync(config, 'utf8').replace('"main.ts"', '"main.ts", "wrong.ts"'));
    const args = [tsc, '-p', '.', '--noEmit', 'false'];
    const { stdout } = spawnSync(process.execPath, args, { cwd: example, encoding: 'utf8', env: bareEnv() });
    const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
    expect(errors).toEqual([
      expect.stringMatching(/^wrong\.ts\(2,\d+\).*concurency/),
      expect.stringMatching(/^wrong\.ts\(3,\d+\).*txt/),
    ]);
    const run = spawnSync(process.execPath, ['main.js'], { cwd: example, encoding: 'utf8', env: bareEnv() });
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('llmcheck PASSED');
    expect(run.stderr.split('\n').toSorted()).toEqual(['', 'ada passed', 'grace passed']);
  }, 180_000);

  test('the vitest project of the examples passes; a failing case fails its test and the gate, a known failure is skipped', () => {
    const example = openExample('vitest');
    expect(runVitest(example)).toMatchObject({
      'ada · v1 × exec:node greet.mjs': 'passed',
      gate: 'passed',
      'an answer of the app itself': 'passed',
    });
    const greet = join(example, 'evals/greet.mjs');
    writeFileSync(greet, readFileSync(greet, 'utf8').replace('${name}!', "${name === 'Ada' ? name : 'you'}!"));
    expect(runVitest(example)).toMatchObject({
      'ada · v1 × exec:node greet.mjs': 'passed',
      'grace · v1 × exec:node greet.mjs': 'failed',
      gate: 'failed',
    });
    const cli = join(example, 'node_modules/llmcheck/bin/llmcheck.js');
    const accept = spawnSync(process.execPath, [cli, 'baseline', 'accept'], { cwd: example, env: bareEnv() });
    expect(accept.status).toBe(0);
    expect(runVitest(example)).toMatchObject({ 'grace · v1 × exec:node greet.mjs': 'skipped', gate: 'passed' });
  }, 180_000);

  /** A copy of an example, with the package in the place that npm would put it. */
  function openExample(name: string): string {
    const example = mkdtempSync(join(folder, `${name}-`));
    cpSync(join(root, 'examples', name), example, { recursive: true });
    mkdirSync(join(example, 'node_modules'));
    cpSync(join(project, 'node_modules/llmcheck'), join(example, 'node_modules/llmcheck'), { recursive: true });
    for (const dependency of ['vitest', '@types']) {
      symlinkSync(join(root, 'node_modules', dependency), join(example, 'node_modules', dependency));
    }
    return example;
  }

  /** The state of each test by its title. */
  function runVitest(example: string): Record<string, string> {
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter', 'json'];
    const { stdout } = spawnSync(process.execPath, args, { cwd: example, encoding: 'utf8', env: bareEnv() });
    const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
      testResults: { assertionResults: { title: string; status: string }[] }[];
    };
    const results = testResults.flatMap(({ assertionResults }) => assertionResults);
    return Object.fromEntries(results.map(({ title, status }) => [title.toLowerCase(), status]));
  }

  test('carries schemas and notices, and neither source nor tests', () => {
    const files = readdirSync(join(project, 'node_modules/llmcheck'), { recursive: true, encoding: 'utf8' });
    expect(files).toContain('schema/suite.schema.json');
    expect(files).toContain('dist/THIRD-PARTY-NOTICES.md');
    expect(files.filter((name) => /(^|\/)((src|test|fixtures|\.llmcheck)\/|\.built-from$)/.test(name))).toEqual([]);
  });

  test('has types of its entries alone', () => {
    const files = readdirSync(join(project, 'node_modules/llmcheck'), { recursive: true, encoding: 'utf8' });
    expect(files.filter((name) => /\.d\.m?ts$/.test(name)).toSorted()).toEqual([
      'dist/index.d.ts',
      'dist/promptfoo.d.ts',
      'dist/types.d.ts',
      'dist/types2.d.ts',
      'dist/vitest.d.ts',
    ]);
  });

  test('an assertion that a project declares is known to suites and to the matchers of vitest', () => {
    const example = openExample('vitest');
    const source = `import { defineSuite } from 'llmcheck';
import 'llmcheck/vitest';
import { expect } from 'vitest';
declare module 'llmcheck' { interface CustomAssertions { polite?: { least: number } } }
export const suite = defineSuite({
  prompts: [{ id: 'v1', text: 'Hello' }], providers: ['exec:cat'],
  cases: [{ assert: [{ polite: { least: 1 } }] }],
});
export const matched = expect('Please.').toPassChecks([{ polite: { least: 1 } }]);
export const wrong = expect('Please.').toPassChecks([{ polit: { least: 1 } }]);
`;
    writeFileSync(join(example, 'declared.ts'), source);
    const options = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, skipLibCheck: true };
    const config = { compilerOptions: { ...options, types: ['node'] }, files: ['declared.ts'] };
    writeFileSync(join(example, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', '.'], {
      cwd: example,
      encoding: 'utf8',
      env: bareEnv(),
    });
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^declared\.ts\(10,\d+\).*polit/)]);
  }, 180_000);

  test('the stack of a bug names functions, at lines that can be read in the installed file', () => {
    const main = join(project, 'node_modules/llmcheck/dist/cli/main.js');
    const program = `const { main } = await import(process.argv[1]);
const broken = { write() { throw new Error('planted'); } };
process.exitCode = await main(['--version'], { cwd: '.', env: {}, stdout: broken, stderr: process.stderr });`;
    const args = ['--input-type=module', '-e', program, pathToFileURL(main).href];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(70);
    expect(stderr).toContain('Error: planted');
    expect(stderr).toMatch(/ at main \(file:.*\/dist\/cli\/main\.js:\d+:\d{1,2}\)/);
  });
});

/** Without what npm, llmcheck and a CI system set: it would change what is printed, such as its colors. */
function bareEnv(): NodeJS.ProcessEnv {
  const others = /^(npm_|LLMCHECK_|OPENAI_|CI$|GITHUB_|GITLAB_|FORCE_COLOR$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !others.test(name)));
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
