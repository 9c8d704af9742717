import { expect, test } from 'vitest';
import { startChatServer, startEchoServer, testKey } from '../../support/chat-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

function byHand(caseId: string, text: string): string {
  const completion = { text, finishReason: 'stop', latencyMs: 10, usage: { inputTokens: 1, outputTokens: 1 } };
  return `${JSON.stringify({ format: 1, prompt: 'v1', provider: 'mini', caseId, trial: 0, completion })}\n`;
}

test('run --record writes the answers, and later runs need neither server nor key', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  const recorded = await project.report(['run', '--record'], { env: server.env });
  expect([recorded.code, server.requests.length]).toEqual([0, 2]);
  await server.close();
  const bytes = project.read('evals/answers.jsonl');
  expect(bytes.trim().split('\n')).toHaveLength(2);
  expect(bytes).not.toContain(testKey);
  const replayed = await project.report(['run']);
  expect(replayed.code).toBe(0);
  expect(replayed.report.totals).toMatchObject({ passed: 2, cached: 2, spentUsd: 0 });
});

test('run --record that is resumed goes on recording', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  const keyless = await project.run(['run', '--record'], { env: { ...server.env, OPENAI_API_KEY: '' } });
  expect(keyless.code).toBe(3);
  const [command = ''] = /run --resume\s+\S+/.exec(keyless.stdout) ?? [];
  expect(await project.run(command.split(/\s+/), { env: server.env })).toMatchObject({ code: 0 });
  expect(project.read('evals/answers.jsonl').trim().split('\n')).toHaveLength(2);
});

test('run --record that is resumed takes another mode of the cache, and the other way round', async () => {
  const project = openTempProject('recordings');
  const { env } = await startEchoServer();
  const keyless = { ...env, OPENAI_API_KEY: '' };
  await project.run(['run', '--record'], { env: keyless });
  const { code, stdout } = await project.run(['run', '--resume', '--cache', 'replay'], { env });
  expect([code, stdout]).toEqual([3, expect.stringContaining('could not be judged')]);
  await project.run(['run', '--cache', 'replay', '-t', 'red'], { env: keyless });
  expect((await project.run(['run', '--resume', '--record'], { env })).code).toBe(0);
  expect(project.read('evals/answers.jsonl').trim().split('\n')).toHaveLength(1);
});

test('--dry-run counts recorded answers, also under --cache replay, and not under another mode', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  await project.run(['run', '--record', '--cache', 'off'], { env: server.env });
  const forecast = async (...flags: string[]) => (await project.run(['run', '--dry-run', ...flags])).stdout;
  const recorded = 'dry run: 2 cells, 2 answered, 0 requests';
  expect(await forecast()).toContain(recorded);
  expect(await forecast('--cache', 'replay')).toContain(recorded);
  expect(await forecast('--cache', 'use')).toContain('dry run: 2 cells, 0 answered, 2 requests');
  expect(await forecast('--record')).toContain('dry run: 2 cells, 0 answered, 2 requests');
});

test('recording again changes no byte, and a filtered recording leaves the other lines', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  await project.run(['run', '--record'], { env: server.env });
  const bytes = project.read('evals/answers.jsonl');
  await project.run(['run', '--record'], { env: server.env });
  expect(project.read('evals/answers.jsonl')).toBe(bytes);
  await project.run(['run', '--record', '-t', 'red'], { env: server.env });
  expect(project.read('evals/answers.jsonl')).toBe(bytes);
});

test('a missing recording is an errored cell with the command that records it', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  await project.run(['run', '--record', '-t', 'red'], { env: server.env });
  const { code, report } = await project.report(['run'], { env: server.env });
  expect(code).toBe(3);
  expect(report.totals).toMatchObject({ passed: 1, errored: 1 });
  const missing = trialsOf(report).find(({ status }) => status === 'errored');
  expect(missing?.error).toMatchObject({ kind: 'recording' });
  expect(missing?.error?.message).toContain('llmcheck run --record --filter echo/blue');
  expect(server.requests).toHaveLength(1);
});

test('a recordings file that does not exist is named, with the command that writes it', async () => {
  const project = openTempProject('recordings');
  const { code, report } = await project.report(['run']);
  expect(code).toBe(3);
  expect(trialsOf(report).map(({ error }) => error?.message)).toContain(
    'no recorded answer, since evals/answers.jsonl does not exist; run `llmcheck run --record --filter echo/red` (needs the provider)',
  );
});

test('a recording of another prompt is stale, and cache import takes it over', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  await project.run(['run', '--record'], { env: server.env });
  project.write('evals/echo.eval.yaml', project.read('evals/echo.eval.yaml').replace('Say: {{', 'Please say: {{'));
  const stale = await project.report(['run']);
  expect(stale.code).toBe(3);
  expect(trialsOf(stale.report)[0]?.error?.message).toContain('llmcheck cache import evals/answers.jsonl');
  const imported = await project.run(['cache', 'import', 'evals/answers.jsonl']);
  expect(imported).toMatchObject({ code: 0, stdout: 'filled 2 of 2 recorded answers\n' });
  expect((await project.run(['run'])).code).toBe(0);
});

