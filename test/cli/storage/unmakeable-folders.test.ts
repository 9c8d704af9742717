import { existsSync } from 'node:fs';
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

test('a file in the place of a folder is said to be none', async () => {
  const { project } = await openRun();
  project.write('file', '');
  for (const path of ['file/x.json', 'file/deeper/x.json']) {
    const { code, stderr } = await project.run(['report', '-r', `json=${path}`]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a part of the path is not a folder (ENOTDIR)')]);
  }
});
