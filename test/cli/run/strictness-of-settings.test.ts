import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const suite = `prompts: [{ id: p, text: "Say {{ w }}" }]
providers: [openai:mine]
cases: [{ id: a, vars: { w: hi }, assert: [{ contains: hi }] }]
`;

/** What validate and run say, which must be the same; and that nothing was sent. */
async function refusalOf(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const project = openTempProject();
  for (const [path, text] of Object.entries(files)) project.write(path, text);
  const server = await startEchoServer();
  const validated = await project.run(['validate'], { env: { ...server.env, ...env } });
  const run = await project.run(['run'], { env: { ...server.env, ...env } });
  expect([validated.code, run.code, server.requests.length]).toEqual([2, 2, 0]);
  expect(validated.stderr).toBe(run.stderr);
  return { stderr: run.stderr, project };
}

test("the config's run: is checked at its place, together with the suites, by validate as by run", async () => {
  const { stderr } = await refusalOf({
    'llmcheck.config.yaml':
      'run:\n  maxcost: 3\n  timeout: soon\n  reporter: junitt\n  shard: 9/4\ncache: { dir: x }\n',
    'evals/x.eval.yaml': `${suite}tests: []\n`,
  });
  expect(stderr).toMatch(/config\.yaml:2:3 error unknown-key: .*maxcost[\s\S]*?did you mean "maxCost"\?/);
  expect(stderr).toMatch(/config\.yaml:3:12 error config: .*"soon" is not a duration/);
  expect(stderr).toMatch(/config\.yaml:4:13 error usage: .*junitt[\s\S]*?did you mean "junit"\?/);
  expect(stderr).toMatch(/config\.yaml:5:10 error usage: --shard/);
  expect(stderr).toMatch(/config\.yaml:6:10 error unknown-key: unknown key "dir" in cache/);
  expect(stderr).toContain('evals/x.eval.yaml:4:1 error unknown-key');
  expect(stderr).toContain('6 errors');
});

test('a seed in the config waits for a sample on the command line', async () => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'run: { seed: 3 }\n');
  project.write('evals/x.eval.yaml', suite);
  const { env } = await startEchoServer();
  expect((await project.run(['run', '--sample', '1'], { env })).code).toBe(0);
});

test('a mistake in a flag or variable is reported together with those in the files', async () => {
  const { stderr, project } = await refusalOf(
    { 'evals/x.eval.yaml': `${suite}tests: []\n` },
    { LLMCHECK_DEADLINE: 'later' },
  );
  expect(stderr).toMatch(/error usage: LLMCHECK_DEADLINE: "later" is not a duration/);
  expect(stderr).toContain('2 errors');
  const flag = await project.run(['run', '--concurrency', '0', '-r', 'nope']);
  expect(flag.stderr).toContain('error usage: --concurrency');
  expect(flag.stderr).toContain('error usage: --reporter nope');
  expect(flag.stderr).toContain('evals/x.eval.yaml:4:1 error unknown-key');
  expect(flag.stderr).toContain('3 errors');
});

test('validate knows of a budget that no price can hold, and of the config that a variable names', async () => {
  const { stderr } = await refusalOf({
    'llmcheck.config.yaml': 'run: { maxCost: 1 }\n',
    'evals/x.eval.yaml': suite,
  });
  expect(stderr).toContain('evals/x.eval.yaml:2:13 error missing-price');
  const other = await refusalOf(
    { 'other.yaml': 'gates: {}\n', 'evals/x.eval.yaml': suite },
    { LLMCHECK_CONFIG: 'other.yaml' },
  );
  expect(other.stderr).toContain('other.yaml:1:1 error unknown-key');
});

test('the damaged lines of all recordings are named at once, the same way by validate and run', async () => {
  const { stderr } = await refusalOf({
    'evals/x.eval.yaml': `${suite}recordings: x.jsonl\n`,
    'evals/y.eval.yaml': `${suite}recordings: y.jsonl\n`,
    'evals/x.jsonl': '{"format":1}\n{\n',
    'evals/y.jsonl': '[]\n',
  });
  for (const place of ['evals/x.jsonl:1:1', 'evals/x.jsonl:2:1', 'evals/y.jsonl:1:1']) {
    expect(stderr).toContain(`\n${place} error recording`.trimStart());
  }
});

test.each([
  ['an empty prompt file', '{ id: q, file: p.md }', 'evals/p.md:1:1 error invalid-value: the prompt "q" is empty'],
  ['an empty text', '{ id: q, text: "" }', 'evals/x.eval.yaml:1:27 error invalid-value: the prompt "q" is empty'],
  [
    'blank messages',
    '{ id: q, messages: [{ role: user, content: " " }] }',
    'error invalid-value: the prompt "q" is empty',
  ],
  ['a number as an id', '{ id: 7, text: "{{ w }}" }', 'for a text, write it in quotes: "7"'],
  ['a file name that is nearly there', '{ id: q, file: pp.md }', 'did you mean "p.md"?'],
])('%s is refused with its next step', async (_, prompt, said) => {
  const { stderr } = await refusalOf({
    'evals/p.md': ' \n',
    'evals/x.eval.yaml': suite.replace('{ id: p, text: "Say {{ w }}" }', prompt),
  });
  expect(stderr).toContain(said);
});

test.each([
  ['toolResult: { nam: f, content: x }', 'unknown key "nam" in turns[0].toolResult', 'did you mean "name"?'],
  ['toolResul: { name: f, content: x }', 'unknown key "toolResul" in turns[0]', 'did you mean "toolResult"?'],
  ['usr: hi', 'unknown key "usr" in turns[0]', 'did you mean "user"?'],
])('a turn with %s has one mistake', async (turn, said, hint) => {
  const { stderr } = await refusalOf({
    'evals/x.eval.yaml': suite.replace('assert:', `turns: [{ ${turn} }], assert:`),
  });
  expect(stderr).toContain(said);
  expect(stderr).toContain(hint);
  expect(stderr).toContain('1 error\n');
});

test.each([
  ['mustPass: "yes"', 'write true'],
  ['mustPass: "off"', 'write false'],
  ['tags: billing', 'write ["billing"]'],
  ['tags: { a: 1 }', 'begin each item of the list with "- "'],
  ['description: 2024', 'for a text, write it in quotes: "2024"'],
])('%s of a case is refused with what to write', async (key, hint) => {
  const { stderr } = await refusalOf({ 'evals/x.eval.yaml': suite.replace('vars:', `${key}, vars:`) });
  expect(stderr).toContain(`hint: ${hint}`);
});

test('one bracket too many is one problem, not twenty', async () => {
  const { stderr } = await refusalOf({ 'evals/x.eval.yaml': suite.replace('openai:mine]', 'openai:mine]]') });
  expect(stderr).toMatch(/evals\/x\.eval\.yaml:2:\d+ error syntax/);
  expect(stderr).toContain('1 error\n');
});
