import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assertions } from '../src/assertions/index.ts';
import { envNameOf, runFlags } from '../src/cli/flags/run-flags.ts';
import { problemCodes } from '../src/model/problem.ts';
import { adapters } from '../src/providers/index.ts';
import { reporters } from '../src/reports/index.ts';
import { runCli } from './support/run-cli.ts';

const root = join(import.meta.dirname, '..');

function readDoc(name: string): string {
  return readFileSync(join(root, 'docs', name), 'utf8');
}

describe('every assertion', () => {
  const names = Object.keys(assertions);
  const folderOf = (name: string) =>
    `fixtures/assertions/${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

  test.each(names)('%s has a fixture that uses it and is valid', async (name) => {
    const suite = `${folderOf(name)}/suite.eval.yaml`;
    expect(existsSync(join(root, suite))).toBe(true);
    expect(readFileSync(join(root, suite), 'utf8')).toMatch(new RegExp(`\\b${name}:`));
    const { code, stderr } = await runCli(['validate', suite], { cwd: root });
    expect([code, stderr]).toEqual([0, '']);
  });

  test('has a line in the docs', () => {
    const doc = readDoc('assertions.md');
    expect(names.filter((name) => !doc.includes(`\`${name}\``))).toEqual([]);
  });

  test('still exists where a fixture folder is named after it', () => {
    const folders = readdirSync(join(root, 'fixtures/assertions')).map((folder) => `fixtures/assertions/${folder}`);
    expect(folders.filter((folder) => !names.map(folderOf).includes(folder))).toEqual([]);
  });
});

test('every adapter and every reporter has a line in the docs', () => {
  const [providers, reports] = [readDoc('providers.md'), readDoc('reports.md')];
  expect(Object.keys(adapters).filter((name) => !new RegExp(`\`${name}[\`:]`).test(providers))).toEqual([]);
  expect(Object.keys(reporters).filter((name) => !reports.includes(`\`${name}\``))).toEqual([]);
});

test('every problem code has its heading in docs/problems.md, and no other has', () => {
  const headings = [...readDoc('problems.md').matchAll(/^## (\S+)$/gm)].map(([, code]) => code ?? '');
  expect(new Set(headings)).toEqual(new Set<string>(problemCodes));
  expect(headings).toHaveLength(problemCodes.length);
});

describe('schema/', () => {
  const formats = ['suite', 'config', 'report', 'baseline'];

  test.each(formats)(
    '%s.schema.json is what `llmcheck schema` prints (stale: run `npm run schemas`)',
    async (format) => {
      const { code, stdout } = await runCli(['schema', format], { cwd: root });
      expect(code).toBe(0);
      expect(readFileSync(join(root, 'schema', `${format}.schema.json`), 'utf8')).toBe(stdout);
    },
  );

  test('holds nothing else', () => {
    expect(readdirSync(join(root, 'schema')).sort()).toEqual(formats.map((name) => `${name}.schema.json`).sort());
  });
});

describe('the flags of run', () => {
  const promised = [
    '-t, --filter',
    '--last-failed',
    '--tag',
    '--prompt',
    '--provider',
    '--sample',
    '--seed',
    '--shard',
    '--changed',
    '--trials',
    '-j, --concurrency',
    '-c, --config',
    '--env-file',
    '--max-cost',
    '--max-errors',
    '--confirm-budget',
    '--bail',
    '--early',
    '--timeout',
    '--deadline',
    '--cache',
    '--baseline',
    '--no-baseline',
    '--compare',
    '--swap',
    '--rerun-baseline',
    '--drift',
    '--update-baseline',
    '--require-conclusive',
    '--resume',
    '--dry-run',
    '--batch',
    '--queue',
    '--record',
    '-r, --reporter',
    '--otel',
    '-q, --quiet',
    '--verbose',
    '--no-color',
    '--watch',
    '--allow-empty',
  ];

  test.each(promised)('%s is in the help', async (flag) => {
    const { stdout } = await runCli(['run', '--help'], { cwd: root });
    expect(stdout).toMatch(new RegExp(`^ +${flag}[ \\n]`, 'm'));
  });

  test('each has a line in the docs', () => {
    const doc = readDoc('running.md');
    const flags = runFlags.map(({ flags: text }) => /--[\w-]+/.exec(text)?.[0] ?? text);
    expect(flags.filter((flag) => !doc.includes(flag))).toEqual([]);
  });

  test('are all promised ones', () => {
    const keys = runFlags.map(({ key }) => key);
    expect(
      runFlags.filter(({ flags }) => !promised.some((flag) => flags.startsWith(flag))).map(({ key }) => key),
    ).toEqual([]);
    expect(new Set(keys.map(envNameOf)).size).toBe(keys.length);
  });
});
