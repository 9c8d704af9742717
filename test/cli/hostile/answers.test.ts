import { describe, expect, test } from 'vitest';
import { startChatServer, startEchoServer } from '../../support/chat-server.ts';
import { findXmlFault } from '../../support/find-xml-fault.ts';
import { openTempProject, statusesOf, trialsOf } from '../../support/temp-project.ts';

const escapes = '\u001b[2J\u001b]0;owned\u0007\u001b]8;;http://evil\u0007\u009b31m\u202Eoops\u0008\u0008';
const nasty = `${escapes}\n::error file=x::pwned\n]]></failure><script>alert(1)</script>\uFFFE\u0000 <!-- & " '`;

describe('an answer full of control characters', () => {
  test('does nothing to a terminal and starts no workflow command', async () => {
    const project = openTempProject('echo');
    const server = await startChatServer(() => nasty);
    const { code, stdout, stderr } = await project.run(['run', '--verbose'], { env: server.env });
    expect(code).toBe(1);
    for (const text of [stdout, stderr]) {
      // oxlint-disable-next-line no-control-regex -- control characters are the subject
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(text).not.toMatch(/^\s*::/m);
    }
    expect(stdout).toContain('pwned');
  });

  test('stays well-formed in JUnit, JSON and JSON lines', async () => {
    const project = openTempProject('echo');
    const server = await startChatServer(() => nasty);
    const reporters = ['-r', 'junit=out/junit.xml', '-r', 'json=out/report.json', '-r', 'jsonl=out/cells.jsonl'];
    await project.run(['run', ...reporters], { env: server.env });
    const xml = project.read('out/junit.xml');
    expect(findXmlFault(xml)).toBeUndefined();
    expect(xml).not.toContain('<script>');
    const report = JSON.parse(project.read('out/report.json')) as {
      suites: { cases: { trials: { output: string }[] }[] }[];
    };
    expect(report.suites[0]?.cases[0]?.trials[0]?.output).toContain('pwned');
    for (const line of project.read('out/cells.jsonl').trim().split('\n'))
      expect(() => JSON.parse(line) as unknown).not.toThrow();
    for (const name of project.files('out')) {
      // oxlint-disable-next-line no-control-regex -- control characters are the subject
      expect(project.read(name)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u009b\u202e]/);
    }
  });
});

test('a case id that looks like markup or a path is harmless, and names its cell everywhere', async () => {
  const project = openTempProject('echo');
  const ids = [
    'a/b/../c',
    '../../etc/passwd',
    '<b>&"\'',
    'ключ 🦊',
    '__proto__',
    'constructor',
    '-t',
    '%s %d',
    'a,b',
    '::error::x',
    '*',
  ];
  project.write('evals/rows.json', JSON.stringify(ids.map((id) => ({ id, vars: { word: id }, expected: id }))));
  const suite = project.read('evals/echo.eval.yaml');
  project.write(
    'evals/echo.eval.yaml',
    suite.replace(/cases:[\s\S]*/, 'cases:\n  - file: rows.json\n    assert: [{ equals: "{{expected}}" }]\n'),
  );
  const server = await startEchoServer();
  const { code, report } = await project.report(['run', '-r', 'junit=junit.xml'], { env: server.env });
  expect(code).toBe(0);
  expect(Object.keys(statusesOf(report)).length + (Object.hasOwn(statusesOf(report), '__proto__') ? 0 : 1)).toBe(
    ids.length,
  );
  expect(
    trialsOf(report)
      .map(({ caseId }) => caseId)
      .sort(),
  ).toEqual(ids.toSorted());
  expect(findXmlFault(project.read('junit.xml'))).toBeUndefined();
  for (const id of ['a/b/../c', 'ключ 🦊', '<b>&"\'']) {
    expect((await project.report(['run', '-t', id], { env: server.env })).report.totals.planned).toBe(1);
  }
  expect(server.requests).toHaveLength(ids.length);
});

test('a regex that backtracks without end stops in time and does not delay the others', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  const evil = String.raw`regex: "^(([a-z])+.)+[A-Z]([a-z])+$"`;
  // Fresh trials would only take as long again.
  project.write(
    'evals/echo.eval.yaml',
    `${suite.replace('equals: "{{expected}}"', evil)}gate: { confirm: { budget: 0 } }\n`,
  );
  const server = await startChatServer(({ text }) =>
    text.includes('red') ? `${'a'.repeat(50)}!` : text.replace('Say: ', ''),
  );
  const { report } = await project.report(['run'], { env: server.env });
  expect(report.totals).toMatchObject({ planned: 3, passed: 2 });
});

test('an answer of four megabytes is judged, stored and reported', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('equals: "{{expected}}"', 'endsWith: red'));
  const server = await startChatServer(() => `${'lorem ipsum '.repeat(340_000)}red`);
  const first = await project.report(['run', '-t', 'red'], { env: server.env });
  const second = await project.report(['run', '-t', 'red'], { env: server.env });
  expect([first.code, second.code, server.requests.length]).toEqual([0, 0, 1]);
  expect(trialsOf(second.report)[0]?.output?.length).toBeGreaterThan(4_000_000);
  const terminal = await project.run(['report']);
  expect(terminal.stdout.length).toBeLessThan(20_000);
});

test('a failing answer of four megabytes does not flood the terminal', { tags: 'slow' }, async () => {
  const project = openTempProject('echo');
  // Fresh trials would only take as long again.
  project.write('evals/echo.eval.yaml', `${project.read('evals/echo.eval.yaml')}gate: { confirm: { budget: 0 } }\n`);
  const server = await startChatServer(() => 'x'.repeat(4_000_000));
  const { code, stdout } = await project.run(['run', '-t', 'red'], { env: server.env });
  expect(code).toBe(4);
  expect(stdout.length).toBeLessThan(20_000);
});
