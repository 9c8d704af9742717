import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { askProvider, completionOf } from '../../providers/ask-provider.ts';
import { completionOf as chatBody, startChatServer } from '../../support/chat-server.ts';
import type { Scripted } from '../../support/http-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const json = JSON.stringify(chatBody('Grüße'));
const utf8 = Buffer.from(json);
const latin1 = Buffer.from(json, 'latin1');
const typed = (type: string) => ({ headers: { 'content-type': type } });
const plain = typed('application/json');

async function runWith(reply: Scripted, check: string) {
  const server = await startChatServer(() => reply);
  const project = openTempProject();
  project.write(
    'evals/greet.eval.yaml',
    `prompts: [{ id: v1, text: Greet. }]
providers: [openai:mini]
cases: [{ id: a, assert: [${check}] }]
`,
  );
  const { code, report } = await project.report(['run'], { env: server.env });
  return { code, trial: report.suites[0]?.cases[0]?.trials[0], requests: server.requests.length };
}

const undecodable: readonly (readonly [string, Exclude<Scripted, string>, RegExp])[] = [
  ['bytes of another encoding', { body: latin1, ...plain }, /its bytes are not valid UTF-8/],
  [
    'one byte that is none',
    { body: Buffer.concat([utf8.subarray(0, -1), Buffer.from('\xff}', 'latin1')]), ...plain },
    /not JSON|UTF-8/,
  ],
  ['Latin 1, named', { body: latin1, ...typed('application/json; charset=ISO-8859-1') }, /its charset is iso-8859-1/],
  ['UTF-8 under another name', { body: utf8, ...typed('application/json; charset=windows-1252') }, /windows-1252/],
  [
    'UTF-16',
    { body: Buffer.from(json, 'utf16le'), ...typed('application/json;charset="utf-16le"') },
    /utf-16le|not JSON/,
  ],
  ['a charset that nobody knows', { body: utf8, ...typed('application/json; charset=martian') }, /martian/],
];

test.each(undecodable)('an answer in %s is malformed, and judged by no check', async (_, reply, message) => {
  for (const check of ['{ not: { contains: Grüße } }', '{ contains: Gr }']) {
    const { code, trial, requests } = await runWith(reply, check);
    expect([code, trial?.status, trial?.error?.kind]).toEqual([3, 'errored', 'malformed']);
    expect(trial?.error?.message).toMatch(message);
    expect(requests).toBe(1);
  }
});

test.each([
  ['no content type', {}],
  ['application/json', plain],
  ['charset=utf-8', typed('application/json; charset=utf-8')],
  ['charset="UTF-8"', typed('application/json; Charset="UTF-8"')],
  ['charset=utf8', typed('application/json;charset=utf8;x=1')],
  ['charset=us-ascii', typed('application/json; charset=us-ascii')],
])('an answer in UTF-8 is read under %s', async (_, headers) => {
  const { code, trial } = await runWith({ body: utf8, ...headers }, '{ equals: Grüße }');
  expect([code, trial?.output]).toEqual([0, 'Grüße']);
});

test('a replacement character that the model itself wrote is its answer', async () => {
  const { code } = await runWith({ body: chatBody('a\ufffdb') }, '{ equals: "a\ufffdb" }');
  expect(code).toBe(0);
});

test('a refusal in another charset keeps its status, and its words', async () => {
  const body = Buffer.from('{"error":{"message":"Schlüssel ungültig"}}', 'latin1');
  const reply = { status: 401, body, ...typed('application/json; charset=iso-8859-1') };
  const { trial } = await runWith(reply, '{ contains: a }');
  expect(trial?.error).toMatchObject({
    kind: 'auth',
    status: 401,
    message: expect.stringContaining('Schlüssel ungültig'),
  });
});

