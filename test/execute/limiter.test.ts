import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLimiter, type Lease, type Limiter, type LimiterOptions } from '../../src/execute/limiter.ts';
import { createSemaphore } from '../../src/execute/semaphore.ts';
import type { CompletionOutcome } from '../../src/model/completion.ts';
import { buildRequest, completed, failed, neverAborted } from '../support/build-case.ts';
import { createManualClock, settleMicrotasks } from '../support/manual-clock.ts';

function build(options: Partial<LimiterOptions> = {}) {
  const clock = createManualClock();
  const shared = createSemaphore(100);
  const limiter = createLimiter({ concurrency: 100, shared, clock, estimateTokens: () => 10, ...options });
  return { clock, shared, limiter };
}

/** Asks for leases until the limiter holds one back. */
async function takeAll(limiter: Limiter, most = 50): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (let count = 0; count < most; count += 1) {
    void limiter.acquire(buildRequest(), neverAborted).then((lease) => {
      if (lease !== undefined) leases.push(lease);
      return lease;
    });
  }
  await settleMicrotasks();
  return leases;
}

async function takeOne(limiter: Limiter): Promise<Lease> {
  const lease = await limiter.acquire(buildRequest(), neverAborted);
  if (lease === undefined) throw new Error('the limiter gave no lease');
  return lease;
}

