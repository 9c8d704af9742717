import * as bull from 'bullmq';
import * as redis from 'ioredis';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { queueLimitsOf } from '../../src/calls/open-queue-dispatch.ts';
import { rateOf } from '../../src/queue/call-queue.ts';
import { openPresence } from '../../src/queue/connect-redis.ts';
import { type DispatcherOptions, openDispatcher } from '../../src/queue/dispatcher.ts';
import { writeMessage } from '../../src/queue/messages.ts';
import { type RealRedis, redisPath, startRealRedis } from '../support/real-redis.ts';

const providers = [{ queue: 'calls-mine', label: 'mine', limits: {} }];
const never = new AbortController().signal;

async function dispatchAt(url: string, waits: DispatcherOptions['waits']) {
  const notes: string[] = [];
  let tellLost: (message: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => {
    tellLost = resolve;
  });
  const dispatcher = await openDispatcher({
    modules: { bull, redis },
    address: { url: new URL(url), shown: url },
    version: '1.0.0',
    onNote: (message) => notes.push(message),
    onLost: (message) => tellLost(message),
    waits: { beatMs: 20, ...waits },
  });
  if (typeof dispatcher === 'string') throw new Error(dispatcher);
  onTestFinished(() => dispatcher.close());
  return { dispatcher, notes, lost };
}

const task = {
  request: {
    messages: [],
    params: {},
    trial: 0,
    origin: { suite: 's', prompt: 'p', provider: 'mine', caseId: 'c' },
  },
  timeoutMs: 1000,
};

const failure = { kind: 'server', message: 'no' } as const;
const answer = { outcome: { status: 'failed', failure, attempts: 1 }, isTimeUp: false, elapsedMs: 7 } as const;

/** A worker that answers with what is given. */
function answerAt({ port }: RealRedis, take: () => Promise<unknown>): void {
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null };
  const worker = new bull.Worker('calls-mine', take, { connection, prefix: 'llmcheck' });
  onTestFinished(() => worker.close(true));
}

