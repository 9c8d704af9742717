import { describe, expect, test } from 'vitest';
import {
  AccountLimiter,
  type AccountOptions,
  type Lease,
  type Limiter,
  type OwnLimits,
} from '../../src/calls/limiter.ts';
import { runConcurrently } from '../../src/calls/run-concurrently.ts';
import { SharedSlots } from '../../src/calls/shared-slots.ts';
import type { CompletionOutcome, LimitReport } from '../../src/model/run/completion.ts';
import { buildRequest, completed, failed, neverAborted } from '../support/build-case.ts';
import { createManualClock, settleMicrotasks } from '../support/manual-clock.ts';
import fc from '../support/property.ts';

type Options = Partial<AccountOptions> & Partial<OwnLimits>;

function buildAccount(options: Options = {}) {
  const clock = createManualClock();
  const account = new AccountLimiter({
    concurrency: 100,
    maxConcurrency: 100,
    timeoutMs: 60_000,
    clock,
    random: () => 0.5,
    ...options,
  });
  const open = (own: Partial<OwnLimits> = {}) =>
    account.open({ estimateTokens: () => ({ input: 5, output: 5 }), ...own });
  return { clock, open };
}

function build(options: Options = {}) {
  const { clock, open } = buildAccount(options);
  const { concurrency, maxConcurrency, rpm, tpm, estimateTokens } = options;
  const limiter = open({
    ...(concurrency === undefined || maxConcurrency !== undefined ? {} : { concurrency }),
    ...(rpm === undefined ? {} : { rpm }),
    ...(tpm === undefined ? {} : { tpm }),
    ...(estimateTokens === undefined ? {} : { estimateTokens }),
  });
  return { clock, limiter };
}

