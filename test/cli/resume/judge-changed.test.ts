import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { startServer } from '../../support/http-server.ts';
import { openTempProject, statusesOf, type TempProject } from '../../support/temp-project.ts';

const judgeSource = (pass: boolean) =>
  `process.stdout.write(JSON.stringify({ text: JSON.stringify({ reason: 'So it is.', pass: ${pass} }) }));`;

function write(project: TempProject, judge: string, check = 'rubric: { value: It is kind., votes: 1 }') {
  project.write(
    'evals/kind.eval.yaml',
    `prompts: [{ id: v1, text: "Say: hello" }]
providers: [openai:mini]
judges: [${judge}]
gate: { confirm: { budget: 0 } }
cases: [{ id: a, assert: [{ ${check} }] }]
`,
  );
}

async function resume(project: TempProject, env: Readonly<Record<string, string>>) {
  const { report } = await project.report(['run', '--resume'], { env });
  return statusesOf(report)['a'];
}

test.each([
  ['alone', undefined],
  ['within another check', 'allOf: [{ not: { not: { rubric: { value: It is kind., votes: 1 } } } }]'],
])('a resumed run judges again when the program of its judge changed, %s', async (_, check) => {
  const project = openTempProject();
  const server = await startEchoServer();
  write(project, '{ id: strict, use: "exec:node judge.mjs" }', check);
  project.write('evals/judge.mjs', judgeSource(true));
  const first = await project.report(['run'], { env: server.env });
  expect(statusesOf(first.report)).toEqual({ a: 'passed' });
  expect(await resume(project, server.env)).toBe('passed');
  project.write('evals/judge.mjs', judgeSource(false));
  expect(await resume(project, server.env)).toBe('failed');
  // The answer itself is not asked for again.
  expect(server.requests).toHaveLength(1);
});

test('a resumed run judges again when the input, prompt or address of its judge changed', async () => {
  const project = openTempProject();
  const server = await startEchoServer();
  const judges = await Promise.all(
    [true, false].map((pass) => startServer({ body: { text: JSON.stringify({ reason: 'So it is.', pass }) } })),
  );
  const [lenient, strict] = judges;
  const http = (url: string | undefined, request = '{ q: "{{ messages }}" }') =>
    `{ id: strict, use: "http:judge", baseURL: "${url ?? ''}", request: ${request}, response: { text: $.text } }`;
  try {
    write(project, http(lenient?.url));
    const first = await project.report(['run'], { env: server.env });
    expect(statusesOf(first.report)).toEqual({ a: 'passed' });
    write(project, http(strict?.url));
    expect(await resume(project, server.env)).toBe('failed');
    write(project, http(lenient?.url, '{ q: "{{ messages }}", how: kindly }'));
    expect(await resume(project, server.env)).toBe('passed');
    expect(lenient?.requests).toHaveLength(2);
    write(project, http(lenient?.url, '{ how: kindly, q: "{{ messages }}" }'));
    expect(await resume(project, server.env)).toBe('passed');
    expect(lenient?.requests).toHaveLength(3);
    expect(await resume(project, server.env)).toBe('passed');
    expect(lenient?.requests).toHaveLength(3);
  } finally {
    for (const judge of judges) await judge.close();
  }
  expect(server.requests).toHaveLength(1);
});

test.each([
  ['alone', 'exec: { value: [node, check.mjs], env: [STRICT] }'],
  ['within another check', 'allOf: [{ not: { not: { exec: { value: [node, check.mjs], env: [STRICT] } } } }]'],
])('a resumed run judges again when a variable of a program that checks changed, %s', async (_, check) => {
  const project = openTempProject();
  const server = await startEchoServer();
  write(project, '{ id: strict, use: "openai:mini" }', check);
  project.write('evals/check.mjs', `process.stdout.write(JSON.stringify({ pass: process.env.STRICT !== '1' }));`);
  const first = await project.report(['run'], { env: { ...server.env, STRICT: '0' } });
  expect(statusesOf(first.report)).toEqual({ a: 'passed' });
  expect(await resume(project, { ...server.env, STRICT: '0', OTHER: '1' })).toBe('passed');
  expect(await resume(project, { ...server.env, STRICT: '1' })).toBe('failed');
  expect(server.requests).toHaveLength(1);
});
