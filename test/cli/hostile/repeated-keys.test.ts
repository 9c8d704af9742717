import { describe, expect, test } from 'vitest';
import { readAnswer, readRunInfo, readTask, readWorkerInfo } from '../../../src/queue/messages.ts';
import { completionOf, startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const twice = (key: string) => `the key "${key}" is written twice in one object`;

/** A body with a member that says the opposite before the real one. */
function contradict(body: object, key: string, first: unknown): string {
  return JSON.stringify(body).replace(`"${key}":`, `"${key}":${JSON.stringify(first)},"${key}":`);
}

async function runAgainst(reply: (text: string) => { body: string; headers?: Record<string, string> }, more = '') {
  const project = openTempProject();
  project.write(
    'evals/words.eval.yaml',
    `prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini"${more} }]
cases: [{ id: red, vars: { word: red }, assert: [{ contains: red }] }]`,
  );
  const server = await startChatServer(({ text }) => reply(text));
  const { report, code } = await project.report(['run'], { env: server.env });
  const [trial] = report.suites[0]?.cases[0]?.trials ?? [];
  return { code, trial, requests: server.requests.length };
}

describe('an answer of an API with a key twice is no answer', () => {
  test.each([
    ['choices', [{ message: { content: 'blue' } }]],
    ['content', 'blue'],
    ['usage', { prompt_tokens: 1 }],
    ['finish_reason', 'length'],
  ])('%s', async (key, first) => {
    const { code, trial, requests } = await runAgainst(() => ({ body: contradict(completionOf('red'), key, first) }));
    expect(trial).toMatchObject({
      status: 'errored',
      error: { kind: 'malformed', message: `the answer is not a completion: ${twice(key)}` },
    });
    // It was billed, and another one would be alike.
    expect(trial?.costUsd).toBeGreaterThan(0);
    expect([code, requests]).toEqual([3, 1]);
  });

  test('also if its keys are spaced, and far into a long text', async () => {
    const body = contradict(completionOf(`red ${'"a": {'.repeat(20_000)}`), 'content', 'blue').replaceAll('":', '" :');
    expect((await runAgainst(() => ({ body }))).trial?.error?.message).toContain(twice('content'));
  });

  test('also in an event of a stream', async () => {
    const event = { choices: [{ index: 0, delta: { content: 'red' }, finish_reason: 'stop' }] };
    const body = `data: ${contradict(event, 'content', 'blue')}\n\ndata: [DONE]\n\n`;
    const headers = { 'content-type': 'text/event-stream' };
    const { trial } = await runAgainst(() => ({ body, headers }), ', stream: true');
    expect(trial?.error?.message).toBe(`the answer is not a completion: in an event ${twice('content')}`);
  });

  test('but the same key in two objects, or in the text, is none', async () => {
    const text = 'red {"a": 1, "a": 2} "a":1 \\" : {"choices":[],"choices":[]}';
    const { code } = await runAgainst(() => ({
      body: JSON.stringify(completionOf(text), null, 2).replaceAll('":', '" :'),
    }));
    expect(code).toBe(0);
  });
});

describe('an answer of a program with a key twice', () => {
  const assistant = (text: string) => `{"type":"text","text":${text}}`;
  const claude = (text: string) =>
    [
      '{"type":"system","subtype":"init"}',
      `{"type":"assistant","message":{"id":"m","role":"assistant","content":[${assistant(text)}]}}`,
      '{"type":"result","subtype":"success","is_error":false,"result":"red"}',
    ].join('\n');

  test.each([
    ['auto', '{"text":"blue","text":"red"}', `wrote no answer object: ${twice('text')}`],
    ['json', '{"text":"blue","text":"red"}', `wrote no answer object: ${twice('text')}`],
    [
      'auto',
      '{"text":"red","usage":{"inputTokens":1,"inputTokens":2}}',
      `wrote no answer object: ${twice('inputTokens')}`,
    ],
    ['auto', claude('"blue","text":"red"'), `wrote a transcript in which ${twice('text')}`],
    ['claude-code', claude('"blue","text":"red"'), `wrote a transcript in which ${twice('text')}`],
  ])('is an error as %s: %s', async (output, written, message) => {
    const { trial } = await runProgram(output, written);
    expect(trial).toMatchObject({ status: 'errored', error: { message: expect.stringContaining(message) } });
  });

  test.each([
    ['text', '{"text":"blue","text":"red"}'],
    ['auto', '{"a":"blue","a":"red"}'],
    ['auto', claude('"red"')],
  ])('is the text of an answer, or is none, as %s: %s', async (output, written) => {
    expect((await runProgram(output, written)).trial?.status).toBe('passed');
  });
});

async function runProgram(output: string, written: string) {
  const project = openTempProject();
  project.write('evals/written.txt', written);
  project.write(
    'evals/agent.mjs',
    `import { readFileSync } from 'node:fs'; console.log(readFileSync('written.txt', 'utf8'));`,
  );
  project.write(
    'evals/agent.eval.yaml',
    `prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: agent, use: "exec:node agent.mjs", output: ${output} }]
cases: [{ id: red, vars: { word: red }, assert: [{ contains: red }] }]`,
  );
  const { report } = await project.report(['run']);
  return { trial: report.suites[0]?.cases[0]?.trials[0] };
}

describe('a stored line with a key twice is damaged', () => {
  test.each([
    ['in the head of its row', '"status":"passed"', '"status":"failed","status":"passed"'],
    ['behind the head of its row', '"output":', '"output":"blue","output":'],
    ['in its end', '"type":"end"', '"type":"end","stopReason":"signal","type":"end"'],
  ])('in a record, %s', async (_, written, changed) => {
    const project = openTempProject('echo');
    const suite = project.read('evals/echo.eval.yaml').replace('use: openai:gpt-4o-mini', 'use: echo:prompt');
    project.write('evals/echo.eval.yaml', suite.replaceAll('equals', 'contains'));
    expect((await project.run(['run'])).code).toBe(0);
    const record = project.files('.llmcheck/runs').find((name) => name.endsWith('.jsonl')) ?? '';
    const text = project.read(record);
    expect(text).toContain(written);
    project.write(record, text.replace(written, changed));
    const { code, stderr } = await project.run(['report', '-r', 'json']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/line \d+|:\d+/)]);
    expect(stderr).toContain('damaged');
  });

  test('in a baseline', async () => {
    const project = openTempProject('echo');
    const suite = project.read('evals/echo.eval.yaml').replace('use: openai:gpt-4o-mini', 'use: echo:prompt');
    project.write('evals/echo.eval.yaml', suite.replaceAll('equals', 'contains'));
    await project.run(['run']);
    expect((await project.run(['baseline', 'accept'])).code).toBe(0);
    const text = project.read('evals/echo.baseline.jsonl');
    project.write('evals/echo.baseline.jsonl', text.replace('"caseId":"green"', '"caseId":"red","caseId":"green"'));
    const { code, stderr } = await project.run(['run']);
    expect([code, stderr]).toEqual([2, expect.stringContaining(twice('caseId'))]);
  });

  test('in a job, an answer and the notes of a queue', () => {
    expect(readTask('{"a":1,"a":2}')).toEqual({ fault: expect.stringContaining('the job') });
    const failure = { kind: 'network', message: 'x' };
    const answer = { isTimeUp: false, elapsedMs: 1, outcome: { status: 'failed', attempts: 1, failure } };
    expect(readAnswer(JSON.stringify(answer))).toMatchObject(answer);
    expect(readAnswer(contradict(answer, 'elapsedMs', 5))).toBeUndefined();
    expect([readRunInfo('{"id":1,"id":2}'), readWorkerInfo('{"id":1,"id":2}')]).toEqual([undefined, undefined]);
  });
});
