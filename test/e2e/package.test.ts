import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const hasNpm = spawnSync('npm', ['--version']).status === 0;

describe.skipIf(!hasNpm)('the package, as npm installs it (skipped where there is no npm)', () => {
  let folder = '';
  let project = '';
  let tarball = '';

  function inProject(command: string, args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: 'utf8', env: bareEnv() });
    return { status, stdout, stderr };
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'llmcheck-package-'));
    // Built and packed in a copy: the checkout's own dist/ may be stale, or in use.
    const copy = join(folder, 'copy');
    mkdirSync(copy);
    for (const name of [
      'package.json',
      'bin',
      'src',
      'schema',
      'scripts',
      'README.md',
      'tsconfig.json',
      'tsconfig.build.json',
    ]) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    execFileSync(process.execPath, ['scripts/build.mjs', '--no-types'], { cwd: copy, stdio: 'pipe' });
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: copy, stdio: 'pipe' });
    tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
    project = join(folder, 'project');
    mkdirSync(project);
    const install = ['install', '--offline', '--no-audit', '--no-fund', '--prefix', project, tarball];
    execFileSync('npm', install, { cwd: project, stdio: 'pipe', env: bareEnv() });
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('makes a project and runs it without a key', () => {
    expect(inProject('npx', ['--no-install', 'llmcheck', 'init'])).toMatchObject({ status: 0, stderr: '' });
    const run = inProject('npx', ['--no-install', 'llmcheck', 'run', '-r', 'json']);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ decision: { exitCode: 0 }, totals: { errored: 0, skipped: 0 } });
  });

  test('knows its version, and a wrong flag ends in 2', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(inProject('npx', ['--no-install', 'llmcheck', '--version']).stdout.trim()).toBe(version);
    expect(inProject('npx', ['--no-install', 'llmcheck', 'run', '--nonsense']).status).toBe(2);
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
    expect(sizeOf(join(project, 'node_modules'))).toBeLessThan(30e6);
  });

  test('carries schemas and notices, and neither source nor tests', () => {
    const files = readdirSync(join(project, 'node_modules/llmcheck'), { recursive: true, encoding: 'utf8' });
    expect(files).toContain('schema/suite.schema.json');
    expect(files).toContain('dist/THIRD-PARTY-NOTICES.md');
    expect(files.filter((name) => /(^|\/)(src|test|fixtures|\.llmcheck)\//.test(name))).toEqual([]);
  });
});

/** Without the variables that npm sets for the scripts it runs. */
function bareEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|LLMCHECK_|OPENAI_)/i.test(name)));
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
