import * as bull from 'bullmq';
import * as redis from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPresence } from '../../src/queue/connect-redis.ts';
import { openDispatcher } from '../../src/queue/dispatcher.ts';
import type { AttemptAnswer } from '../../src/queue/messages.ts';
import { openWorker, type ServedProvider, type WorkerOptions } from '../../src/queue/worker.ts';
import { buildCompletion } from '../support/build-case.ts';
import { type RealRedis, redisPath, startRealRedis } from '../support/real-redis.ts';

const never = new AbortController().signal;
const modules = { bull, redis };

const answerOf = (text: string): AttemptAnswer => ({
  outcome: { status: 'completed', completion: buildCompletion({ text }), cached: false, attempts: 1 },
  isTimeUp: false,
  elapsedMs: 7,
});
const textOf = ({ outcome }: AttemptAnswer) =>
  outcome.status === 'completed' ? outcome.completion.text : `${outcome.failure.kind}: ${outcome.failure.message}`;

const taskOf = (text: string) => ({
  request: {
    messages: [{ role: 'user' as const, content: text }],
    params: {},
    trial: 0,
    origin: { suite: 's', prompt: 'p', provider: 'mine', caseId: 'c' },
  },
  timeoutMs: 1000,
});

type Attempt = ServedProvider['attempt'];
const echo: Attempt = async ({ request }) => answerOf(request.messages[0]?.content ?? '');

/** A machine that stands still for a while loses its connections, which workers log. */
const isOfRun = (line: string): boolean => !line.includes('the queue redis://shown');

/** Answers once the call is ended, or once it is let go. */
function held(atEnd: (text: string) => AttemptAnswer) {
  const begun: string[] = [];
  const attempt: Attempt = ({ request }, signal) =>
    new Promise((resolve) => {
      const text = request.messages[0]?.content ?? '';
      begun.push(text);
      signal.addEventListener('abort', () => resolve(atEnd(text)));
    });
  return { begun, attempt };
}
const stopped = (): AttemptAnswer => ({
  outcome: { status: 'failed', failure: { kind: 'aborted', message: 'stopped' }, attempts: 1 },
  isTimeUp: false,
  elapsedMs: 1,
});

async function serve(server: RealRedis, attempt: Attempt, more: Partial<WorkerOptions> = {}) {
  const logged: string[] = [];
  const bugs: unknown[] = [];
  const worker = await openWorker({
    modules,
    address: { url: new URL(server.url), shown: 'redis://shown' },
    toolVersion: '1.0.0',
    id: 'w1',
    concurrency: 2,
    leaseMs: 1000,
    log: (message) => logged.push(message),
    onBug: (bug) => bugs.push(bug),
    stopped: new Promise(() => undefined),
    providers: [{ queue: 'calls-mine', label: 'mine', attempt }],
    unserved: new Map(),
    ...more,
  });
  if (typeof worker === 'string') throw new Error(worker);
  let ending: Promise<number> | undefined;
  const drain = (drainMs: number): Promise<number> => (ending ??= worker.drain(drainMs));
  onTestFinished(async () => void (await drain(0)));
  return { worker, drain, logged, bugs };
}

async function dispatch(server: RealRedis, labels: readonly string[] = ['mine'], version = '1.0.0') {
  const dispatcher = await openDispatcher({
    modules,
    address: { url: new URL(server.url), shown: server.url },
    version,
    onNote: () => undefined,
    onLost: () => undefined,
    waits: { beatMs: 20 },
  });
  if (typeof dispatcher === 'string') throw new Error(dispatcher);
  onTestFinished(() => dispatcher.close());
  await dispatcher.begin(
    'run',
    labels.map((label) => ({ queue: `calls-${label}`, label, limits: {} })),
    never,
  );
  let sent = 0;
  const send = (text: string, label = 'mine') => {
    sent += 1;
    return dispatcher.send(`calls-${label}`, `call${sent}`, taskOf(text), never);
  };
  return { dispatcher, send };
}

