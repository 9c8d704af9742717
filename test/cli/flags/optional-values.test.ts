import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import { addRunFlags, protectOptionalValues } from '../../../src/cli/flags/run-flags.ts';

const cwd = mkdtempSync(join(tmpdir(), 'llmcheck-optional-'));
mkdirSync(join(cwd, 'evals'));
writeFileSync(join(cwd, 'evals', 'x.eval.yaml'), '');
writeFileSync(join(cwd, '3'), '');
afterAll(() => rmSync(cwd, { recursive: true }));

/** What commander makes of an argument list: paths and the three flags. */
function parse(...argv: readonly string[]) {
  let parsed: unknown;
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  const run = program.command('run').argument('[paths...]');
  addRunFlags(run);
  run.action((paths: string[], { bail, changed, resume }: Record<string, unknown>) => {
    parsed = {
      paths,
      ...Object.fromEntries(Object.entries({ bail, changed, resume }).filter(([, value]) => value !== undefined)),
    };
  });
  program.parse(protectOptionalValues(argv, cwd), { from: 'user' });
  return parsed;
}

const path = 'evals/x.eval.yaml';

test.each<[readonly string[], unknown]>([
  [['run', '--bail', path], { paths: [path], bail: true }],
  [['run', '--bail', 'evals'], { paths: ['evals'], bail: true }],
  [['run', '--bail', '2', path], { paths: [path], bail: '2' }],
  [['run', path, '--bail'], { paths: [path], bail: true }],
  [['run', '--bail=2', path], { paths: [path], bail: '2' }],
  [['run', '--changed', path, 'evals'], { paths: [path, 'evals'], changed: true }],
  [['run', '--changed', 'main', path], { paths: [path], changed: 'main' }],
  [['run', '--resume', path, '--bail'], { paths: [path], resume: true, bail: true }],
  [['run', '--changed', '--bail', path], { paths: [path], changed: true, bail: true }],
  [['run', '--changed', '--bail', '2', path], { paths: [path], changed: true, bail: '2' }],
  [['run', '--bail', path, '--resume', 'evals'], { paths: [path, 'evals'], bail: true, resume: true }],
  [['run', '--bail', '3'], { paths: ['3'], bail: true }],
  [['run', '--bail', '--', path], { paths: [path], bail: true }],
  [['run', '--', '--bail', path], { paths: ['--bail', path] }],
  [['run', '--bail', join(cwd, 'evals')], { paths: [join(cwd, 'evals')], bail: true }],
])('%j leaves every existing path a path', (argv, expected) => {
  expect(parse(...argv)).toEqual(expected);
});

test('arguments without such flags stay as they are', () => {
  const argv = ['run', path, '-t', 'refund', '--trials', '3'];
  expect(protectOptionalValues(argv, cwd)).toEqual(argv);
});