describe.skipIf(redisPath === undefined)('a run that waits (skipped where there is no redis-server)', () => {
  test('stops once Redis is away for too long', async () => {
    const server = await startRealRedis();
    const { dispatcher, notes, lost } = await dispatchAt(server.url, { redisMs: 20 });
    await dispatcher.begin('run', providers, never);
    const stop = new AbortController();
    const answering = dispatcher.send('calls-mine', 'call', task, stop.signal);
    await server.stop();
    expect(await lost).toBe(`the queue ${server.url} did not come back`);
    stop.abort();
    expect((await answering).outcome).toMatchObject({ status: 'failed', failure: { kind: 'aborted' }, attempts: 0 });
    expect(notes.join('\n')).toContain(`The connection to the queue ${server.url} is lost`);
  });

  test('says that no worker takes its calls, and stops once that lasts too long', async () => {
    const server = await startRealRedis();
    const { dispatcher, lost } = await dispatchAt(server.url, { workersMs: 0 });
    await dispatcher.begin('run', providers, never);
    const stop = new AbortController();
    const answering = dispatcher.send('calls-mine', 'call', task, stop.signal);
    expect(await lost).toBe('no worker took calls of mine');
    stop.abort();
    expect((await answering).outcome.status).toBe('failed');
  });

  test('names what is wrong with the workers that there are', async () => {
    const server = await startRealRedis();
    const card = JSON.stringify({ version: '0.9.0', concurrency: 8, queues: ['other'] });
    await openPresence(server.client, 'workers').write('w', card, 60_000);
    const { dispatcher, notes, lost } = await dispatchAt(server.url, { noteMs: 0, workersMs: 0 });
    await dispatcher.begin('run', providers, never);
    void dispatcher.send('calls-mine', 'call', task, never);
    await lost;
    expect(notes).toEqual([
      `No worker takes calls of mine: there is 1 worker, of llmcheck 0.9.0 while this is 1.0.0; start some with \`llmcheck worker --queue ${server.url}\` in a checkout of the same state, with its keys set.`,
    ]);
  });

  test('takes a call that no worker survives as failed', async () => {
    const server = await startRealRedis();
    const { dispatcher } = await dispatchAt(server.url, {});
    await dispatcher.begin('run', providers, never);
    answerAt(server, () => Promise.reject(new Error('it died of it')));
    const { outcome } = await dispatcher.send('calls-mine', 'call', task, never);
    expect(outcome).toMatchObject({
      status: 'failed',
      failure: { kind: 'network', message: 'no worker could make the call: it died of it', retryable: false },
      attempts: 1,
    });
  });

  test('asks again for what Redis has lost, and for what a worker that did not know of the run has dropped', async () => {
    const server = await startRealRedis();
    const { dispatcher } = await dispatchAt(server.url, { overdueMs: 0, lostMs: 0 });
    await dispatcher.begin('run', providers, never);
    const answering = dispatcher.send('calls-mine', 'call', task, never);
    const queue = new bull.Queue('calls-mine', { connection: server.client, prefix: 'llmcheck' });
    const findJob = async (): Promise<bull.Job> => (await queue.getJob('run_call')) ?? findJob();
    await (await findJob()).remove();
    await findJob();
    const answers = [null, writeMessage(answer)];
    answerAt(server, () => Promise.resolve(answers.shift()));
    expect(await answering).toEqual(answer);
  });

  test('sets its limits again where Redis came back without its data', async () => {
    const server = await startRealRedis();
    const { dispatcher } = await dispatchAt(server.url, {});
    await dispatcher.begin('run', [{ queue: 'calls-mine', label: 'mine', limits: { concurrency: 3 } }], never);
    const queue = new bull.Queue('calls-mine', { connection: server.client, prefix: 'llmcheck' });
    onTestFinished(() => queue.close());
    expect(await queue.getGlobalConcurrency()).toBe(3);
    await server.client.flushall();
    await server.client.client('KILL', 'TYPE', 'normal');
    await expect.poll(() => queue.getGlobalConcurrency()).toBe(3);
  });

  test('says of each loss of the connection that Redis is away, and that it came back', { tags: 'slow' }, async () => {
    const server = await startRealRedis();
    const [started, cleared] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')];
    onTestFinished(() => void [started, cleared].map((spy) => spy.mockRestore()));
    const redisMs = 123_456;
    const { dispatcher, notes } = await dispatchAt(server.url, { redisMs });
    await dispatcher.begin('run', providers, never);
    for (const losses of [1, 2]) {
      await server.client.client('KILL', 'TYPE', 'normal');
      const countBack = () => notes.filter((note) => note.endsWith(' is back.')).length;
      await expect.poll(countBack).toBe(losses);
      expect(notes.filter((note) => note.includes(' is lost; the run waits'))).toHaveLength(losses);
    }
    // Nothing waits for the end of a loss any more, which would stop the run.
    const timers = started.mock.results.filter((_, index) => started.mock.calls[index]?.[1] === redisMs);
    expect(timers).toHaveLength(2);
    for (const { value } of timers) expect(cleared).toHaveBeenCalledWith(value);
    await dispatcher.close();
  });

  test('finds what was answered although the event of it was lost', async () => {
    const server = await startRealRedis();
    const { dispatcher } = await dispatchAt(server.url, { overdueMs: 0 });
    await dispatcher.begin('run', providers, never);
    const queue = new bull.Queue('calls-mine', { connection: server.client, prefix: 'llmcheck' });
    answerAt(server, async () => {
      // The answer is stored without an event that its run could hear.
      await server.client.hset('llmcheck:calls-mine:run_call', {
        finishedOn: '1',
        returnvalue: JSON.stringify(writeMessage(answer)),
      });
      return new Promise(() => undefined);
    });
    expect(await dispatcher.send('calls-mine', 'call', task, never)).toEqual(answer);
    await queue.close();
  });

  test('takes an answer of another form as failed', async () => {
    const server = await startRealRedis();
    const { dispatcher } = await dispatchAt(server.url, {});
    await dispatcher.begin('run', providers, never);
    answerAt(server, () => Promise.resolve({ outcome: { status: 'completed', attempts: 1 } }));
    const { outcome } = await dispatcher.send('calls-mine', 'call', task, never);
    expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'malformed', retryable: false } });
  });

  test('says once what Redis refuses', async () => {
    const server = await startRealRedis();
    const { dispatcher, notes } = await dispatchAt(server.url, {});
    await dispatcher.begin('run', providers, never);
    await server.client.config('SET', 'maxmemory', '1');
    const countRefusals = async () => Number(/errorstat_OOM:count=(\d+)/.exec(await server.client.info())?.[1]);
    await expect.poll(countRefusals).toBeGreaterThan(2);
    await server.client.config('SET', 'maxmemory', '0');
    expect(notes).toEqual([expect.stringContaining(`The queue ${server.url} refuses: OOM`)]);
  });

  test('does not begin to wait without end', async () => {
    const server = await startRealRedis();
    const { dispatcher, lost } = await dispatchAt(server.url, { redisMs: 20 });
    await server.stop();
    const stop = new AbortController();
    const beginning = dispatcher.begin('run', providers, stop.signal);
    expect(await lost).toContain('did not come back');
    stop.abort();
    await beginning;
  });

  test('refuses a server that forgets what it was given', async () => {
    const server = await startRealRedis();
    await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(dispatchAt(server.url, {})).rejects.toThrow('its maxmemory-policy is allkeys-lru');
  });
});

describe('the limits of a queue', () => {
  test('are the largest of its provider, else the largest rate of the account', () => {
    const account = [{ rpm: 60 }, { rpm: 600, concurrency: 9 }, {}];
    expect(queueLimitsOf([{}], account)).toEqual({ rpm: 600 });
    expect(queueLimitsOf([{ rpm: 60 }], account)).toEqual({ rpm: 60 });
    expect(queueLimitsOf([{ concurrency: 2, rpm: 60 }, { concurrency: 5 }], account)).toEqual({
      concurrency: 5,
      rpm: 60,
    });
    expect(queueLimitsOf([{}], [{}])).toEqual({});
  });

  test.each([1, 7, 61, 100, 1000, 1200, 1201, 60_000])(
    'let no more than %i calls a minute begin, and not much less',
    (rpm) => {
      const { max, duration } = rateOf(rpm);
      // A minute touches one window more than fits into it, unless a window holds a single call.
      const most = max === 1 ? Math.ceil(60_000 / duration) : max * (Math.ceil(60_000 / duration) + 1);
      expect(most).toBeLessThanOrEqual(rpm);
      expect(max * (60_000 / duration)).toBeGreaterThan(rpm * 0.94);
    },
  );
});