test('answers written by hand work once their hashes are filled', async () => {
  const project = openTempProject('recordings');
  project.write('evals/answers.jsonl', byHand('red', 'red') + byHand('blue', 'purple'));
  const before = await project.report(['run']);
  expect(before.code).toBe(3);
  expect(trialsOf(before.report)[0]?.error?.message).toContain('llmcheck cache import evals/answers.jsonl');
  await project.run(['cache', 'import', 'evals/answers.jsonl']);
  const after = await project.report(['run']);
  expect(after.code).toBe(1);
  expect(after.report.totals).toMatchObject({ passed: 1, failed: 1 });
});

test('a line that answers nothing is named', async () => {
  const project = openTempProject('recordings');
  project.write('evals/answers.jsonl', byHand('red', 'red') + byHand('violet', 'violet'));
  const { code, stderr } = await project.run(['cache', 'import', 'evals/answers.jsonl']);
  expect(code).toBe(1);
  expect(stderr).toContain('evals/answers.jsonl:2');
});

test('a broken recordings file is a usage error at its line', async () => {
  const project = openTempProject('recordings');
  project.write('evals/answers.jsonl', `${byHand('red', 'red')}{"format": 1, "prompt":\n`);
  const { code, stderr } = await project.run(['run']);
  expect(code).toBe(2);
  expect(stderr).toContain('evals/answers.jsonl:2');
});

test.each([
  ['run', ['run']],
  ['validate', ['validate']],
  ['a run that records', ['run', '--record']],
  ['cache import', ['cache', 'import', 'evals/answers.jsonl']],
])('two lines that answer one request differently are a usage error with both places: %s', async (_, argv) => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  await project.run(['run', '--record'], { env: server.env });
  const text = project.read('evals/answers.jsonl');
  const [first = ''] = text.split('\n');
  project.write('evals/answers.jsonl', `${text}${first}\n${first.replace('"text":"', '"text":"not ')}\n`);
  const asked = server.requests.length;
  const { code, stderr } = await project.run(argv, { env: server.env });
  expect([code, stderr]).toEqual([2, expect.stringMatching(/Lines 1 and 4 of \S*answers\.jsonl answer one request/)]);
  expect(stderr).toContain('answers.jsonl:4');
  expect(server.requests).toHaveLength(asked);
});

test('two equal lines are one answer', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  await project.run(['run', '--record'], { env: server.env });
  project.write('evals/answers.jsonl', project.read('evals/answers.jsonl').repeat(2));
  expect((await project.run(['run'])).code).toBe(0);
});

test('suites that share a file keep their answers apart, also of cases with one id', async () => {
  const project = openTempProject('recordings');
  const server = await startEchoServer();
  const suite = project.read('evals/echo.eval.yaml');
  const other = suite.replace('suite: echo', 'suite: other').replace('word: red', 'word: green');
  project.write('evals/other.eval.yaml', other.replace('equals: red', 'equals: green'));
  expect((await project.run(['run', '--record'], { env: server.env })).code).toBe(0);
  await server.close();
  expect((await project.run(['run'])).code).toBe(0);
});

test('another cache mode asks the provider in spite of the recordings', async () => {
  const project = openTempProject('recordings');
  project.write('evals/answers.jsonl', byHand('red', 'stale red'));
  const server = await startEchoServer();
  const { code } = await project.run(['run', '--cache', 'use'], { env: server.env });
  expect([code, server.requests.length]).toEqual([0, 2]);
});

test('--record on a suite without recordings, and --record with replay, are usage errors', async () => {
  const bare = openTempProject('echo');
  expect((await bare.run(['run', '--record'])).code).toBe(2);
  const project = openTempProject('recordings');
  expect((await project.run(['run', '--record', '--cache', 'replay'])).code).toBe(2);
});

test('--record keeps no answer of the accepted prompt that was asked beside the new one', async () => {
  const project = openTempProject('recordings');
  const server = await startChatServer(({ text }) =>
    text === 'Please say: red' ? 'wrong' : (text.split(' ').at(-1) ?? ''),
  );
  await project.run(['run', '--record'], { env: server.env });
  await project.run(['baseline', 'accept']);
  const suite = project.read('evals/echo.eval.yaml');
  project.write('evals/echo.eval.yaml', suite.replace('Say:', 'Please say:'));
  const { code } = await project.run(['run', '--record'], { env: server.env });
  expect(code).toBe(1);
  expect(server.requests.filter(({ body }) => body.includes('"Say: red"')).length).toBeGreaterThan(1);
  const lines = project.read('evals/answers.jsonl').trim().split('\n');
  const trials = lines.map((line) => (JSON.parse(line) as { readonly trial: number }).trial);
  expect(Math.max(...trials)).toBeLessThan(100);
});
