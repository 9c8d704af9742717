import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type ChatReply, completionOf, startChatServer } from '../../support/chat-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

const limits = 'limits: { maxAnswer: { text: 8 KiB, toolCalls: 3 } }';

function writeSuite(provider: string, check = 'length: { max: 100 }'): string {
  return `suite: large
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: p, ${provider}, price: { input: 1, output: 1 } }]
gate: { confirm: { budget: 0 } }
cases: [{ id: a, vars: { word: x }, assert: [{ ${check} }] }]
`;
}

/** Runs one case against a server that gives one reply. */
async function runWith(reply: ChatReply, provider = `use: "openai:gpt-4o-mini", ${limits}`) {
  const project = openTempProject();
  project.write('evals/large.eval.yaml', writeSuite(provider));
  const server = await startChatServer(() => reply);
  const run = async () => {
    const { code, report } = await project.report(['run'], { env: server.env });
    const [trial] = trialsOf(report);
    return { code, status: trial?.status, error: trial?.error, asked: server.requests.length };
  };
  return { run, project, server };
}

const calls = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    id: `c${at}`,
    type: 'function',
    function: { name: 'f', arguments: '{}' },
  }));

const bomb = gzipSync(JSON.stringify(completionOf('x'.repeat(2_000_000))));
const gzip = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
const events = `data: ${JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(1000) } }] })}\n\n`;

test.each<[what: string, reply: ChatReply, message: RegExp]>([
  ['more text', 'x'.repeat(8193), /^the answer has more than 8 KiB of text \(limits\.maxAnswer of the provider\)$/],
  ['text of long characters', 'é'.repeat(4097), /more than 8 KiB of text/],
  ['a long body', 'x'.repeat(50_000), /^the answer of 127\.0\.0\.1:\d+ is much larger than 8 KiB \(limits\.maxAnswer/],
  ['a gzip bomb', { body: bomb, headers: gzip }, /^the answer of 127\.0\.0\.1:\d+ is much larger than 8 KiB/],
  [
    'four tool calls',
    { body: completionOf('', 'm', { tool_calls: calls(4) }) },
    /has 4 tool calls, and 3 are the most/,
  ],
])('an answer with %s fails its cell, is not asked again and is not stored', async (_, reply, message) => {
  const { run } = await runWith(reply);
  const first = await run();
  expect(first).toMatchObject({ code: 4, status: 'failed', asked: 1, error: { kind: 'tooLarge' } });
  expect(first.error?.message).toMatch(message);
  // The cache did not keep it.
  expect((await run()).asked).toBe(2);
});

test('an answer at the limits is judged', async () => {
  const { run } = await runWith({ body: completionOf('x'.repeat(8186), 'm', { tool_calls: calls(3) }) });
  expect(await run()).toMatchObject({ status: 'failed', error: undefined });
});

test('a stream is left as soon as its text is too large', async () => {
  const { run } = await runWith(
    { body: events.repeat(400), headers: { 'content-type': 'text/event-stream' } },
    `use: "openai:gpt-4o-mini", stream: true, ${limits}`,
  );
  expect(await run()).toMatchObject({ status: 'failed', asked: 1, error: { kind: 'tooLarge' } });
});

test('an error keeps its kind, whatever the size of its body', async () => {
  const body = JSON.stringify({ error: { message: 'no such thing', pad: 'x'.repeat(3_000_000) } });
  for (const reply of [
    { status: 400, body },
    { status: 400, body: gzipSync(body), headers: gzip },
  ]) {
    const { run } = await runWith(reply);
    expect(await run()).toMatchObject({ status: 'errored', error: { kind: 'badRequest', status: 400 } });
  }
});

test('a body in more codings than any server uses is not decoded', async () => {
  const headers = { ...gzip, 'content-encoding': Array.from({ length: 50 }, () => 'gzip').join(', ') };
  const { run } = await runWith({ body: bomb, headers });
  const { error } = await run();
  expect(error?.message).toContain("can't be decoded as 50 codings: 4 are the most");
});

test('a recorded answer, a function and a program have the same limit', { tags: ['slow'] }, async () => {
  const project = openTempProject();
  project.write('evals/answer.mjs', "export default () => ({ text: 'x'.repeat(40_000) });\n");
  project.write('evals/text.mjs', "export default () => 'x'.repeat(9_000);\n");
  project.write('evals/print.mjs', "process.stdout.write('x'.repeat(100_000));\n");
  for (const [use, message] of [
    ['module:answer.mjs', /^answer\.mjs returned more than 32 KiB \(limits\.maxAnswer/],
    ['module:text.mjs', /^the answer has more than 8 KiB of text/],
    ['exec:node print.mjs', /^node print\.mjs wrote more than 32 KiB \(limits\.maxAnswer/],
  ] as const) {
    project.write('evals/large.eval.yaml', writeSuite(`use: "${use}", ${limits}`));
    const { report } = await project.report(['run'], { env: { PATH: process.env['PATH'] ?? '' } });
    const [trial] = trialsOf(report);
    expect([trial?.status, trial?.error?.kind]).toEqual(['failed', 'tooLarge']);
    expect(trial?.error?.message).toMatch(message);
  }
});

test.each([
  ['text: 8', 'must be a size such as "8 MiB" or "512 KiB"'],
  ['text: 8 MB', 'must be a size such as "8 MiB" or "512 KiB"'],
  ['text: 65 MiB', 'must be at most 64 MiB'],
  ['text: 0.5 KiB', 'must be at least 1 KiB'],
  ['toolCalls: 0', 'must be 1 or more'],
])('maxAnswer: { %s } is a mistake', async (text, message) => {
  const project = openTempProject();
  project.write('evals/large.eval.yaml', writeSuite(`use: "echo:x", limits: { maxAnswer: { ${text} } }`));
  const { code, stderr } = await project.run(['validate']);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

test.each([
  ['open', '['.repeat(300_000)],
  ['closed', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
])('JSON of %s brackets is refused at once, without another attempt', async (_, body) => {
  const { run } = await runWith({ body }, 'use: "openai:gpt-4o-mini"');
  const { status, asked, error } = await run();
  expect([status, asked, error?.kind]).toEqual(['errored', 1, 'malformed']);
  expect(error?.message).toMatch(/^127\.0\.0\.1:\d+ answered with JSON that is nested deeper than 500 levels$/);
});
