import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject, statusesOf } from '../../support/temp-project.ts';

const all = {
  'csv-1': 'passed',
  'csv-2': 'passed',
  'json-1': 'passed',
  'jsonl-1': 'passed',
  'jsonl-2': 'passed',
  'yaml-1': 'passed',
};

test('cases come from JSON lines, JSON, YAML and CSV files', async () => {
  const project = openTempProject('case-files');
  const server = await startEchoServer();
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(0);
  expect(statusesOf(report)).toEqual(all);
  expect(report.totals).toMatchObject({ planned: 7, passed: 7 });
  const tagged = await project.report(['run', '--tag', 'lines'], { env: server.env });
  expect(Object.keys(statusesOf(tagged.report))).toEqual(['jsonl-1', 'jsonl-2']);
  const sent = server.requests.map(
    ({ body }) => (JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content,
  );
  expect(sent).toContain('Say: fünf, "5"');
  expect(sent).toContain('Say: 1.10');
});

test('a byte order mark and Windows line endings change nothing', async () => {
  const project = openTempProject('case-files');
  const server = await startEchoServer();
  const first = await project.report(['run'], { env: server.env });
  for (const name of project.files('evals')) {
    project.write(name, `\uFEFF${project.read(name).replaceAll('\n', '\r\n')}`);
  }
  const second = await project.report(['run'], { env: server.env });
  expect(statusesOf(second.report)).toEqual(statusesOf(first.report));
  expect(second.report.totals.cached).toBe(7);
  expect(second.code).toBe(0);
});

test.each(['rows.jsonl', 'list.json', 'list.yaml', 'table.csv'])('an empty %s is no crash', async (name) => {
  const project = openTempProject('case-files');
  const server = await startEchoServer();
  project.write(`evals/cases/${name}`, '');
  const { code, stderr } = await project.run(['run'], { env: server.env });
  expect([0, 2]).toContain(code);
  expect(stderr).not.toContain('this is a bug');
});

test('ten thousand cases in one YAML file load and run', { tags: 'slow' }, async () => {
  const project = openTempProject('case-files');
  const server = await startEchoServer();
  const rows = Array.from({ length: 10_000 }, (_, n) => `- { id: "c${n}", vars: { word: w${n} }, expected: w${n} }`);
  project.write('evals/cases/list.yaml', `${rows.join('\n')}\n`);
  const { code, stdout } = await project.run(['run', '-t', 'c9999', '-r', 'json'], { env: server.env });
  expect(code).toBe(0);
  expect(stdout).toContain('"passed":2');
});