/** Asks for leases until the limiter holds one back. */
async function takeAll(limiter: Limiter, most = 50): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (let count = 0; count < most; count += 1) {
    void Promise.resolve(limiter.acquire(buildRequest(), neverAborted)).then((lease) => {
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

function telling(report: LimitReport, outcome: CompletionOutcome = completed()): CompletionOutcome {
  return { ...outcome, limits: [report] };
}

describe('AccountLimiter', () => {
  test('holds a provider to its own concurrency', async () => {
    const { limiter } = build({ concurrency: 3 });
    const leases = await takeAll(limiter);
    expect(leases).toHaveLength(3);
    leases[0]?.release(completed());
    await settleMicrotasks();
    expect(leases).toHaveLength(4);
  });

  test('all accounts together never have more calls in flight than the run allows, and take turns', async () => {
    const shared = new SharedSlots(4);
    const limiters = [3, 3, 3].map((concurrency) => build({ concurrency, shared }).limiter);
    const leases = await Promise.all(limiters.map((limiter) => takeAll(limiter, 3)));
    expect(shared.inUse).toBe(4);
    const counts = () => leases.map(({ length }) => length);
    for (let round = 0; round < 3; round += 1) {
      leases[0]?.[round]?.release(completed());
      await settleMicrotasks();
    }
    expect(shared.inUse).toBe(4);
    expect(counts()[1]).toBeGreaterThan(1);
    expect(counts()[2]).toBeGreaterThan(0);
  });

  test('a provider that waits for its rate keeps no shared slot from others', async () => {
    const shared = new SharedSlots(1);
    const { limiter: slow } = build({ concurrency: 5, rpm: 1, shared });
    const { limiter: fast } = build({ concurrency: 5, shared });
    (await takeOne(slow)).release(completed());
    void slow.acquire(buildRequest(), neverAborted);
    await settleMicrotasks();
    expect(shared.inUse).toBe(0);
    (await takeOne(fast)).release(completed());
  });

  test('rpm lets a tenth of the minute go at once and spaces the rest out', async () => {
    const { limiter, clock } = build({ rpm: 60 });
    const leases = await takeAll(limiter, 10);
    expect(leases).toHaveLength(6);
    await clock.advance(1100);
    expect(leases).toHaveLength(6);
    await clock.advance(100);
    expect(leases).toHaveLength(7);
    await clock.advance(60_000);
    expect(leases).toHaveLength(10);
  });

  test('tpm reserves the estimate', async () => {
    const { limiter, clock } = build({ tpm: 1000, estimateTokens: () => ({ input: 60, output: 40 }) });
    await takeOne(limiter);
    await clock.runUntil(takeOne(limiter));
    expect(clock.now()).toBeGreaterThan(5900);
    expect(clock.now()).toBeLessThan(7000);
  });

  test('what an answer did not use of its estimate goes to the call that is waiting', async () => {
    const { limiter, clock } = build({ tpm: 1000, estimateTokens: () => ({ input: 50, output: 50 }) });
    const first = await takeOne(limiter);
    const second = takeOne(limiter);
    await settleMicrotasks();
    first.release(completed({ usage: { inputTokens: 10, outputTokens: 10 } }));
    await clock.runUntil(second);
    expect(clock.now()).toBeGreaterThan(1000);
    expect(clock.now()).toBeLessThan(1700);
  });

  test('small requests do not overtake a large one without end', async () => {
    const sizes = [100, 100, 1, 1, 1];
    const { limiter, clock } = build({
      tpm: 1000,
      estimateTokens: ({ trial }) => ({ input: sizes[trial] ?? 0, output: 0 }),
    });
    const order: number[] = [];
    for (const trial of sizes.keys()) {
      void Promise.resolve(limiter.acquire(buildRequest({ trial }), neverAborted)).then(() => order.push(trial));
    }
    await clock.advance(60_000);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test('judges and prompts of one key share its rate; a smaller one of their own holds in addition', async () => {
    const { open } = buildAccount();
    const prompts = open({ rpm: 100 });
    const judge = open();
    const embeddings = open({ rpm: 20 });
    expect(await takeAll(embeddings)).toHaveLength(2);
    expect(await takeAll(judge)).toHaveLength(8);
    expect(await takeAll(prompts)).toHaveLength(0);
  });

  test('one that waits for its own limit does not hold up others of its key', async () => {
    const { open } = buildAccount();
    const judge = open({ concurrency: 1 });
    const prompts = open();
    expect(await takeAll(judge, 3)).toHaveLength(1);
    expect(await takeAll(prompts, 5)).toHaveLength(5);
  });

  test('an abort ends every wait without a lease, a slot or a timer left over', async () => {
    const controller = new AbortController();
    const shared = new SharedSlots(5);
    const { limiter, clock } = build({ concurrency: 2, rpm: 1, shared });
    const granted = await takeOne(limiter);
    const waiting = [1, 2, 3].map(async () => limiter.acquire(buildRequest(), controller.signal));
    await settleMicrotasks();
    expect(clock.pending).toBe(1);
    controller.abort();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
    granted.release(completed());
    expect(shared.inUse).toBe(0);
    expect(clock.pending).toBe(0);
    expect(await build().limiter.acquire(buildRequest(), controller.signal)).toBeUndefined();
  });

  test('an abort while the run is full leaves the provider all of its slots', async () => {
    const controller = new AbortController();
    const shared = new SharedSlots(1);
    const { limiter } = build({ concurrency: 2, shared });
    const other = await takeOne(build({ shared }).limiter);
    const waiting = limiter.acquire(buildRequest(), controller.signal);
    controller.abort();
    expect(await waiting).toBeUndefined();
    other.release(completed());
    expect(await takeAll(limiter)).toHaveLength(1);
  });
});

describe('what a server tells of its limits', () => {
  test('spaces calls out without a limit set by hand', async () => {
    const { limiter, clock } = build();
    (await takeOne(limiter)).release(telling({ unit: 'requests', limit: 60, remaining: 59, resetMs: 1000 }));
    const leases = await takeAll(limiter, 50);
    // Half of a minute at once, then one a second.
    expect(leases).toHaveLength(30);
    await clock.advance(5000);
    expect(leases).toHaveLength(35);
  });

  test('holds for tokens, which judges share', async () => {
    const { open } = buildAccount();
    const prompts = open();
    const judge = open();
    (await takeOne(prompts)).release(telling({ unit: 'tokens', limit: 200, remaining: 190, resetMs: 3000 }));
    expect(await takeAll(judge)).toHaveLength(10);
    expect(await takeAll(prompts)).toHaveLength(0);
  });

  test('leaves to others with the same key what they have used', async () => {
    const { limiter, clock } = build();
    (await takeOne(limiter)).release(telling({ unit: 'requests', limit: 60, remaining: 3, resetMs: 20_000 }));
    const leases = await takeAll(limiter, 10);
    expect(leases).toHaveLength(3);
    await clock.advance(2000);
    expect(leases).toHaveLength(5);
  });

  test('is kept where a later report leaves the limit out', async () => {
    const { limiter, clock } = build();
    (await takeOne(limiter)).release(telling({ unit: 'requests', limit: 60, remaining: 59, resetMs: 1000 }));
    (await takeOne(limiter)).release(telling({ unit: 'requests', remaining: 2, resetMs: 15_000 }));
    const leases = await takeAll(limiter, 50);
    expect(leases).toHaveLength(2);
    await clock.advance(15_000);
    expect(leases).toHaveLength(17);
  });

  test('a limit of a day does not set the pace, but nothing is sent while nothing is left', async () => {
    const { limiter, clock } = build();
    const day = { unit: 'requests', limit: 50, periodMs: 86_400_000 } as const;
    (await takeOne(limiter)).release(telling({ ...day, remaining: 40, resetMs: 1000 }));
    const leases = await takeAll(limiter, 40);
    expect(leases).toHaveLength(40);
    leases[1]?.release(telling({ ...day, remaining: 1, resetMs: 7000 }));
    expect(await takeAll(limiter, 1)).toHaveLength(1);
    leases[0]?.release(telling({ ...day, remaining: 0, resetMs: 7000 }));
    const later = await takeAll(limiter, 1);
    expect(later).toHaveLength(0);
    await clock.advance(7100);
    expect(later).toHaveLength(1);
  });
});

describe('refusals', () => {
  async function refuse(leases: readonly Lease[], retryAfterMs?: number): Promise<void> {
    for (const lease of leases) lease.release(failed('rateLimit', retryAfterMs === undefined ? {} : { retryAfterMs }));
    await settleMicrotasks();
  }

  test('cut the slots once where they pile up, for all calls in flight, and hold everything back for a while', async () => {
    const { limiter, clock } = build({ concurrency: 16 });
    const leases = await takeAll(limiter, 16);
    await refuse(leases);
    expect(limiter.room).toBe(12);
    const later = await takeAll(limiter, 20);
    expect(later).toHaveLength(0);
    await clock.advance(600);
    expect(later.length).toBeGreaterThan(0);
    await refuse(later);
    expect(limiter.room).toBe(12);
  });

  test('hold everything back for as long as the server asked, which waits longer the longer they go on', async () => {
    const { limiter, clock } = build({ concurrency: 8 });
    await refuse(await takeAll(limiter, 8), 5000);
    const next = takeOne(limiter);
    await clock.runUntil(next);
    expect(clock.now()).toBe(5000);
    const pauses: number[] = [];
    let lease = await next;
    for (let round = 0; round < 5; round += 1) {
      const fromMs = clock.now();
      lease.release(failed('rateLimit'));
      const again = takeOne(limiter);
      await clock.runUntil(again);
      pauses.push(clock.now() - fromMs);
      lease = await again;
    }
    expect(pauses).toEqual([1500, 4500, 13_500, 15_000, 15_000]);
  });

  test('cost no slot and no time where they come singly among answers', async () => {
    const { limiter, clock } = build({ concurrency: 8 });
    for (let call = 0; call < 200; call += 1) {
      const lease = await takeOne(limiter);
      lease.release(call % 7 === 3 ? failed(call % 2 === 0 ? 'rateLimit' : 'overloaded') : completed());
    }
    expect(limiter.room).toBe(8);
    expect(clock.now()).toBe(0);
  });

  test('leave one slot, never none', async () => {
    const { limiter, clock } = build({ concurrency: 2 });
    for (let round = 0; round < 12; round += 1) {
      const leases = await takeAll(limiter, limiter.room);
      await clock.advance(20_000);
      expect(leases.length).toBeGreaterThan(0);
      await refuse(leases);
    }
    expect(limiter.room).toBe(1);
  });

  test('let answers win the slots back, up to the configured number', async () => {
    const { limiter, clock } = build({ concurrency: 8 });
    await refuse(await takeAll(limiter, 8));
    expect(limiter.room).toBe(6);
    let asked = 0;
    const ask = async (): Promise<boolean> => {
      asked += 1;
      if (asked > 400) return false;
      const lease = await limiter.acquire(buildRequest(), neverAborted);
      await clock.wait(1000, neverAborted);
      lease?.release(completed());
      return true;
    };
    await clock.runUntil(runConcurrently(ask, () => limiter.room * 2));
    expect(limiter.room).toBe(8);
  });

  test('go on while single calls are tried at a distance, those with the most retries left first', async () => {
    const { limiter, clock } = build({ concurrency: 8 });
    await refuse(await takeAll(limiter, 8), 2000);
    const order: number[] = [];
    const leases: Lease[] = [];
    for (const retries of [3, 1, 2]) {
      void limiter.acquire(buildRequest(), neverAborted, retries).then((lease) => {
        order.push(retries);
        if (lease !== undefined) leases.push(lease);
        return lease;
      });
    }
    await clock.advance(2500);
    expect(order).toEqual([1]);
    await clock.advance(1000);
    expect(order).toEqual([1, 2]);
    leases[0]?.release(completed());
    await settleMicrotasks();
    expect(order).toEqual([1, 2, 3]);
  });

  test('pause for longer until enough calls are answered between them', async () => {
    const { limiter, clock } = build({ concurrency: 8 });
    const pauses: number[] = [];
    for (const answers of [3, 3, 40, 3]) {
      const fromMs = clock.now();
      await refuse(await takeAll(limiter, 3));
      const next = takeOne(limiter);
      await clock.runUntil(next);
      pauses.push(clock.now() - fromMs);
      (await next).release(completed());
      for (let call = 1; call < answers; call += 1) (await takeOne(limiter)).release(completed());
    }
    expect(pauses).toEqual([500, 1500, 4500, 500]);
  });

  test('say nothing of the load where they are of other kinds, or calls were never sent', async () => {
    const { limiter } = build({ concurrency: 4 });
    for (const kind of ['server', 'network', 'badRequest', 'timeout'] as const) {
      for (let count = 0; count < 10; count += 1) (await takeOne(limiter)).release(failed(kind));
    }
    for (let count = 0; count < 10; count += 1) (await takeOne(limiter)).release(failed('rateLimit', {}, 0));
    (await takeOne(limiter)).release(undefined);
    expect(limiter.room).toBe(4);
    expect(await takeAll(limiter)).toHaveLength(4);
  });
});

describe('without a limit of its own', () => {
  /** The rooms that a provider was given while it answered, each call after `latencyMs` of the number in flight. */
  async function run(latencyMs: (inFlight: number) => number, calls: number, timeoutMs = 60_000): Promise<number[]> {
    const { limiter, clock } = build({ concurrency: 8, maxConcurrency: 256, timeoutMs });
    const rooms: number[] = [];
    let asked = 0;
    let inFlight = 0;
    const ask = async (): Promise<boolean> => {
      asked += 1;
      if (asked > calls) return false;
      const lease = await limiter.acquire(buildRequest(), neverAborted);
      inFlight += 1;
      await clock.wait(latencyMs(inFlight) * (0.8 + 0.4 * ((asked * 0.618) % 1)), neverAborted);
      inFlight -= 1;
      lease?.release(completed());
      rooms.push(limiter.room);
      return true;
    };
    await clock.runUntil(runConcurrently(ask, () => limiter.room * 2));
    return rooms;
  }

  test('a provider starts with its eight and takes more while that gets more answered', { tags: 'slow' }, async () => {
    const rooms = await run(() => 1000, 1500);
    expect(rooms[0]).toBe(8);
    expect(Math.max(...rooms)).toBe(256);
  });

  test('one whose answers take longer in proportion stays where it was', async () => {
    const rooms = await run((inFlight) => 100 * inFlight, 500);
    expect(Math.max(...rooms)).toBeLessThanOrEqual(16);
    expect(rooms.filter((room) => room === 8).length).toBeGreaterThan(350);
  });

  test('one whose answers would no longer fit into the time limit does not grow', async () => {
    expect(Math.max(...(await run(() => 38_000, 60)))).toBe(8);
  });
});

test('never lets more calls run than configured, whatever they come to, and forgets none', async () => {
  const outcome: fc.Arbitrary<CompletionOutcome> = fc.constantFrom(
    completed(),
    failed('rateLimit'),
    failed('rateLimit', { retryAfterMs: 700 }),
    failed('server'),
    telling({ unit: 'requests', limit: 30, remaining: 3, resetMs: 4000 }),
    telling({ unit: 'tokens', limit: 500, remaining: 0, resetMs: 60_000 }, failed('rateLimit')),
  );
  const provider = fc.record({
    concurrency: fc.integer({ min: 1, max: 5 }),
    outcomes: fc.array(outcome, { maxLength: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(provider, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 6 }),
      async (all, most) => {
        const shared = new SharedSlots(most);
        const { clock, open } = buildAccount({ shared });
        let runningInAll = 0;
        const calls = all.flatMap(({ concurrency, outcomes }) => {
          const limiter = open({ concurrency });
          let running = 0;
          return outcomes.map(async (result, index) => {
            const lease = await limiter.acquire(buildRequest(), neverAborted);
            running += 1;
            runningInAll += 1;
            expect(running).toBeLessThanOrEqual(concurrency);
            expect(runningInAll).toBeLessThanOrEqual(most);
            await clock.wait(1 + (index % 7), neverAborted);
            running -= 1;
            runningInAll -= 1;
            lease?.release(result);
          });
        });
        await clock.runUntil(Promise.all(calls));
        expect(shared.inUse).toBe(0);
        expect(clock.pending).toBe(0);
      },
    ),
    { numRuns: 40 },
  );
});
