import { chmodSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Typed } from '../../../src/cli/io.ts';
import { main } from '../../../src/cli/main.ts';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const suite = `# The first comment stays.
suite: greet
prompts: [{ id: v1, text: "{{ q }}" }]   # so does this one
providers: ["exec:sh answer.sh"]
cases:
  - id: text          # and this
    vars: { q: text }
    expected: "Hello   Ada"   # the golden answer
    assert: [{ equals: "{{ expected }}" }]
  - { id: flow, vars: { q: flow }, expected: billing, assert: [{ equals: "{{ expected }}", select: { jsonPath: $.queue } }] } # flow
  - id: block
    vars: { q: block }
    expected: |
      one
      two
    assert: [{ equals: { value: "{{ expected }}", trim: true } }]
  - id: object
    expected:
      queue: billing
      lines: [1, 2]
    vars: { q: object }
    assert:
      - equals: "{{ expected }}"   # compares structures
        select: { json: true }
  - id: kept
    vars: { q: kept }
    assert: [{ snapshot: exact }]
  - file: rows.jsonl
    assert: [{ equals: "{{ expected }}" }]
  - file: table.csv
    assert: [{ equals: "{{ expected }}" }]
`;

const rows = `{"id": "row-1",  "vars": {"q": "row-1"}, "expected": "old \\u00e9"}
{"id": "row-2", "vars": {"q": "row-2"}, "expected": "old"}
`;

/** Quotes, line breaks and spaces as someone wrote them. */
const table = '\ufeffid,"q", expected\r\n"cell",cell,"old"\r\nother,"two ""words""\nin lines", kept \r\n';

const first = {
  text: 'Hello   Ada',
  flow: '{"queue": "billing"}',
  block: 'one\ntwo',
  object: '{"queue": "billing", "lines": [1, 2]}',
  kept: 'kept as it is',
  'row-1': 'old é',
  'row-2': 'old',
  cell: 'old',
};

const second = {
  text: 'Good day, "Ada"',
  flow: '{"queue": "account"}',
  block: 'three',
  object: '{"queue": "account", "lines": [3]}',
  kept: 'kept no more',
  'row-1': 'new é',
  'row-2': 'new',
  cell: 'new',
};

/** A project whose baseline has the first answers, and whose last run has the second. */
async function openProject(): Promise<TempProject> {
  const project = openTempProject();
  if (built.size > 0) {
    for (const [file, text] of built) project.write(file, text);
    return project;
  }
  project.write('evals/greet.eval.yaml', suite);
  project.write('evals/rows.jsonl', rows);
  project.write('evals/table.csv', 'id,q,expected\ncell,cell,old\n');
  project.write('evals/answer.sh', `cat "answers/$(sed 's/.*"content":"\\([^"]*\\)".*/\\1/')"\n`);
  writeAnswers(project, first);
  await project.run(['run']);
  await project.run(['baseline', 'accept', '--force']);
  writeAnswers(project, second);
  await project.run(['run', '--cache', 'refresh']);
  for (const file of project.files()) built.set(file, project.read(file));
  return project;
}

function writeAnswers(project: TempProject, answers: Readonly<Record<string, string>>): void {
  for (const [question, answer] of Object.entries(answers)) project.write(`evals/answers/${question}`, answer);
}

/** Every file of the project once it was built: the programs of two runs are started once, not for every test. */
const built = new Map<string, string>();

function accept(project: TempProject, glob: string, into: string) {
  return project.run(['review', '--accept', glob, '--into', into]);
}

/** A review by someone who types those replies on a terminal, and then no more. */
async function reviewAs(
  project: TempProject,
  replies: readonly (string | Typed)[],
  flags: readonly string[] = [],
  pressed?: readonly string[],
) {
  const questions: string[] = [];
  const keys: string[] = [];
  let stdout = '';
  const sink = { write: (text: string) => void (stdout += text), isTty: false, columns: () => undefined };
  const code = await main(['review', ...flags], {
    stdout: sink,
    stderr: sink,
    env: { PATH: process.env['PATH'] },
    cwd: project.root,
    now: () => new Date(0),
    random: () => 0,
    onSignal: () => () => undefined,
    ask: (question) => {
      const reply = replies[questions.length] ?? { ended: 'input' };
      questions.push(question);
      return Promise.resolve(typeof reply === 'string' ? { line: reply } : reply);
    },
    ...(pressed !== undefined && {
      askKey: (question: string) => {
        const line = pressed[keys.length];
        keys.push(question);
        return Promise.resolve<Typed>(line === undefined ? { ended: 'input' } : { line });
      },
    }),
  });
  return { code, stdout, questions, keys };
}

