import { describe, expect, test } from 'vitest';
import { createLeases, EndedCall, type LeaseAsk } from '../../src/queue/leases.ts';
import type { Scripts } from '../../src/queue/scripts.ts';
import { createManualClock } from '../support/manual-clock.ts';

const ask: LeaseAsk = { call: 'call', lane: 'lane', account: 'account', limits: { concurrency: 1 }, tokens: 10 };
const refuse = () => Promise.reject(new Error('no connection'));

/** Leases over a server that answers as it is told. */
function openLeases(scripts: Partial<Scripts>) {
  const clock = createManualClock();
  const server = { id: 'life' as string | undefined };
  const all: Scripts = {
    begin: refuse,
    beat: refuse,
    end: refuse,
    take: refuse,
    answer: refuse,
    acquire: () => Promise.resolve(-1000),
    renew: () => Promise.resolve(1),
    release: () => Promise.resolve(1),
    tick: refuse,
    ...scripts,
  };
  const leases = createLeases({
    scripts: all,
    workerId: 'w',
    leaseMs: 10_000,
    serverId: () => server.id,
    nowMs: () => clock.now(),
    wait: (ms, signal) => clock.wait(ms, signal),
  });
  return { clock, leases, server };
}

describe('a lease', () => {
  test('ends its call before it runs out where it can not be renewed', async () => {
    const { clock, leases } = openLeases({ renew: refuse });
    const lease = await leases.acquire(ask, new AbortController().signal);
    await clock.advance(7900);
    await expect(leases.renew()).rejects.toThrow('no connection');
    leases.endStale();
    expect(lease?.signal.aborted).toBe(false);
    await clock.advance(200);
    leases.endStale();
    expect(lease?.signal.reason).toEqual(new EndedCall('cut off'));
  });

  test('goes on for as long as it is renewed', async () => {
    const { clock, leases } = openLeases({});
    const lease = await leases.acquire(ask, new AbortController().signal);
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(7000);
      await leases.renew();
      leases.endStale();
    }
    expect(lease?.signal.aborted).toBe(false);
    expect(leases.held).toBe(1);
    lease?.release(undefined);
    expect(leases.held).toBe(0);
  });

  test('that was told of too late is none', async () => {
    const replies = [4000, 0].map((lateMs) => async () => {
      await clock.advance(lateMs);
      return -1000;
    });
    const { clock, leases } = openLeases({ acquire: () => (replies.shift() ?? refuse)() });
    const acquiring = leases.acquire(ask, new AbortController().signal);
    await clock.advance(4000);
    await clock.advance(100);
    expect((await acquiring)?.signal.aborted).toBe(false);
    expect(replies).toHaveLength(0);
  });

  test('is not asked for without a connection', async () => {
    let asked = 0;
    const { clock, leases, server } = openLeases({
      acquire: () => {
        asked += 1;
        return Promise.resolve(-1000);
      },
    });
    server.id = undefined;
    const acquiring = leases.acquire(ask, new AbortController().signal);
    await clock.advance(500);
    expect(asked).toBe(0);
    server.id = 'next life';
    await clock.advance(100);
    expect((await acquiring)?.signal.aborted).toBe(false);
    expect([asked, leases.held]).toEqual([1, 1]);
  });

  test('is not waited for once the worker takes nothing any more', async () => {
    const { leases } = openLeases({ acquire: () => Promise.resolve(50) });
    const stop = new AbortController();
    const acquiring = leases.acquire(ask, stop.signal);
    stop.abort();
    expect(await acquiring).toBeUndefined();
    expect(leases.held).toBe(0);
  });
});
