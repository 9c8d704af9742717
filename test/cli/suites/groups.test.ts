import { describe, expect, test } from 'vitest';
import { completionOf, startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const head = 'prompts: [{ id: v1, text: "{{ q }}" }]\nproviders: [openai:m]\n';
const anyAssert = 'assert: [{ contains: x }]';

/** The groups of all cases, as the report of a run has them. */
async function groupsOf(files: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const project = openTempProject();
  const { env } = await startChatServer(({ model }) => ({ body: completionOf('x', model) }));
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  const { report } = await project.report(['run'], { env });
  const cases = report.suites.flatMap((suite) => suite.cases);
  return Object.fromEntries(cases.map((found) => [found.caseId, 'group' in found ? found.group : undefined]));
}

describe('a group', () => {
  test('applies to the rows of a file of cases, and a row’s own wins', async () => {
    const groups = await groupsOf({
      'evals/a.eval.yaml': `${head}cases:\n  - { file: rows.jsonl, group: file, ${anyAssert} }\n  - { id: single, group: own, vars: { q: a }, ${anyAssert} }\n`,
      'evals/rows.jsonl': '{"id":"r1","vars":{"q":"b"}}\n{"id":"r2","group":"row","vars":{"q":"c"}}\n',
    });
    expect(groups).toEqual({ single: 'own', r1: 'file', r2: 'row' });
  });

  test('is a column of a CSV file, and an empty cell falls back to the file', async () => {
    const groups = await groupsOf({
      'evals/a.eval.yaml': `${head}cases: [{ file: rows.csv, group: file, ${anyAssert} }]\n`,
      'evals/rows.csv': 'id,q,group\nr1,a, doc-1 \nr2,b,12\nr3,c,\n',
    });
    expect(groups).toEqual({ r1: 'doc-1', r2: '12', r3: 'file' });
  });
});

test.each<[string, string]>([
  ['a number', '12'],
  ['a list', '[a, b]'],
  ['nothing', '""'],
  ['blanks', '"  "'],
  ['null', 'null'],
  ['two lines', '"a\\nb"'],
])('%s is no group', async (_name, group) => {
  const project = openTempProject();
  project.write(
    'evals/a.eval.yaml',
    `${head}cases:\n  - file: rows.jsonl\n    group: ${group}\n    ${anyAssert}\n  - id: b\n    group: ${group}\n    vars: { q: b }\n    ${anyAssert}\n`,
  );
  project.write('evals/rows.jsonl', '{"id":"r1","vars":{"q":"a"}}\n');
  const { code, stderr } = await project.run(['validate']);
  expect(code).toBe(2);
  for (const place of ['evals/a.eval.yaml:5:12', 'evals/a.eval.yaml:8:12']) expect(stderr.split(place)).toHaveLength(2);
  expect(stderr).toContain('must be a text on one line without blanks at its ends, such as doc-12');
});

test('a row’s group that is not a text is an error at its place in the file', async () => {
  const project = openTempProject();
  project.write('evals/a.eval.yaml', `${head}cases: [{ file: rows.jsonl, ${anyAssert} }]\n`);
  project.write('evals/rows.jsonl', '{"id":"r1","vars":{"q":"a"}}\n{"id":"r2","group":7,"vars":{"q":"b"}}\n');
  const { code, stderr } = await project.run(['validate']);
  expect([code, stderr.includes('rows.jsonl:2:20')]).toEqual([2, true]);
});