test('what a program writes is UTF-8, or no answer and no verdict', async () => {
  const project = openTempProject();
  const program = (bytes: string) => `process.stdout.write(Buffer.from(${JSON.stringify(bytes)}, 'latin1'));`;
  project.write('evals/answer.mjs', program('Gr\xfc\xdfe'));
  project.write('evals/good.mjs', program('ok'));
  project.write('evals/check.mjs', program('{"pass": true, "reason": "Gr\xfc\xdfe"}'));
  project.write(
    'evals/own.eval.yaml',
    `prompts: [{ id: v1, text: Greet. }]
providers:
  - { id: answer, use: exec:node answer.mjs }
  - { id: check, use: exec:node good.mjs }
cases:
  - { id: a, providers: [answer], assert: [{ not: { contains: x } }] }
  - { id: b, providers: [check], assert: [{ exec: node check.mjs }] }
`,
  );
  const { code, report } = await project.report(['run']);
  const trials = report.suites[0]?.cases.map(({ caseId, trials: [trial] }) => [caseId, trial?.status, trial?.error]);
  expect(code).toBe(3);
  expect(trials).toEqual([
    [
      'a',
      'errored',
      expect.objectContaining({ kind: 'malformed', message: expect.stringContaining('not valid UTF-8') }),
    ],
    ['b', 'errored', expect.objectContaining({ message: expect.stringContaining('not valid UTF-8') })],
  ]);
});

const part = (text: string) => ({ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' });

test.each([
  // Google leaves out an index of 0.
  ['gemini', { candidates: [{ ...part('second'), index: 1 }, part('first')] }, 'first'],
  [
    'gemini',
    {
      candidates: [
        { ...part('third'), index: 2 },
        { ...part('second'), index: 1 },
      ],
    },
    'second',
  ],
  ['gemini', { candidates: [part('first'), part('second')] }, 'first'],
])('the candidate of %s with the lowest index is read', async (adapter, body, text) => {
  expect(completionOf(await askProvider(adapter, { body })).text).toBe(text);
});

test('the embedding with the lowest index is read', async () => {
  const data = [
    { index: 1, embedding: [1] },
    { index: 0, embedding: [0] },
  ];
  const asked = await askProvider('openai', { body: { data } }, { config: { options: { api: 'embeddings' } } });
  expect(completionOf(asked).text).toBe('[0]');
});

test('the choice with the lowest index is judged, in any position', async () => {
  const {
    choices: [choice],
    ...rest
  } = chatBody('first') as { choices: object[] };
  const other = { index: 1, finish_reason: 'stop', message: { role: 'assistant', content: 'second' } };
  const { code } = await runWith({ body: { ...rest, choices: [other, choice] } }, '{ equals: first }');
  expect(code).toBe(0);
});

test.each(['\\ud800', 'a\\udc00', '\\udc00\\ud800'])(
  'half of a character (%s) is malformed, and judged by no check',
  async (escape) => {
    const body = JSON.stringify(chatBody('HALF')).replace('HALF', escape);
    const { code, trial } = await runWith({ body, ...plain }, '{ not: { contains: x } }');
    expect([code, trial?.error?.kind, trial?.error?.message]).toEqual([
      3,
      'malformed',
      expect.stringContaining('half of a character'),
    ]);
  },
);

test('both halves of a character, and an escape that the model wrote out, are its answer', async () => {
  const body = JSON.stringify(chatBody('BOTH')).replace('BOTH', '\\ud83d\\ude00 \\\\ud800');
  const { code, trial } = await runWith({ body, ...plain }, '{ contains: "ud800" }');
  expect([code, trial?.output]).toEqual([0, '😀 \\ud800']);
});

test('half of a character that a program writes is malformed', async () => {
  const project = openTempProject();
  project.write('evals/answer.mjs', `process.stdout.write('{"text":"a\\\\ud800"}');`);
  project.write(
    'evals/own.eval.yaml',
    'prompts: [{ id: v1, text: Greet. }]\nproviders: [exec:node answer.mjs]\ncases: [{ id: a, assert: [{ contains: a }] }]\n',
  );
  const { code, report } = await project.report(['run']);
  expect([code, report.suites[0]?.cases[0]?.trials[0]?.error?.kind]).toEqual([3, 'malformed']);
});

test.each(['1', 0.5, {}])('a choice whose index is %j is malformed', async (index) => {
  const other = { index, finish_reason: 'stop', message: { role: 'assistant', content: 'second' } };
  const { choices, ...rest } = chatBody('first') as { choices: object[] };
  const { code, trial } = await runWith({ body: { ...rest, choices: [other, ...choices] } }, '{ equals: first }');
  expect([code, trial?.error?.kind, trial?.error?.message]).toEqual([
    3,
    'malformed',
    expect.stringContaining('not an integer'),
  ]);
});
