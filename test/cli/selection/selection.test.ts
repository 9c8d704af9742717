import { expect, test } from 'vitest';
import { startChatServer, startEchoServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject, statusesOf, trialsOf } from '../../support/temp-project.ts';

async function selected(argv: readonly string[], theme = 'echo'): Promise<readonly string[]> {
  const project = openTempProject(theme);
  const { env } = await startEchoServer();
  const { report } = await project.report(['run', ...argv], { env });
  return Object.keys(statusesOf(report)).sort();
}

test.each([
  [['-t', 'red'], ['red']],
  [
    ['-t', 're'],
    ['green', 'red'],
  ],
  [['--filter', 'echo/seven'], ['seven']],
  [
    ['--filter', 'echo/*e*'],
    ['green', 'red', 'seven'],
  ],
  [
    ['--filter', '{red,seven}'],
    ['red', 'seven'],
  ],
  [
    ['-t', 'red', '-t', 'seven'],
    ['red', 'seven'],
  ],
  [
    ['-t', 'red,seven'],
    ['red', 'seven'],
  ],
  [
    ['--tag', 'colour'],
    ['green', 'red'],
  ],
  [
    ['--tag', 'warm,number'],
    ['red', 'seven'],
  ],
  [['--tag', 'colour', '-t', 'green'], ['green']],
])('%j selects %j', async (argv, ids) => {
  expect(await selected(argv)).toEqual(ids);
});

test('a wildcard stands for the comma of an id, which would part two texts', async () => {
  const project = openTempProject('echo');
  const { env } = await startEchoServer();
  const cases = ['late', 'refund', 'late,refund'].map(
    (id) => `{ id: "${id}", vars: { word: a }, assert: [{ contains: a }] }`,
  );
  const head = 'prompts: [{ id: v1, text: "{{ word }}" }]\nproviders: [{ id: mini, use: "openai:m" }]\n';
  project.write('evals/commas.eval.yaml', `${head}cases: [${cases.join(', ')}]\n`);
  const { report } = await project.report(['run', 'evals/commas.eval.yaml', '-t', 'late?refund'], { env });
  expect(Object.keys(statusesOf(report))).toEqual(['late,refund']);
});

test('--prompt and --provider narrow the variants, and a misspelt one is a usage error with a suggestion', async () => {
  const project = openTempProject('two-providers');
  const server = await startEchoServer();
  const one = await project.report(['run', '--provider', 'alive', '--prompt', 'v1'], { env: server.env });
  expect(one.report.totals.planned).toBe(40);
  expect(one.report.suites[0]?.variants.map(({ provider }) => provider)).toEqual(['alive']);
  const misspelt = await project.run(['run', '--provider', 'alife'], { env: server.env });
  expect(misspelt.code).toBe(2);
  expect(misspelt.stderr).toContain('did you mean "alive"?');
  expect((await project.run(['run', '--prompt', 'v9'], { env: server.env })).code).toBe(2);
});

test('the shards of a run are disjoint and together are all of it', { tags: 'slow' }, async () => {
  const shards = await Promise.all(['1/3', '2/3', '3/3'].map((shard) => selected(['--shard', shard], 'two-providers')));
  const all = await selected([], 'two-providers');
  expect(shards.flat().sort()).toEqual(all);
  expect(new Set(shards.flat()).size).toBe(all.length);
  expect(shards.map(({ length }) => length).sort((a, b) => a - b)).toEqual([13, 13, 14]);
});

test.each(['0/3', '4/3', '1', 'a/b', '1/0'])('--shard %s is a usage error', async (shard) => {
  const project = openTempProject('echo');
  expect((await project.run(['run', '--shard', shard])).code).toBe(2);
});

