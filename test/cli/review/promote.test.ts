import { expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject, statusesOf, type TempProject } from '../../support/temp-project.ts';

const line = (value: unknown) => `${JSON.stringify(value)}\n`;

/** Cases as `import otel` writes them, and a run whose answers are `new a`, `new b` and so on. */
async function openObserved(settings = '') {
  const server = await startChatServer(({ text }) => `new ${text}`);
  const project = openTempProject();
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: v1, text: "{{ q }}" }]
providers: [openai:m]
cases:
  - { id: own, vars: { q: own }, assert: [{ contains: own }] }
  - { file: prod.jsonl${settings} }
`,
  );
  const row = (q: string, expected: string) => line({ id: q, observe: true, vars: { q }, expected });
  const kept = '{"id": "kept",  "observe": true, "vars": {"q": "kept"}}\n';
  project.write('evals/prod.jsonl', row('a', 'old a') + kept + row('b', 'old b') + row('c', 'new c'));
  await project.run(['run'], { env: server.env });
  const statuses = async () => statusesOf((await project.report(['run'], { env: server.env })).report);
  return { project, kept, statuses };
}

const rowsOf = (project: TempProject) =>
  project
    .read('evals/prod.jsonl')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as Record<string, unknown>);

test('review lists a case under observe that has an answer, and no other', async () => {
  const { project } = await openObserved();
  const { code, stdout } = await project.run(['review', '--json']);
  const { changes } = JSON.parse(stdout) as { changes: { caseId: string; before: { text: string }; after: string }[] };
  expect([code, changes.map(({ caseId, before, after }) => [caseId, before.text, after])]).toEqual([
    0,
    [
      ['a', 'old a', 'new a'],
      ['b', 'old b', 'new b'],
      ['c', 'new c', 'new c'],
    ],
  ]);
});

test("the run's answer, or the old one, becomes the golden answer of a judged case", { tags: ['slow'] }, async () => {
  const { project, kept, statuses } = await openObserved();
  const assert = [{ equals: { value: '{{expected}}', trim: true } }];
  expect((await project.run(['review', '--accept', '*/a', '--into', 'expected'])).code).toBe(0);
  expect((await project.run(['review', '--accept', '*/b', '--into', 'recorded'])).code).toBe(0);
  expect(rowsOf(project)).toMatchObject([
    { id: 'a', vars: { q: 'a' }, expected: 'new a', assert },
    { id: 'kept' },
    { id: 'b', vars: { q: 'b' }, expected: 'old b', assert },
    { id: 'c', observe: true },
  ]);
  expect(rowsOf(project).map((row) => 'observe' in row)).toEqual([false, true, false, true]);
  expect(project.read('evals/prod.jsonl')).toContain(kept);
  expect(await statuses()).toMatchObject({ a: 'passed', b: 'failed' });
});

test('a wrong answer gets a check that catches it', async () => {
  const { project, statuses } = await openObserved();
  expect((await project.run(['review', '--accept', '*/[bc]', '--into', 'wrong'])).code).toBe(0);
  const [, , b, c] = rowsOf(project);
  expect(b).toEqual({ id: 'b', vars: { q: 'b' }, assert: [{ not: { equals: { value: 'old b', trim: true } } }] });
  expect(c).toMatchObject({ assert: [{ not: { equals: { value: 'new c', trim: true } } }] });
  expect(await statuses()).toMatchObject({ b: 'passed', c: 'failed' });
});

test('a case whose checks do not take the answer stays as it is', async () => {
  const { project } = await openObserved(', assert: [{ contains: new }]');
  const before = project.read('evals/prod.jsonl');
  const refused = await project.run(['review', '--accept', '*/b', '--into', 'recorded']);
  expect([refused.code, project.read('evals/prod.jsonl')]).toEqual([1, before]);
  expect(refused.stdout).toContain('the answer does not pass');
  expect((await project.run(['review', '--accept', '*/b', '--into', 'expected'])).code).toBe(0);
  expect(rowsOf(project)[2]).toEqual({ id: 'b', vars: { q: 'b' }, expected: 'new b' });
});

test('a file that puts all its cases under observe, and a case that is judged already', {
  tags: ['slow'],
}, async () => {
  const { project, statuses } = await openObserved(', observe: true');
  project.write('evals/prod.jsonl', line({ id: 'a', vars: { q: 'a' }, expected: 'old a' }));
  await statuses();
  expect((await project.run(['review', '--accept', '*/a', '--into', 'expected'])).code).toBe(0);
  expect(rowsOf(project)).toMatchObject([{ id: 'a', observe: false, expected: 'new a' }]);
  expect(await statuses()).toMatchObject({ a: 'passed' });
});

/** The same case in other files, each with what is around it: the text between the two marks is what may change. */
const written: readonly (readonly [name: string, file: string, text: string, promoted: string, wrong: string])[] = [
  [
    'a block of YAML',
    'cases.yaml',
    `# kept
- id: a   # of a
  vars: { q: a }
  observe: true # for now
  expected: old a
- { id: b, vars: { q: b }, observe: true }
`,
    `# kept
- id: a   # of a
  vars: { q: a }
  assert: [{"equals":{"value":"{{expected}}","trim":true}}] # for now
  expected: new a
- { id: b, vars: { q: b }, observe: true }
`,
    `# kept
- id: a   # of a
  vars: { q: a }
  assert: [{"not":{"equals":{"value":"old a","trim":true}}}] # for now
- { id: b, vars: { q: b }, observe: true }
`,
  ],
  [
    'YAML in one line',
    'cases.yml',
    `- { id: a, expected: "old a", vars: { q: a }, observe: true }