const acceptedSuite = suite
  .replace('"Hello   Ada"', JSON.stringify(second.text))
  .replace('expected: billing', 'expected: account')
  .replace('|\n      one\n      two\n', '"three"\n')
  .replace('queue: billing\n      lines: [1, 2]\n', '{"queue":"account","lines":[3]}\n');

describe('review', () => {
  test('lists the changed answers with a diff by words, and changes no file', { tags: 'slow' }, async () => {
    const project = await openProject();
    const before = project.files().map((file) => [file, project.read(file)]);
    const { code, stdout } = await project.run(['review']);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'greet/text · v1 × exec:sh answer.sh\n  failed (evals/greet.eval.yaml:6); - baseline  + this run',
    );
    expect(stdout).toContain('kept [-as it is-]');
    expect(stdout).toContain('kept {+no more+}');
    expect(stdout).toMatch(/8 changed answers: 8 listed\n$/);
    expect(project.files().map((file) => [file, project.read(file)])).toEqual(before);
  });

  test('lists an answer that differs from the accepted one although its checks pass', async () => {
    const project = openTempProject();
    const written = (text: string) =>
      `prompts: [{ id: v1, text: "${text}" }]\nproviders: ["echo:prompt"]\ncases: [{ id: kind, assert: [{ contains: Hello }] }]\n`;
    project.write('evals/greet.eval.yaml', written('Hello Ada'));
    await project.run(['run', '--update-baseline']);
    expect((await project.run(['review'])).stdout).toBe('no changed answer\n');
    project.write('evals/greet.eval.yaml', written('Hello you'));
    expect((await project.run(['run', '-q'])).code).toBe(0);
    expect((await project.run(['review'])).stdout).toMatch(/passed[^]*\{\+you\+\}[^]*1 changed answer: 1 listed\n$/);
  });

  test('accepts golden answers of every form, and no other byte of the suite changes', async () => {
    const project = await openProject();
    const { code, stdout } = await accept(project, 'greet/{text,flow,block,object}', 'expected');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/4 changed answers: 4 accepted\n$/)]);
    expect(project.read('evals/greet.eval.yaml')).toBe(acceptedSuite);
    const { stdout: after } = await project.run([
      'run',
      '--cache',
      'use',
      '--no-baseline',
      '-t',
      'greet/{text,flow,block,object}',
    ]);
    expect(after).toContain('4 passed');
  });

  test('accepts into a file that others may not read, and they still may not', async () => {
    const project = await openProject();
    const path = project.path('evals/greet.eval.yaml');
    chmodSync(path, 0o600);
    await accept(project, 'greet/text', 'expected');
    expect(project.read('evals/greet.eval.yaml')).not.toBe(suite);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('two reviews at the same time keep the answers of both', { tags: 'slow' }, async () => {
    const project = await openProject();
    const globs = ['greet/text', 'greet/flow', 'greet/block', 'greet/object', 'greet/row-1', 'greet/row-2'];
    const ended = await Promise.all(globs.map((glob) => accept(project, glob, 'expected')));
    expect(ended.map(({ code }) => code)).toEqual(globs.map(() => 0));
    expect(project.read('evals/greet.eval.yaml')).toBe(acceptedSuite);
    expect(project.read('evals/rows.jsonl')).not.toContain('"old');
  });

  test('accepts into one row of a file of JSON lines', async () => {
    const project = await openProject();
    expect((await accept(project, 'greet/row-1', 'expected')).code).toBe(0);
    expect(project.read('evals/rows.jsonl')).toBe(rows.replace('"old \\u00e9"', '"new é"'));
  });

  test('accepts into one row of a CSV, quoted as it was; the other rows keep every byte', async () => {
    const project = await openProject();
    project.write('evals/table.csv', table);
    const { code, stdout } = await accept(project, 'greet/cell', 'expected');
    expect([code, stdout]).toEqual([0, expect.stringContaining('accepted into evals/table.csv')]);
    expect(project.read('evals/table.csv')).toBe(table.replace('cell,"old"', 'cell,"new"'));
  });

  test('never writes into a CSV what a spreadsheet would compute', { tags: ['slow'] }, async () => {
    const project = await openProject();
    project.write('evals/answers/cell', '=HYPERLINK("http://x.example")');
    await project.run(['run', '--cache', 'refresh']);
    const { code, stdout } = await accept(project, 'greet/cell', 'expected');
    expect([code, stdout]).toEqual([1, expect.stringContaining('a spreadsheet would read it as a formula')]);
    expect(project.read('evals/table.csv')).toBe('id,q,expected\ncell,cell,old\n');
  });

  test.each(['baseline', 'snapshot'])('accepts into the %s the rows of that case alone', async (into) => {
    const project = await openProject();
    const linesOf = () => project.read('evals/greet.baseline.jsonl').split('\n');
    const before = linesOf();
    expect((await accept(project, 'greet/kept', into)).code).toBe(0);
    const changed = linesOf().filter((line) => !before.includes(line) && !line.includes('"type":"variant"'));
    expect(changed).toEqual([expect.stringMatching(/"caseId":"kept".*kept no more/)]);
    const { stdout } = await project.run(['run', '-t', 'greet/kept']);
    expect(stdout).toContain('1 passed');
  });

  test('refuses what would not make the case pass, or has no golden answer, and leaves the file alone', async () => {
    const project = await openProject();
    project.write(
      'evals/greet.eval.yaml',
      suite.replace('[{ equals: "{{ expected }}" }]', '[{ equals: "{{ expected }}" }, { contains: Bob }]'),
    );
    const text = project.read('evals/greet.eval.yaml');
    const { code, stdout } = await accept(project, 'greet/{text,kept}', 'expected');
    expect(code).toBe(1);
    expect(stdout).toContain('refused: no part of the answer makes the case pass: does not contain "Bob"');
    expect(stdout).toContain('refused: the case has no "expected" to put it into');
    expect(project.read('evals/greet.eval.yaml')).toBe(text);
  });

  test('refuses a golden answer that is in another place of the file', async () => {
    const project = await openProject();
    const text = suite.replace('expected: "Hello   Ada"', 'expected: &hello "Hello   Ada"');
    project.write('evals/greet.eval.yaml', text);
    const { stdout } = await accept(project, 'greet/text', 'expected');
    expect(stdout).toContain('refused: the case shares "expected" with other places in the file (&hello)');
    expect(project.read('evals/greet.eval.yaml')).toBe(text);
  });

  test('refuses a case that must pass and fails', async () => {
    const project = await openProject();
    project.write('evals/greet.eval.yaml', suite.replace('{ q: text }', '{ q: text }\n    mustPass: true'));
    const before = project.read('evals/greet.baseline.jsonl');
    const { code, stdout } = await accept(project, 'greet/text', 'baseline');
    expect([code, stdout]).toEqual([1, expect.stringContaining('refused: the case must pass, and it does not')]);
    expect(project.read('evals/greet.baseline.jsonl')).toBe(before);
  });

  test('asks on a terminal, until the user quits', async () => {
    const project = await openProject();
    const { code, stdout, questions } = await reviewAs(project, ['what?', 'e', 'Reject', ' Baseline ', 'q']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/3 changed answers: 2 accepted, 1 rejected, 5 left\n$/)]);
    expect(questions).toHaveLength(5);
    expect(questions[0]).toBe('accept into [e]xpected, [b]aseline, [a]ll of the suite, or [r]eject, [q]uit, [?]: ');
    expect(project.read('evals/greet.eval.yaml')).toBe(suite.replace('"Hello   Ada"', JSON.stringify(second.text)));
    expect(project.read('evals/greet.baseline.jsonl')).toContain('"three"');
  });

  test('shows where it is, what was asked, and both answers', async () => {
    const project = await openProject();
    const { stdout } = await reviewAs(project, ['r', 'r', 'q']);
    expect(stdout).toMatch(/^1 of 8 {2}greet\/\w+ · v1/m);
    expect(stdout).toMatch(/^3 of 8 {2}greet\/\w+ · v1/m);
    expect(stdout).toContain('  asked  text\n');
  });

  test('explains its keys, and accepts the rest of a suite after one more question', async () => {
    const project = await openProject();
    const { code, stdout, questions } = await reviewAs(project, ['r', '?', 'a', 'n', 'a', 'b']);
    expect(stdout).toContain('  a  accept this and the rest of its suite, after one more question\n');
    expect(questions.at(-1)).toBe('all 7 of greet: into [e]xpected, [b]aseline, or [n]one of this? ');
    expect(questions).toHaveLength(6);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/8 changed answers: 7 accepted, 1 rejected\n$/)]);
  });

  test('takes a single key where the terminal gives it, and a line in plain mode, which has no signs', async () => {
    const project = await openProject();
    const byKey = await reviewAs(project, ['must not be asked'], [], ['r', 'q']);
    expect([byKey.questions, byKey.keys]).toEqual([[], [expect.any(String), expect.any(String)]]);
    const plain = await reviewAs(project, ['r', 'q'], ['--plain'], ['must not be asked']);
    expect([plain.questions.length, plain.keys]).toEqual([2, []]);
    expect(plain.stdout).toContain('1 of 8  greet/');
    expect(plain.stdout).toContain('Old answer, from the baseline: Hello   Ada\nNew answer: Good day, "Ada"\n');
    expect(plain.stdout).not.toMatch(/\[-|\{\+/);
  });

  test('asks again where there is no golden answer to take it, and the end of input quits', async () => {
    const project = await openProject();
    const { code, stdout, questions } = await reviewAs(project, ['e'], ['-t', 'greet/kept']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nnothing reviewed, 1 left\n$/)]);
    expect(questions).toEqual(Array(2).fill('accept into [b]aseline, or [r]eject, [q]uit, [?]: '));
  });

  test('ends with 130 on Ctrl-C, and keeps what was accepted', async () => {
    const project = await openProject();
    const { code, stdout } = await reviewAs(project, ['e', { ended: 'interrupt' }]);
    expect([code, stdout]).toEqual([130, expect.stringMatching(/\n1 changed answer: 1 accepted, 7 left\n$/)]);
    expect(project.read('evals/greet.eval.yaml')).toBe(suite.replace('"Hello   Ada"', JSON.stringify(second.text)));
  });

  test('without a baseline leaves out a case that passes, though its answer is not the golden one', async () => {
    const project = openTempProject('echo');
    const server = await startChatServer(({ text }) => `${wordOf(text)}!`);
    const echo = project.read('evals/echo.eval.yaml');
    project.write('evals/echo.eval.yaml', echo.replace('equals: "{{expected}}"', 'contains: "{{expected}}"'));
    await project.run(['run'], { env: server.env });
    const { changes } = JSON.parse((await project.run(['review', '--json'])).stdout);
    expect(changes.map(({ caseId }: { caseId: string }) => caseId)).toEqual(['green', 'seven']);
  });

  test('gives JSON for scripts', async () => {
    const project = await openProject();
    const { stdout } = await project.run(['review', '--json', '-t', 'greet/kept']);
    expect(JSON.parse(stdout)).toMatchObject({
      format: 1,
      changes: [
        {
          caseId: 'kept',
          status: 'failed',
          before: { from: 'baseline', text: first.kept },
          after: second.kept,
          action: 'listed',
        },
      ],
    });
  });

  test.each([
    [['--accept', '*'], '--accept and --into go together'],
    [['--into', 'expected'], '--accept and --into go together'],
    [['--accept', 'nothing', '--into', 'baseline'], 'matches no changed answer'],
    [['--run', 'none'], 'there is no stored run "none"'],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await (await openProject()).run(['review', ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

test('reads the config that is named, also while it judges what it writes', async () => {
  const server = await startChatServer(() => 'new');
  const project = openTempProject();
  project.write('shop.config.yaml', 'providers: [{ id: own, use: "openai:gpt-4o-mini" }]\n');
  project.write(
    'evals/s.eval.yaml',
    'suite: s\nprompts: [{ id: v1, text: hi }]\nproviders: [own]\ncases: [{ id: a, expected: old, assert: [{ equals: "{{ expected }}" }] }]\n',
  );
  const config = ['-c', 'shop.config.yaml'];
  await project.run(['run', '-q', ...config], { env: server.env });
  const { code } = await project.run(['review', '--accept', 's/a', '--into', 'expected', ...config], {
    env: server.env,
  });
  expect([code, project.read('evals/s.eval.yaml')]).toEqual([0, expect.stringContaining('expected: new')]);
});

test('a case that fails in some trials of a run and is accepted counts by that run alone', async () => {
  const said = ['good 1', 'good 2', 'bad', 'good 3'];
  const server = await startChatServer(() => said.shift() ?? 'too many');
  const project = openTempProject();
  project.write(
    'evals/s.eval.yaml',
    'suite: s\nprompts: [{ id: v1, text: hi }]\nproviders: ["openai:small"]\ncases: [{ id: a, assert: [{ contains: good }] }]\n',
  );
  const run = (...argv: string[]) => project.run(argv, { env: server.env });
  const fresh = ['run', '-q', '--trials', '2', '-j', '1', '--cache', 'refresh'];
  await run(...fresh);
  await run('baseline', 'accept', '--force');
  await run(...fresh, '--no-baseline');
  expect((await run('review', '--accept', 's/a', '--into', 'baseline')).code).toBe(0);
  const accepted = project.read('evals/s.baseline.jsonl');
  expect(accepted).toContain('"output":"bad"');
  expect(accepted).not.toContain('"pooled"');
});
