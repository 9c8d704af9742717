import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** Nothing can be made below /proc: mkdir answers ENOENT, though the folder exists. */
const hasProc = existsSync('/proc/self');

async function openRun() {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  expect((await project.run(['run'], { env: server.env })).code).toBe(0);
  return { project, env: server.env };
}

test.runIf(hasProc)('a report in a folder that can not be made is a usage error', async () => {
  const { project } = await openRun();
  for (const folder of ['/proc/nope', '/proc/nope/deeper']) {
    const { code, stderr } = await project.run(['report', '-r', `json=${folder}/x.json`]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`could not be written to ${folder}/x.json: it is not there`),
    ]);
  }
});

test.runIf(hasProc)('nor can the folders of records and of the cache, where a link leads there', async () => {
  const server = await startEchoServer();
  const project = openTempProject('echo');
  symlinkSync('/proc/self', project.path('.llmcheck'));
  const refused = await project.run(['run'], { env: server.env });
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('it is not there (ENOENT)')]);
  expect(server.requests).toHaveLength(0);

  rmSync(project.path('.llmcheck'));
  mkdirSync(project.path('.llmcheck'));
  symlinkSync('/proc/self', project.path('.llmcheck/cache'));
  const { code, stderr } = await project.run(['run'], { env: server.env });
  expect([code, stderr]).toEqual([0, expect.stringContaining('.llmcheck/cache')]);
});

test('a file in the place of a folder is said to be none', async () => {
  const { project } = await openRun();
  project.write('file', '');
  for (const path of ['file/x.json', 'file/deeper/x.json']) {
    const { code, stderr } = await project.run(['report', '-r', `json=${path}`]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a part of the path is not a folder (ENOTDIR)')]);
  }
});