test('--sample draws as many as it says, the same ones for the same seed', async () => {
  const draw = (seed: string) => selected(['--sample', '5', '--seed', seed], 'two-providers');
  const [first, again, other] = [await draw('1'), await draw('1'), await draw('2')];
  expect(first).toHaveLength(5);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test('--last-failed runs what did not pass, errored cases too', async () => {
  const project = openTempProject('echo');
  let isBad = true;
  const server = await startChatServer(({ text }) => {
    if (isBad && text.includes('green')) return { status: 400, body: { error: { message: 'no' } } };
    return isBad && text.includes('seven') ? 'eight' : wordOf(text);
  });
  const first = await project.report(['run', '--cache', 'off'], { env: server.env });
  expect(statusesOf(first.report)).toEqual({ green: 'errored', red: 'passed', seven: 'failed' });
  isBad = false;
  const second = await project.report(['run', '--last-failed', '--cache', 'off'], { env: server.env });
  expect(statusesOf(second.report)).toEqual({ green: 'passed', seven: 'passed' });
  expect(second.code).toBe(0);
  const third = await project.report(['run', '--last-failed'], { env: server.env });
  expect(third.code).toBe(4);
});

test('--last-failed without a run is a usage error', async () => {
  const project = openTempProject('echo');
  const { code, stderr } = await project.run(['run', '--last-failed']);
  expect(code).toBe(2);
  expect(stderr).toContain('no stored run');
});

test('--trials repeats every case, and mixed trials are flaky', async () => {
  const project = openTempProject('echo');
  const server = await startChatServer(({ index, text }) => (index % 2 === 0 ? wordOf(text) : 'no'));
  const { code, report } = await project.report(['run', '-t', 'red', '--trials', '4', '-j', '1'], { env: server.env });
  // Only a case that fails in all its trials is asked again.
  expect(code).toBe(0);
  expect(statusesOf(report)).toEqual({ red: 'flaky' });
  expect(trialsOf(report).map(({ index, confirmation }) => [index, confirmation])).toEqual([
    [0, undefined],
    [1, undefined],
    [2, undefined],
    [3, undefined],
  ]);
  expect(report.suites[0]?.variants[0]?.passRate).toMatchObject({ value: 0.5, n: 1 });
});

test('--dry-run says what would be sent and sends nothing, whatever the cache holds', async () => {
  const project = openTempProject('echo');
  const server = await startEchoServer();
  const before = await project.run(['run', '--dry-run'], { env: server.env });
  expect(before.code).toBe(0);
  expect(server.requests).toHaveLength(0);
  expect(before.stdout).toContain('3 cells, 0 answered, 3 requests, at most $0.0001');
  expect(project.files('.llmcheck')).toEqual([]);
  await project.run(['run', '-t', 'red'], { env: server.env });
  const after = await project.run(['run', '--dry-run'], { env: server.env });
  expect(after.stdout).toContain('3 cells, 1 answered, 2 requests');
  expect(server.requests).toHaveLength(1);
});

test('a version of which no case is asked takes no other one out of the gate, and is nothing to compare with', async () => {
  const server = await startChatServer(() => 'wrong');
  for (const asked of ['v1', 'v2']) {
    const project = openTempProject();
    project.write(
      'evals/words.eval.yaml',
      `prompts: [{ id: v1, text: "Say: {{ word }}" }, { id: v2, text: "Tell: {{ word }}", replaces: v1 }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
cases: [{ id: one, vars: { word: one }, prompts: [${asked}], assert: [{ equals: one }] }]
`,
    );
    const before = server.requests.length;
    const { code } = await project.run(['run'], { env: server.env });
    expect([asked, code]).toEqual([asked, 1]);
    const [record = ''] = project.files('.llmcheck/runs');
    // Only v1, where it is asked, is what v2 is compared with.
    expect(project.read(record).includes('"acceptedPrompt"')).toBe(asked === 'v1');
    const texts = server.requests.slice(before).map(({ body }) => /(?:Say|Tell): one/.exec(body)?.[0]);
    expect(new Set(texts)).toEqual(new Set([asked === 'v1' ? 'Say: one' : 'Tell: one']));
  }
});

test('a variant of which no case is selected is not compared, and the others pass', async () => {
  const project = openTempProject();
  project.write(
    'evals/words.eval.yaml',
    `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }, { id: large, use: "openai:gpt-4o" }]
cases:
  - { id: both, vars: { word: red }, assert: [{ equals: red }] }
  - { id: one, vars: { word: blue }, providers: [mini], assert: [{ equals: blue }] }
`,
  );
  const { env } = await startEchoServer();
  await project.run(['run', '--update-baseline'], { env });
  const { report } = await project.report(['run', '--filter', 'one'], { env });
  expect(report.decision).toMatchObject({ outcome: 'passed', certainty: { kind: 'unchanged', cases: 1 } });
});
