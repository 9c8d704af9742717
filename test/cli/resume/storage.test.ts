import { describe, expect, test } from 'vitest';
import { startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, withoutTimes } from '../../support/temp-project.ts';

const spawnCli = prepareSpawn();

describe('a disk that says no', () => {
  test('in mid-run ends the run with 4, and what was recorded is readable and gone on with', {
    tags: 'slow',
  }, async () => {
    const whole = openTempProject('two-providers');
    const server = await startEchoServer();
    const expected = await whole.report(['run', '--cache', 'off'], { env: server.env });
    const project = openTempProject('two-providers');
    const asked = server.requests.length;
    const argv = ['run', '--cache', 'off', '-j', '4', '-r', 'json'];
    const { code, stdout, stderr } = await spawnCli(argv, { cwd: project.root, env: server.env, maxFileBlocks: 40 })
      .ended;
    const { run, totals } = JSON.parse(stdout);
    expect([code, run.stopReason]).toEqual([4, 'storage']);
    expect(totals.passed).toBeGreaterThan(5);
    expect(totals.passed).toBeLessThan(80);
    expect(stderr).toContain('EFBIG');

    const stored = await project.run(['report', run.id, '-r', 'json']);
    expect(JSON.parse(stored.stdout)).toMatchObject({ totals, decision: { exitCode: 4 } });
    const resumed = await project.report(['run', '--resume', '--cache', 'off'], { env: server.env });
    expect(resumed.code).toBe(expected.code);
    expect(withoutTimes(resumed.report)).toEqual(withoutTimes(expected.report));
    // Only what was in flight when the disk refused is asked again.
    expect(server.requests.length - asked).toBeLessThanOrEqual(80 + 2 * 4);
  });

  test('before the first call is a usage error that names the path, and leaves no record behind', {
    tags: 'slow',
  }, async () => {
    const server = await startEchoServer();
    for (const [blocked, named] of [
      ['.llmcheck', '.llmcheck/runs'],
      ['.llmcheck/runs', '.llmcheck/runs'],
    ] as const) {
      const project = openTempProject('echo');
      project.write(blocked, 'no folder');
      const { code, stderr } = await project.run(['run'], { env: server.env });
      expect([code, stderr.includes(project.path(named))]).toEqual([2, true]);
    }
    const project = openTempProject('two-providers');
    const { ended } = spawnCli(['run'], { cwd: project.root, env: server.env, maxFileBlocks: 1 });
    const { code, stderr } = await ended;
    expect([code, stderr.includes(project.path('.llmcheck/runs/'))]).toEqual([2, true]);
    expect(project.files('.llmcheck/runs')).toEqual([]);
    expect(server.requests).toHaveLength(0);
  });
});

test('a record with damaged lines is refused by report and gone on with by --resume, without their cells', {
  tags: 'slow',
}, async () => {
  const project = openTempProject('two-providers');
  const server = await startChatServer(({ text }) => (text.endsWith('3') ? 'wrong' : wordOf(text)));
  const whole = await project.report(['run', '--cache', 'off'], { env: server.env });
  const [record = ''] = project.files('.llmcheck/runs');
  const lines = project.read(record).split('\n');
  const asked = server.requests.length;
  const cells = lines.flatMap((line, index) => (line.startsWith('{"type":"cell"') ? [index] : []));
  const [, torn = 0, , , overwritten = 0, , wrong = 0] = cells;
  const checks = lines.findIndex((line) => line.startsWith('{"type":"checks"'));
  lines[checks] = 'garbage';
  lines[torn] = `${(lines[torn] ?? '').slice(0, 50)}${'\0'.repeat(512)}`;
  lines[overwritten] = 'garbage';
  lines[wrong] = (lines[wrong] ?? '').replace('"passed"', '"perfect"');
  project.write(record, `${lines.join('\n')}${'\0'.repeat(4096)}`);

  const refused = await project.run(['report', whole.report.run.id]);
  expect(refused.code).toBe(2);
  for (const index of [checks, torn, overwritten]) expect(refused.stderr).toContain(`Line ${index + 1} of`);
  const resumed = await project.report(['run', '--resume', '--cache', 'off'], { env: server.env });
  expect(resumed.code).toBe(whole.code);
  expect(withoutTimes(resumed.report)).toEqual(withoutTimes(whole.report));
  expect(server.requests.length - asked).toBe(3);
  expect(resumed.stderr).toContain('5 lines of');
});

test('a run whose record another one goes on with writes no more, and neither loses or mixes a cell', {
  tags: 'slow',
}, async () => {
  const project = openTempProject('two-providers');
  let isHeld = true;
  const release: (() => void)[] = [];
  const server = await startChatServer(async ({ text, index }) => {
    if (isHeld && index >= 10) await new Promise<void>((resolve) => release.push(resolve));
    return wordOf(text);
  });
  const { ended } = spawnCli(['run', '--cache', 'off', '-j', '4', '-r', 'json'], {
    cwd: project.root,
    env: server.env,
  });
  await server.waitFor(14);
  isHeld = false;
  const second = await project.report(['run', '--resume', '--cache', 'off'], { env: server.env });
  for (const go of release) go();
  const first = await ended;
  expect(first.stderr).toContain('another run has replaced it');
  // It says what is in the record by then.
  expect([first.code, JSON.parse(first.stdout).totals.passed]).toEqual([0, 80]);
  expect([second.code, second.report.totals.passed]).toEqual([0, 80]);
  const after = await project.run(['report', second.report.run.id, '-r', 'json']);
  expect(JSON.parse(after.stdout).totals.passed).toBe(80);
});

test('a clock that jumps changes no verdict, no latency and no duration', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  let calls = 0;
  const now = () => {
    calls += 1;
    return new Date(Date.UTC(2026, 10, 24) + (calls % 2 === 0 ? 86_400_000 * 400 : -86_400_000 * 400));
  };
  const first = await project.report(['run'], { env: server.env, now });
  const second = await project.report(['run'], { env: server.env, now });
  expect([first.code, second.code, second.report.totals.cached]).toEqual([0, 0, 3]);
  for (const { report, stdout } of [first, second]) {
    const { durationMs } = JSON.parse(stdout).run;
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(durationMs).toBeLessThan(60_000);
    for (const { trials } of report.suites.flatMap(({ cases }) => cases)) {
      for (const { latencyMs } of trials) {
        expect(latencyMs).toBeGreaterThan(0);
        expect(latencyMs).toBeLessThan(60_000);
      }
    }
  }
  expect(calls).toBeGreaterThan(4);
});