describe('createLimiter', () => {
  test('holds a provider to its own concurrency', async () => {
    const { limiter } = build({ concurrency: 3 });
    const leases = await takeAll(limiter);
    expect(leases).toHaveLength(3);
    leases[0]?.release(completed());
    await settleMicrotasks();
    expect(leases).toHaveLength(4);
  });

  test('all providers together never have more calls in flight than the run allows', async () => {
    const clock = createManualClock();
    const shared = createSemaphore(4);
    const limiters = [3, 3, 3].map((concurrency) =>
      createLimiter({ concurrency, shared, clock, estimateTokens: () => 0 }),
    );
    const leases = (await Promise.all(limiters.map((limiter) => takeAll(limiter, 3)))).flat();
    expect(leases).toHaveLength(4);
    expect(shared.inUse).toBe(4);
  });

  test('a provider that waits for its rate keeps no shared slot from others', async () => {
    const clock = createManualClock();
    const shared = createSemaphore(1);
    const slow = createLimiter({ concurrency: 5, rpm: 1, shared, clock, estimateTokens: () => 0 });
    const fast = createLimiter({ concurrency: 5, shared, clock, estimateTokens: () => 0 });
    (await takeOne(slow)).release(completed());
    void slow.acquire(buildRequest(), neverAborted);
    await settleMicrotasks();
    expect(shared.inUse).toBe(0);
    (await takeOne(fast)).release(completed());
  });

  test('rpm spaces calls out', async () => {
    const { limiter, clock } = build({ rpm: 60 });
    const leases = await takeAll(limiter, 10);
    expect(leases).toHaveLength(6);
    await clock.advance(1100);
    expect(leases).toHaveLength(7);
    await clock.advance(60_000);
    expect(leases).toHaveLength(10);
  });

  test('tpm reserves the estimate', async () => {
    const { limiter, clock } = build({ tpm: 1000, estimateTokens: () => 100 });
    await takeOne(limiter);
    await clock.runUntil(takeOne(limiter));
    expect(clock.now()).toBeGreaterThan(6000);
    expect(clock.now()).toBeLessThan(7000);
  });

  test('what an answer did not use of its estimate goes to the call that is waiting', async () => {
    const { limiter, clock } = build({ tpm: 1000, estimateTokens: () => 100 });
    const first = await takeOne(limiter);
    const second = takeOne(limiter);
    await settleMicrotasks();
    first.release(completed({ usage: { inputTokens: 10, outputTokens: 10 } }));
    await clock.runUntil(second);
    expect(clock.now()).toBeGreaterThan(1000);
    expect(clock.now()).toBeLessThan(1700);
  });

  test('a large request is not overtaken for ever by small ones', async () => {
    const sizes = [100, 100, 1, 1, 1];
    const { limiter, clock } = build({ tpm: 1000, estimateTokens: ({ trial }) => sizes[trial] ?? 0 });
    const order: number[] = [];
    for (const trial of sizes.keys()) {
      void limiter.acquire(buildRequest({ trial }), neverAborted).then(() => order.push(trial));
    }
    await clock.advance(60_000);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test('an abort ends every wait without a lease and without a slot left over', async () => {
    const controller = new AbortController();
    const { limiter, shared } = build({ concurrency: 2, rpm: 1 });
    const granted = await takeOne(limiter);
    const waiting = [1, 2, 3].map(() => limiter.acquire(buildRequest(), controller.signal));
    await settleMicrotasks();
    controller.abort();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
    granted.release(completed());
    expect(shared.inUse).toBe(0);
    expect(await build().limiter.acquire(buildRequest(), controller.signal)).toBeUndefined();
  });

  test('an abort while the run is full leaves the provider all of its slots', async () => {
    const controller = new AbortController();
    const shared = createSemaphore(1);
    const { limiter } = build({ concurrency: 2, shared });
    const granted = await takeOne(limiter);
    const waiting = limiter.acquire(buildRequest(), controller.signal);
    await settleMicrotasks();
    controller.abort();
    expect(await waiting).toBeUndefined();
    granted.release(completed());
    shared.resize(10);
    expect(await takeAll(limiter)).toHaveLength(2);
  });

  test('a refusal for the rate halves the slots, once for all calls that were under way', async () => {
    const { limiter } = build({ concurrency: 8 });
    const leases = await takeAll(limiter, 8);
    for (const lease of leases) lease.release(failed('rateLimit'));
    expect(await takeAll(limiter)).toHaveLength(4);
  });

  test('repeated refusals leave one slot, never none', async () => {
    const { limiter } = build({ concurrency: 8 });
    for (let round = 0; round < 6; round += 1) (await takeOne(limiter)).release(failed('overloaded'));
    expect(await takeAll(limiter)).toHaveLength(1);
  });

  test('answers win the slots back one by one, up to the configured number', async () => {
    const { limiter } = build({ concurrency: 4 });
    (await takeOne(limiter)).release(failed('rateLimit'));
    for (let count = 0; count < 2; count += 1) (await takeOne(limiter)).release(completed());
    const leases = await takeAll(limiter, 3);
    expect(leases).toHaveLength(3);
    for (const lease of leases) lease.release(completed());
    for (let count = 0; count < 50; count += 1) (await takeOne(limiter)).release(completed());
    expect(await takeAll(limiter)).toHaveLength(4);
  });

  test('failures that say nothing of the load cost no slot', async () => {
    const { limiter } = build({ concurrency: 4 });
    for (const kind of ['server', 'network', 'badRequest'] as const) (await takeOne(limiter)).release(failed(kind));
    (await takeOne(limiter)).release(undefined);
    expect(await takeAll(limiter)).toHaveLength(4);
  });

  test('never lets more calls run than configured, whatever they come to', async () => {
    const outcome: fc.Arbitrary<CompletionOutcome> = fc.constantFrom(
      completed(),
      failed('rateLimit'),
      failed('server'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(outcome, { maxLength: 40 }),
        async (concurrency, all) => {
          const { limiter, clock } = build({ concurrency });
          let running = 0;
          let most = 0;
          const calls = all.map(async (result, index) => {
            const lease = await limiter.acquire(buildRequest(), neverAborted);
            running += 1;
            most = Math.max(most, running);
            await clock.wait(1 + (index % 7), neverAborted);
            running -= 1;
            lease?.release(result);
          });
          await clock.runUntil(Promise.all(calls));
          expect(most).toBeLessThanOrEqual(concurrency);
        },
      ),
      { numRuns: 30 },
    );
  });
});