describe.skipIf(redisPath === undefined)('a worker (skipped where there is no redis-server)', () => {
  test('answers the calls of runs, is seen by them, and is gone once it has ended', async () => {
    const server = await startRealRedis();
    const { send } = await dispatch(server);
    const { worker, drain, logged } = await serve(server, echo);
    const workers = openPresence(server.client, 'workers');
    expect([...(await workers.list())]).toEqual([
      ['w1', '{"version":"1.0.0","concurrency":2,"queues":["calls-mine"]}'],
    ]);
    expect((await Promise.all(['a', 'b', 'c'].map((text) => send(text)))).map(textOf)).toEqual(['a', 'b', 'c']);
    await expect.poll(() => worker.answered).toBe(3);
    expect(await drain(1000)).toBe(0);
    expect((await workers.list()).size).toBe(0);
    expect(logged.filter(isOfRun)).toEqual(['run run: takes calls of mine']);
  });

  test('that ends does not announce itself again while Redis is slow', { tags: ['slow'] }, async () => {
    const server = await startRealRedis();
    const { drain } = await serve(server, echo, { leaseMs: 250 });
    await server.client.client('PAUSE', 400, 'WRITE');
    await drain(0);
    expect((await openPresence(server.client, 'workers').list()).size).toBe(0);
  });

  test('errors a call in which it has a bug', async () => {
    const server = await startRealRedis();
    const { send } = await dispatch(server);
    const bug = new Error('boom');
    const { bugs } = await serve(server, () => Promise.reject(bug));
    expect(textOf(await send('a'))).toBe('network: the worker failed, see its log: boom');
    expect(bugs).toEqual([bug]);
  });

  test('makes no more calls at once than it may, over all its providers', async () => {
    const server = await startRealRedis();
    const { send } = await dispatch(server, ['mine', 'other']);
    let [inWork, most] = [0, 0];
    const attempt: Attempt = async (task, signal) => {
      inWork += 1;
      most = Math.max(most, inWork);
      for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      inWork -= 1;
      return echo(task, signal);
    };
    const providers = ['mine', 'other'].map((label) => ({ queue: `calls-${label}`, label, attempt }));
    await serve(server, attempt, { providers, concurrency: 1 });
    const texts = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(texts.map((text, index) => send(text, index % 2 === 0 ? 'mine' : 'other')));
    expect([answers.map(textOf), most]).toEqual([texts, 1]);
  });

  test('that stops gives back what it has not answered, and another one answers it', { tags: ['slow'] }, async () => {
    const server = await startRealRedis();
    const { send } = await dispatch(server, ['mine', 'other']);
    const { begun, attempt } = held(stopped);
    const providersOf = (own: Attempt) =>
      ['mine', 'other'].map((label) => ({ queue: `calls-${label}`, label, attempt: own }));
    const { worker, drain } = await serve(server, attempt, { providers: providersOf(attempt), concurrency: 1 });
    const answers = Promise.all([send('a'), send('b', 'other')]);
    const queues = ['mine', 'other'].map(
      (label) => new bull.Queue(`calls-${label}`, { connection: server.client, prefix: 'llmcheck' }),
    );
    onTestFinished(async () => void (await Promise.all(queues.map((queue) => queue.close()))));
    const countActive = async () => {
      const counts = await Promise.all(queues.map((queue) => queue.getActiveCount()));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    await expect.poll(async () => [begun.length, await countActive()]).toEqual([1, 2]);
    // One had begun, and the other one waited for its turn.
    expect(await drain(0)).toBe(1);
    expect([begun.length, worker.answered]).toEqual([1, 0]);
    await serve(server, echo, { id: 'w2', providers: providersOf(echo) });
    expect((await answers).map(textOf)).toEqual(['a', 'b']);
  });

  test('that stops lets the calls end that have begun, for as long as it may', async () => {
    const server = await startRealRedis();
    const { send } = await dispatch(server);
    let letGo: (() => void) | undefined;
    const { worker, drain } = await serve(
      server,
      (_task, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(stopped()));
          letGo = () => resolve(answerOf('in time'));
        }),
    );
    const answering = send('a');
    await expect.poll(() => letGo).toBeDefined();
    const drained = drain(60_000);
    letGo?.();
    expect([textOf(await answering), await drained, worker.answered]).toEqual(['in time', 0, 1]);
  });

  test('that stops hands on an answer that came all the same', async () => {
    const server = await startRealRedis();
    const { send } = await dispatch(server);
    const { begun, attempt } = held(answerOf);
    const { drain } = await serve(server, attempt);
    const answering = send('late');
    await expect.poll(() => begun).toHaveLength(1);
    expect(await drain(0)).toBe(0);
    expect(textOf(await answering)).toBe('late');
  });

  test('ends the calls of a run that is over', async () => {
    const server = await startRealRedis();
    const { dispatcher, send } = await dispatch(server);
    const { begun, attempt } = held(stopped);
    let ended = 0;
    const { worker, drain } = await serve(
      server,
      async (task, signal) => {
        const answer = await attempt(task, signal);
        ended += 1;
        return answer;
      },
      { leaseMs: 500 },
    );
    void send('a');
    await expect.poll(() => begun).toHaveLength(1);
    await dispatcher.close();
    await expect.poll(() => ended).toBe(1);
    expect(await drain(1000)).toBe(0);
    expect(worker.answered).toBe(0);
  });

  test('takes no job that is not the call of a run, and none of a run that it does not know', async () => {
    const server = await startRealRedis();
    await dispatch(server);
    const asked: string[] = [];
    const { worker, logged } = await serve(server, (task, signal) => {
      asked.push(task.runId);
      return echo(task, signal);
    });
    const queue = new bull.Queue('calls-mine', { connection: server.client, prefix: 'llmcheck' });
    onTestFinished(() => queue.close());
    await openPresence(server.client, 'runs').write('over', 'ended', 60_000);
    await queue.add('attempt', '{"runId":""}', { jobId: 'odd' });
    for (const runId of ['over', 'gone', 'run']) await queue.add('attempt', JSON.stringify({ runId, ...taskOf('a') }));
    await expect.poll(() => queue.getJobCountByTypes('completed')).toBe(4);
    expect(asked).toEqual(['run']);
    expect(logged.filter((line) => line.includes('REFUSED'))).toEqual([
      expect.stringMatching(/^job odd REFUSED: it is not a call of a run \(runId: /),
    ]);
    expect(worker.answered).toBe(1);
  });

  test('waits as long as a server asks one of its runs to', { tags: ['slow'] }, async () => {
    const server = await startRealRedis();
    const { send } = await dispatch(server);
    const failures = [
      { kind: 'server', message: 'busy', retryAfterMs: 90_000 },
      { kind: 'rateLimit', message: 'slow' },
      { kind: 'rateLimit', message: 'slow', retryAfterMs: 90_000 },
    ] as const;
    await serve(server, async ({ request }) => ({
      outcome: {
        status: 'failed',
        failure: failures[Number(request.messages[0]?.content)] ?? failures[0],
        attempts: 1,
      },
      isTimeUp: false,
      elapsedMs: 1,
    }));
    const queue = new bull.Queue('calls-mine', { connection: server.client, prefix: 'llmcheck' });
    onTestFinished(() => queue.close());
    for (const text of ['0', '1']) {
      await send(text);
      expect(await queue.getRateLimitTtl()).toBeLessThanOrEqual(1000);
    }
    await send('2');
    const ttlMs = await queue.getRateLimitTtl();
    expect([ttlMs > 50_000, ttlMs <= 60_000]).toEqual([true, true]);
  });

  test.each<[string, readonly string[], string, Record<string, string>, readonly string[]]>([
    ['takes', ['mine'], '1.0.0', {}, ['run run: takes calls of mine']],
    ['of another version, if it takes all of its calls', ['mine'], '2.0.0', {}, ['run run: takes calls of mine']],
    [
      'of another version',
      ['mine', 'other'],
      '2.0.0',
      {},
      [
        'run run: takes calls of mine',
        'run run REFUSED: it was planned by llmcheck 2.0.0, this worker is llmcheck 1.0.0',
      ],
    ],
    [
      'of another checkout or without a key',
      ['other', 'keyless'],
      '1.0.0',
      { keyless: 'KEY is not set here' },
      [
        'run run: calls of other REFUSED: this checkout configures it differently or not at all, or its files differ',
        'run run: calls of keyless REFUSED: KEY is not set here',
      ],
    ],
  ])('says once which run it %s', async (_what, labels, version, unserved, expected) => {
    const server = await startRealRedis();
    await dispatch(server, labels, version);
    const { drain, logged } = await serve(server, echo, {
      leaseMs: 500,
      unserved: new Map(Object.entries(unserved)),
    });
    const seen = logged.filter(isOfRun).length;
    const workers = openPresence(server.client, 'workers');
    // It looks at the runs each time that it writes its card.
    await server.client.flushall();
    await dispatch(server, labels, version);
    await expect.poll(async () => (await workers.list()).size).toBe(1);
    expect([seen, logged.filter(isOfRun)]).toEqual([expected.length, expected]);
    await drain(0);
  });

  test('says when Redis is away, and when it is back', { tags: 'slow' }, async () => {
    const server = await startRealRedis();
    const { drain, logged } = await serve(server, echo);
    for (const losses of [1, 2]) {
      await server.client.client('KILL', 'TYPE', 'normal');
      await expect.poll(() => logged.filter((line) => line.startsWith('the queue'))).toHaveLength(losses);
    }
    expect(logged).toEqual(
      [1, 2].flatMap(() => [
        'the connection to the queue redis://shown is lost: no further call starts until it is back',
        'the queue redis://shown is back',
      ]),
    );
    await drain(0);
    expect(logged).toHaveLength(4);
  });

  test('says once what Redis refuses', { tags: 'slow' }, async () => {
    const server = await startRealRedis();
    const { logged } = await serve(server, echo, { leaseMs: 500 });
    await server.client.config('SET', 'maxmemory', '1');
    const countRefusals = async () => Number(/errorstat_OOM:count=(\d+)/.exec(await server.client.info())?.[1]);
    await expect.poll(countRefusals).toBeGreaterThan(3);
    await server.client.config('SET', 'maxmemory', '0');
    expect(logged).not.toEqual([]);
    expect([...new Set(logged)]).toEqual(logged);
    for (const line of logged) expect(line).toContain('the queue redis://shown refuses: ');
  });
});
