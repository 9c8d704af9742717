import { rmSync, utimesSync } from 'node:fs';
import { expect, test } from 'vitest';
import { watchCode } from '../../src/calls/watch-code.ts';
import { exec } from '../../src/providers/code/exec.ts';
import { buildConfig } from '../providers/build-request.ts';
import { openTempProject } from '../support/temp-project.ts';

/** Watches the program of a provider. Each write has a time of its own, however fast the test is. */
function watch() {
  const project = openTempProject();
  let writes = 0;
  const write = (text: string) => {
    writes += 1;
    project.write('answer.mjs', text);
    utimesSync(project.path('answer.mjs'), writes, writes);
  };
  write('answer one');
  const config = buildConfig({ adapter: 'exec', model: 'node answer.mjs', folder: project.root });
  const env = { env: { PATH: process.env['PATH'] }, projectRoot: project.root };
  return { project, write, isSame: watchCode(config, exec.resolve(config, env), env) };
}

test('code is the same until its text changes, and never again after that', () => {
  const { write, isSame } = watch();
  expect(isSame()).toBe(true);
  write('answer one');
  expect(isSame()).toBe(true);
  write('answer two');
  expect(isSame()).toBe(false);
  write('answer one');
  expect(isSame()).toBe(false);
});

test('code that is removed is not the same', () => {
  const { project, isSame } = watch();
  rmSync(project.path('answer.mjs'));
  expect(isSame()).toBe(false);
});

test('a provider without code of its own never changes', () => {
  const env = { env: {}, projectRoot: '/' };
  const isSame = watchCode(buildConfig({ adapter: 'echo' }), { adapterVersion: '1', sends: false }, env);
  expect([isSame(), isSame()]).toEqual([true, true]);
});
