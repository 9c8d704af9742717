import { describe, expect, test } from 'vitest';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { type JsonReport, openTempProject, withoutDraws } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();
const slow = { tags: 'slow' } as const;

/** Fails a few cells and errors one, so that the verdict has something to lose. */
function startUnevenServer() {
  return startChatServer(({ text, model }) => {
    if (text.endsWith('w9') && model === 'gpt-4o') return { status: 400, body: { error: { message: 'no' } } };
    return text.endsWith('3') ? 'wrong' : wordOf(text);
  });
}

/** What an error says names the server. */
function withoutPort(report: JsonReport, port: number): unknown {
  return JSON.parse(JSON.stringify(withoutDraws(report)).replaceAll(`:${port}`, ''));
}

describe('a run that is killed', () => {
  let whole: ReturnType<typeof runWhole> | undefined;
  async function runWhole() {
    const server = await startUnevenServer();
    const argv = ['run', '--max-errors', '1', '--cache', 'off'];
    const { code, report } = await openTempProject('two-providers').report(argv, { env: server.env });
    return { code, report: withoutPort(report, server.port), requests: server.requests.length };
  }

  for (const moment of [1, 20, 79]) {
    const tags = moment === 20 ? [] : ['slow'];
    test(`by SIGKILL at request ${moment} is resumed to the report of a run that was not`, { tags }, async () => {
      const expected = await (whole ??= runWhole());
      const server = await startUnevenServer();
      const project = openTempProject('two-providers');
      const argv = ['run', '--max-errors', '1', '--cache', 'off', '-j', '4'];
      const { child, ended } = spawnCli(argv, { cwd: project.root, env: server.env });
      await server.waitFor(moment);
      child.kill('SIGKILL');
      expect(await ended).toMatchObject({ signal: 'SIGKILL' });
      const resumed = await project.report(['run', '--resume'], { env: server.env });

      expect(resumed.code).toBe(expected.code);
      expect(withoutPort(resumed.report, server.port)).toEqual(expected.report);
      // Only what was in flight, and the errored cell, is asked again.
      expect(server.requests.length).toBeLessThanOrEqual(expected.requests + 2 * 8 + 1);
    });
  }

  test('by SIGINT writes a partial report, ends with 130 and can be resumed', { tags: ['slow'] }, async () => {
    const project = openTempProject('two-providers');
    let isHanging = true;
    const server = await startChatServer(({ index, text }) => (isHanging && index >= 10 ? 'hang' : wordOf(text)));
    const { child, ended } = spawnCli(['run', '-j', '2', '-r', 'json'], { cwd: project.root, env: server.env });
    await server.waitFor(12);
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({
      totals: { passed: 10, planned: 80 },
      run: { stopReason: 'interrupted' },
    });
    isHanging = false;
    expect((await project.report(['run', '--resume'], { env: server.env })).report.totals.passed).toBe(80);
  });

  test('by a second SIGINT ends at once', { tags: 'slow' }, async () => {
    const project = openTempProject('echo');
    const server = await startChatServer(() => 'hang');
    const { child, ended } = spawnCli(['run'], { cwd: project.root, env: server.env });
    await server.waitFor(3);
    child.kill('SIGINT');
    child.kill('SIGINT');
    const { code, signal } = await ended;
    expect(code === 130 || signal === 'SIGINT').toBe(true);
  });
});

test('a reader that goes away does not change the exit code', { tags: ['slow'] }, async () => {
  const project = openTempProject('two-providers');
  const server = await startUnevenServer();
  const { child, ended } = spawnCli(['run', '-r', 'jsonl'], { cwd: project.root, env: server.env });
  child.stdout?.destroy();
  const { code, stderr } = await ended;
  expect(code).toBe(1);
  expect(stderr).not.toContain('EPIPE');
});

test('four processes on one folder at the same time lose no answer and keep their records apart', slow, async () => {
  const project = openTempProject('two-providers');
  const server = await startChatServer(({ text }) => wordOf(text));
  const runs = Array.from({ length: 4 }, () => spawnCli(['run', '-q'], { cwd: project.root, env: server.env }).ended);
  expect((await Promise.all(runs)).map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(project.files('.llmcheck/runs')).toHaveLength(4);
  const asked = server.requests.length;
  const after = await project.report(['run'], { env: server.env });
  expect([after.report.totals.cached, server.requests.length]).toEqual([80, asked]);
  expect((await project.run(['cache', 'verify'])).stdout).toMatch(/^\d+ entries checked, 0 damaged\n$/);
});
