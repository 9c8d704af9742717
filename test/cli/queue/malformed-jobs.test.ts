import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { openPresence, prefix } from '../../../src/queue/connect-redis.ts';
import {
  type AttemptAnswer,
  type AttemptTask,
  readAnswer,
  readTask,
  writeMessage,
} from '../../../src/queue/messages.ts';
import { SpelledNumber } from '../../../src/text/yaml/exact-numbers.ts';
import { startEchoServer } from '../../support/chat-server.ts';
import { redisPath, startRealRedis } from '../../support/real-redis.ts';
import { startWorker } from '../../support/run-worker.ts';
import { openTempProject } from '../../support/temp-project.ts';

const request = {
  messages: [{ role: 'user', content: 'Say: red' }],
  params: {},
  trial: 0,
  origin: { suite: 's', prompt: 'p', provider: 'mini', caseId: 'red' },
};
const task = { runId: 'r', timeoutMs: 1000, request };

test.skipIf(redisPath === undefined)(
  'a worker refuses a malformed job in a line, sends nothing and works on',
  { tags: 'slow' },
  async () => {
    const redis = await startRealRedis();
    const server = await startEchoServer();
    const project = openTempProject('echo');
    const url = `redis://127.0.0.1:${redis.port}/0`;
    const worker = await startWorker(project.root, ['--queue', url], server.env);
    const running = project.run(['run', '--queue', url], { env: server.env });
    expect((await running).code).toBe(0);
    const asked = server.requests.length;

    const client = new Redis(redis.port, '127.0.0.1');
    const [card = '{}'] = (await openPresence(client, 'workers').list()).values();
    const [name = ''] = (JSON.parse(card) as { queues: string[] }).queues;
    client.disconnect();
    const queue = new Queue(name, { connection: { host: '127.0.0.1', port: redis.port }, prefix });
    const jobs: readonly unknown[] = [
      {},
      'no JSON',
      JSON.stringify({ ...task, runId: 3 }),
      { ...task, request: null },
      { ...task, timeoutMs: null },
      { ...task, request: { ...request, messages: [null] } },
      { ...task, request: { ...request, messages: [{ role: 'user', content: 3 }] } },
      { ...task, request: { ...request, params: null } },
      { ...task, request: { ...request, origin: undefined } },
    ];
    for (const [index, data] of jobs.entries()) await queue.add('call', data, { jobId: `forged-${index}` });
    for (const index of jobs.keys()) await worker.logged(`job forged-${index} REFUSED`);
    await queue.close();
    expect(worker.log()).not.toMatch(/bug in llmcheck|\n\s+at /);
    expect(server.requests).toHaveLength(asked);
    expect((await worker.stop()).code).toBe(0);
  },
);

test('an answer that no worker writes is none', () => {
  const completion = { text: 'red', toolCalls: [], finishReason: 'stop', latencyMs: 3 };
  const answer = {
    isTimeUp: false,
    elapsedMs: 3,
    outcome: { status: 'completed', attempts: 1, cached: false, completion },
  };
  expect(readAnswer(JSON.stringify(answer))).toEqual(answer);
  for (const outcome of [
    null,
    { status: 'completed', attempts: 1 },
    { status: 'completed', attempts: 1, completion: { ...completion, text: 3 } },
    { status: 'failed', attempts: 1 },
    { status: 'failed', attempts: 1, failure: { kind: 'constructor', message: '' } },
  ]) {
    expect(readAnswer(JSON.stringify({ ...answer, outcome }))).toBeUndefined();
  }
});

test('what an adapter sends back with an answer comes through a queue as it was', () => {
  const continuation = '[{"type":"thinking","thinking":"Hm","signature":"abc"}]';
  const completion = { text: '', toolCalls: [], latencyMs: 3, continuation };
  const outcome = { status: 'completed', attempts: 1, cached: false, completion } as const;
  const answer: AttemptAnswer = { isTimeUp: false, elapsedMs: 3, outcome };
  expect(readAnswer(writeMessage(answer))).toEqual(answer);
  const messages = [
    { role: 'assistant', content: '', continuation },
    { role: 'tool', content: 'no such order', isError: true },
  ];
  const asked = { ...task, request: { ...request, messages } };
  expect(readTask(writeMessage(asked as AttemptTask))).toEqual({ task: asked });
});

test('numbers that no double keeps come through a queue with every digit', () => {
  // Such a number takes the place of a plain one where JSON was read.
  const long = new SpelledNumber(9007199254740992, '9007199254740993') as unknown as number;
  const toolCalls = [{ name: 'find', arguments: { id: long }, rawArguments: '{"id":9007199254740993}' }];
  const completion = { text: '', toolCalls, latencyMs: 3 };
  const answer: AttemptAnswer = {
    isTimeUp: false,
    elapsedMs: 3,
    outcome: { status: 'completed', attempts: 1, cached: false, completion },
  };
  expect(readAnswer(writeMessage(answer))).toEqual(answer);
  const asked = {
    ...task,
    request: { ...request, messages: [{ role: 'assistant', content: '', toolCalls }] },
  } as const;
  expect(readTask(writeMessage(asked satisfies AttemptTask))).toEqual({ task: asked });
});
