import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

test('a filter that matches nothing is incomplete, unless --allow-empty', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  const strict = await project.report(['run', '-t', 'violet'], { env });
  const lenient = await project.report(['run', '-t', 'violet', '--allow-empty'], { env });
  expect(strict.code).toBe(4);
  expect(strict.report.decision).toMatchObject({ outcome: 'incomplete', breaches: [{ code: 'nothing-evaluated' }] });
  expect(lenient.code).toBe(0);
});

test('a tag that no case has is incomplete', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  expect((await project.run(['run', '--tag', 'violet'], { env })).code).toBe(4);
});

test('a folder without suites is incomplete and names the first step', async () => {
  const project = openTempProject();
  const { code, stdout, stderr } = await project.run(['run']);
  expect(code).toBe(4);
  expect(stdout + stderr).toMatch(/no suite/);
  expect((await project.run(['run', '--allow-empty'])).code).toBe(0);
});

test('a path without a suite is a usage error', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['run', 'evals/nowhere.eval.yaml']);
  expect(code).toBe(2);
  expect(stderr).toContain('nowhere.eval.yaml');
});

test('cases that all are skipped are incomplete; one that is skipped beside others is not', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('id: red', 'id: red\n    skip: waits for the new palette'));
  const all = await project.report(['run', '-t', 'red'], { env: server.env });
  const one = await project.report(['run'], { env: server.env });
  expect([all.code, one.code]).toEqual([4, 0]);
  expect(one.report.totals).toMatchObject({ planned: 3, passed: 2, skipped: 1 });
  const skipped = one.report.suites[0]?.cases.find(({ caseId }) => caseId === 'red');
  expect(skipped?.trials[0]?.skip).toEqual({ reason: 'case', message: 'waits for the new palette' });
  expect(server.requests).toHaveLength(2);
});

test('a case without assertions is a usage error, except under observe', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const bare = project
    .read('evals/echo.eval.yaml')
    .replaceAll('assert: [{ equals: "{{expected}}" }]', 'description: no check');
  project.write('evals/echo.eval.yaml', bare);
  const unchecked = await project.run(['run'], { env: server.env });
  expect(unchecked.code).toBe(2);
  expect(unchecked.stderr).toContain('no-assertion');
  expect(server.requests).toHaveLength(0);
  project.write('evals/echo.eval.yaml', bare.replaceAll('description: no check', 'observe: true'));
  const observed = await project.report(['run'], { env: server.env });
  expect(observed.code).toBe(4);
  expect(observed.report.totals).toMatchObject({ planned: 0, observed: 3 });
});

test.each(['weight: 0', 'weight: 0, required: false'])(
  'a case whose assertions all have %s is a usage error, except under observe',
  async (weight) => {
    const project = openTempProject('echo');
    const server = await startEchoServer();
    const text = project.read('evals/echo.eval.yaml');
    const bare = text.replaceAll('equals: "{{expected}}" }', `equals: "{{expected}}", ${weight} }`);
    expect(bare).not.toBe(text);
    project.write('evals/echo.eval.yaml', bare);
    const { code, stderr } = await project.run(['run'], { env: server.env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/no-assertion: no assertion of case "\S+" counts: all have weight 0/);
    expect(server.requests).toHaveLength(0);
    project.write('evals/echo.eval.yaml', bare.replaceAll('    assert:', '    observe: true\n    assert:'));
    expect((await project.report(['run'], { env: server.env })).report.totals).toMatchObject({ observed: 3 });
  },
);

test('an empty shard of a suite that has cases is no failure', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  const codes = [];
  for (const shard of ['1/5', '2/5', '3/5', '4/5', '5/5']) {
    codes.push((await project.run(['run', '--shard', shard], { env })).code);
  }
  expect(codes).toEqual([0, 0, 0, 0, 0]);
});