- { id: b, vars: { q: b }, observe: true }
`,
    `- { id: a, expected: "new a", vars: { q: a }, assert: [{"equals":{"value":"{{expected}}","trim":true}}] }
- { id: b, vars: { q: b }, observe: true }
`,
    `- { id: a, vars: { q: a }, assert: [{"not":{"equals":{"value":"old a","trim":true}}}] }
- { id: b, vars: { q: b }, observe: true }
`,
  ],
  [
    'JSON',
    'cases.json',
    `[
  {"id": "a", "observe": true,
   "vars": {"q": "a"}, "expected": "old a"}
]`,
    `[
  {"id": "a", "assert": [{"equals":{"value":"{{expected}}","trim":true}}],
   "vars": {"q": "a"}, "expected": "new a"}
]`,
    `[
  {"id": "a", "assert": [{"not":{"equals":{"value":"old a","trim":true}}}],
   "vars": {"q": "a"}}
]`,
  ],
];

test.each(written)(
  'a case in %s is promoted, and no other byte changes',
  { tags: ['slow'] },
  async (_name, file, text, promoted, wrong) => {
    const server = await startChatServer(({ text: asked }) => `new ${asked}`);
    for (const [into, expected] of [
      ['expected', promoted],
      ['wrong', wrong],
    ] as const) {
      const project = openTempProject();
      project.write(
        'evals/s.eval.yaml',
        `prompts: [{ id: v1, text: "{{ q }}" }]\nproviders: [openai:m]\ncases:\n  - { id: own, vars: { q: own }, assert: [{ contains: own }] }\n  - { file: ${file} }\n`,
      );
      project.write(`evals/${file}`, text);
      await project.run(['run'], { env: server.env });
      const accepted = await project.run(['review', '--accept', '*/a', '--into', into]);
      expect([accepted.code, project.read(`evals/${file}`)]).toEqual([0, expected]);
      expect(statusesOf((await project.report(['run'], { env: server.env })).report)).toMatchObject({ a: 'passed' });
    }
  },
);

test('a file that puts its cases under observe, a case with checks, and one whose values are shared', {
  tags: ['slow'],
}, async () => {
  const server = await startChatServer(({ text: asked }) => `new ${asked}`);
  const project = openTempProject();
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: v1, text: "{{ q }}" }]
providers: [openai:m]
cases:
  - { id: own, vars: { q: own }, assert: [{ contains: own }] }
  - { file: cases.yaml, observe: true }
`,
  );
  const before = `- id: a
  vars: { q: a }
  expected: |
    old a
- id: b
  vars: { q: b }
  assert:
    - contains: new
  expected: old b
- { id: c, vars: { q: c }, expected: &old old c }
- { id: d, vars: { q: d }, expected: *old }
`;
  project.write('evals/cases.yaml', before);
  await project.run(['run'], { env: server.env });
  for (const name of ['a', 'b'])
    expect((await project.run(['review', '--accept', `*/${name}`, '--into', 'expected'])).code).toBe(0);
  const shared = await project.run(['review', '--accept', '*/c', '--into', 'expected']);
  expect([shared.code, shared.stdout]).toEqual([1, expect.stringContaining('shares "expected"')]);
  expect(project.read('evals/cases.yaml')).toBe(
    before
      .replace('- id: a\n', '- assert: [{"equals":{"value":"{{expected}}","trim":true}}]\n  observe: false\n  id: a\n')
      .replace('|\n    old a', '"new a"')
      .replace('- id: b\n', '- observe: false\n  id: b\n')
      .replace('expected: old b', 'expected: new b'),
  );
  expect(statusesOf((await project.report(['run'], { env: server.env })).report)).toMatchObject({
    a: 'passed',
    b: 'passed',
  });
});

test('a row of CSV is refused with the place for its checks', async () => {
  const server = await startChatServer(({ text: asked }) => `new ${asked}`);
  const project = openTempProject();
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: v1, text: "{{ q }}" }]\nproviders: [openai:m]\ncases: [{ file: cases.csv, observe: true }]\n`,
  );
  project.write('evals/cases.csv', 'id,q,expected\na,a,old a\n');
  await project.run(['run'], { env: server.env });
  const { code, stdout } = await project.run(['review', '--accept', '*/a', '--into', 'recorded']);
  expect([code, stdout]).toEqual([1, expect.stringContaining('has no column for checks')]);
});

test('an answer with calls, an empty one and one with braces of templates are refused with why', async () => {
  const call = { id: 'c', type: 'function', function: { name: 'find', arguments: '{}' } };
  const server = await startChatServer(({ text }) => {
    const message = { role: 'assistant', content: text === 'b' ? ' ' : 'new', tool_calls: text === 'a' ? [call] : [] };
    return { body: { choices: [{ index: 0, message, finish_reason: 'stop' }] } };
  });
  const project = openTempProject();
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: v1, text: "{{ q }}" }]\nproviders: [openai:m]\ncases: [{ file: prod.jsonl }]\n`,
  );
  const row = (q: string, expected: string) => line({ id: q, observe: true, vars: { q }, expected });
  const before = row('a', 'old a') + row('b', 'old b') + row('c', 'old \\{{ c }}');
  project.write('evals/prod.jsonl', before);
  await project.run(['run'], { env: server.env });
  const refusals = [
    ['a', 'expected', 'the answer is not only text'],
    ['b', 'expected', 'the answer is not only text'],
    ['c', 'wrong', 'the answer holds braces of templates'],
  ] as const;
  for (const [name, into, why] of refusals) {
    const { code, stdout } = await project.run(['review', '--accept', `*/${name}`, '--into', into]);
    expect([name, code, stdout]).toEqual([name, 1, expect.stringContaining(why)]);
  }
  expect(project.read('evals/prod.jsonl')).toBe(before);
});
