import * as bull from 'bullmq';
import * as redis from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/execute/clock.ts';
import { openDispatcher } from '../../src/queue/open-dispatcher.ts';
import type { Patience } from '../../src/queue/patience.ts';
import { redisPath, startRealRedis } from '../support/real-redis.ts';

async function dispatchAt(url: string, patience: Partial<Patience>) {
  const notes: string[] = [];
  let tellLost: (message: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => {
    tellLost = resolve;
  });
  const dispatcher = await openDispatcher({
    modules: { bull, redis },
    address: { url: new URL(url) },
    shown: url,
    version: '1.0.0',
    session: 'session',
    nowMs: () => systemClock.now(),
    startTimer: (ms, fire) => systemClock.startTimer(ms, fire),
    onNote: (message) => notes.push(message),
    onLost: (message) => tellLost(message),
    patience: { beatMs: 20, ...patience },
  });
  if ('refused' in dispatcher) throw new Error(dispatcher.refused);
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
  limits: {},
  tokens: 1,
};

describe.skipIf(redisPath === undefined)('a run that waits (skipped where there is no redis-server)', () => {
  test('stops once Redis is gone for too long', async () => {
    const server = await startRealRedis();
    const { dispatcher, notes, lost } = await dispatchAt(server.url, { redisMs: 20 });
    await dispatcher.begin('run', [{ stamp: 'stamp', label: 'mine' }], new AbortController().signal);
    const stop = new AbortController();
    const answer = dispatcher.send('stamp', 'call', task, stop.signal);
    await server.stop();
    expect(await lost).toBe(`the queue ${server.url} did not come back`);
    stop.abort();
    expect((await answer).outcome).toMatchObject({ status: 'failed', failure: { kind: 'aborted' }, attempts: 0 });
    expect(notes.join('\n')).toContain(`The queue ${server.url} is gone`);
  });

  test('says that no worker takes its calls, and stops once that lasts too long', async () => {
    const server = await startRealRedis();
    const { dispatcher, lost } = await dispatchAt(server.url, { workersMs: 0 });
    await dispatcher.begin('run', [{ stamp: 'stamp', label: 'mine' }], new AbortController().signal);
    const stop = new AbortController();
    const answer = dispatcher.send('stamp', 'call', task, stop.signal);
    expect(await lost).toBe('no worker took calls of mine');
    stop.abort();
    expect((await answer).outcome.status).toBe('failed');
  });

  test('names what is wrong with the workers that there are', async () => {
    const server = await startRealRedis();
    const card = JSON.stringify({ id: 'w', version: '0.9.0', concurrency: 8, stamps: ['other'] });
    await server.client.zadd('llmcheck:workers', Date.now() + 60_000, card);
    const { dispatcher, notes, lost } = await dispatchAt(server.url, { tellMs: 0, workersMs: 0 });
    await dispatcher.begin('run', [{ stamp: 'stamp', label: 'mine' }], new AbortController().signal);
    void dispatcher.send('stamp', 'call', task, new AbortController().signal);
    await lost;
    expect(notes).toEqual([
      `No worker takes calls of mine: there is 1 worker, of llmcheck 0.9.0 while this is 1.0.0; start some with \`llmcheck worker --queue ${server.url}\` in a checkout of the same state, with its keys set.`,
    ]);
  });

  test('takes a call that no worker survives as failed', async () => {
    const server = await startRealRedis();
    const { dispatcher } = await dispatchAt(server.url, { overdueMs: 0 });
    await dispatcher.begin('run', [{ stamp: 'stamp', label: 'mine' }], new AbortController().signal);
    const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null };
    const worker = new bull.Worker('calls-stamp', () => Promise.reject(new Error('it died of it')), {
      connection,
      prefix: 'llmcheck',
    });
    onTestFinished(() => worker.close());
    const { outcome } = await dispatcher.send('stamp', 'call', task, new AbortController().signal);
    expect(outcome).toMatchObject({
      status: 'failed',
      failure: { kind: 'network', message: 'no worker could make the call: it died of it', retryable: false },
      attempts: 1,
    });
  });

  test('finds what was answered although the message of it was lost, and asks again for what is gone', async () => {
    const server = await startRealRedis();
    const { dispatcher } = await dispatchAt(server.url, { overdueMs: 0 });
    await dispatcher.begin('run', [{ stamp: 'stamp', label: 'mine' }], new AbortController().signal);
    const answering = dispatcher.send('stamp', 'call', task, new AbortController().signal);
    const queue = new bull.Queue('calls-stamp', { connection: server.client, prefix: 'llmcheck' });
    const findJob = async (): Promise<bull.Job> => (await queue.getJob('run_call')) ?? findJob();
    await (await findJob()).remove();
    await findJob();
    const answer = { outcome: { status: 'failed', failure: { kind: 'server', message: 'no' }, attempts: 1 } };
    await server.client.hset(
      'llmcheck:answers:run',
      'run_call',
      JSON.stringify({ ...answer, isTimeUp: false, elapsedMs: 7 }),
    );
    expect(await answering).toEqual({ ...answer, isTimeUp: false, elapsedMs: 7 });
  });

  test('does not begin to wait for ever', async () => {
    const server = await startRealRedis();
    const { dispatcher, lost } = await dispatchAt(server.url, { redisMs: 20 });
    await server.stop();
    const stop = new AbortController();
    const beginning = dispatcher.begin('run', [{ stamp: 'stamp', label: 'mine' }], stop.signal);
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
