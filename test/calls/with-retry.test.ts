import { describe, expect, test } from 'vitest';
import { AccountLimiter } from '../../src/calls/limiter.ts';
import { SharedSlots } from '../../src/calls/shared-slots.ts';
import { timeAttempts } from '../../src/calls/time-attempts.ts';
import { type RetryOptions, withRetry } from '../../src/calls/with-retry.ts';
import { type Complete, type CompletionOutcome, maxRetryAfterMs } from '../../src/model/run/completion.ts';
import { buildRequest, completed, failed, neverAborted } from '../support/build-case.ts';
import { createManualClock, type ManualClock, settleMicrotasks } from '../support/manual-clock.ts';

function build(next: Complete, options: Partial<RetryOptions> & { concurrency?: number; rpm?: number } = {}) {
  const clock = createManualClock();
  const shared = new SharedSlots(100);
  const { concurrency = 10, rpm, ...rest } = options;
  const limits = { concurrency, ...(rpm === undefined ? {} : { rpm }) };
  const account = new AccountLimiter({
    concurrency: 8,
    maxConcurrency: 8,
    timeoutMs: 60_000,
    shared,
    clock,
    random: () => 0.5,
  });
  const limiter = account.open({ ...limits, estimateTokens: () => ({ input: 0, output: 0 }) });
  const retrying = { retries: 4, timeoutMs: 60_000, limiter, clock, random: () => 0.5, ...rest };
  const complete = withRetry(timeAttempts(next, retrying.clock), retrying);
  return { clock, shared, complete, run: (signal = neverAborted) => complete(buildRequest(), signal) };
}

/** Gives one outcome after the other, the last one for ever. */
function answering(...outcomes: readonly CompletionOutcome[]): Complete & { calls: number } {
  const complete = async () => {
    const outcome = outcomes[Math.min(complete.calls, outcomes.length - 1)];
    complete.calls += 1;
    if (outcome === undefined) throw new Error('no outcome was given');
    return outcome;
  };
  complete.calls = 0;
  return complete;
}

/** Answers after some time, or as a provider does whose request was aborted. */
function answeringAfter(ms: number, clockOf: () => ManualClock, outcome: CompletionOutcome = completed()): Complete {
  return async (_request, signal) => {
    await clockOf().wait(ms, signal);
    if (!signal.aborted) return outcome;
    const isTimeout = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
    return failed(isTimeout ? 'timeout' : 'aborted');
  };
}

describe('withRetry', () => {
  test('an answer is passed on as it came', async () => {
    const { run } = build(answering(completed({ text: 'sales' })));
    expect(await run()).toEqual(completed({ text: 'sales' }));
  });

  test.each(['rateLimit', 'overloaded', 'server', 'network'] as const)('%s is asked again', async (kind) => {
    const next = answering(failed(kind), failed(kind), completed());
    const { clock, run } = build(next);
    expect(await clock.runUntil(run())).toMatchObject({ status: 'completed', attempts: 3 });
    expect(next.calls).toBe(3);
  });

  test.each([
    'auth',
    'notFound',
    'badRequest',
    'contextLength',
    'contentFilter',
    'quota',
    'malformed',
    'recording',
    'cacheMiss',
    'check',
    'budget',
    'aborted',
  ] as const)('%s is not asked again', async (kind) => {
    const next = answering(failed(kind), completed());
    const { clock, run } = build(next);
    expect(await clock.runUntil(run())).toMatchObject({ status: 'failed', failure: { kind }, attempts: 1 });
    expect(next.calls).toBe(1);
  });

  test('a server that says a retry is useless is believed', async () => {
    const next = answering(failed('server', { retryable: false }), completed());
    expect(await build(next).run()).toMatchObject({ status: 'failed', failure: { kind: 'server' }, attempts: 1 });
  });

  test('returns the last failure once the retries are used up, with every attempt booked', async () => {
    const next = answering(failed('rateLimit'), failed('server', { status: 503 }));
    const { clock, run } = build(next, { retries: 2 });
    expect(await clock.runUntil(run())).toEqual({ ...failed('server', { status: 503 }), attempts: 3 });
  });

  test('no retries means one attempt', async () => {
    const next = answering(failed('server'), completed());
    expect(await build(next, { retries: 0 }).run()).toMatchObject({ status: 'failed', attempts: 1 });
  });

  test('failures that sent nothing use up the retries too', async () => {
    const next = answering(failed('network', {}, 0));
    const { clock, run } = build(next, { retries: 3 });
    expect(await clock.runUntil(run())).toMatchObject({ status: 'failed', attempts: 0 });
    expect(next.calls).toBe(4);
  });

  test('waits with full jitter under a doubling bound', async () => {
    const next = answering(failed('server'));
    const halves = build(next);
    await halves.clock.runUntil(halves.run());
    expect(halves.clock.waits).toEqual([250, 500, 1000, 2000]);
    const atOnce = build(next, { random: () => 0 });
    await atOnce.clock.runUntil(atOnce.run());
    expect(atOnce.clock.waits).toEqual([0, 0, 0, 0]);
  });

  test('the bound of the wait stops at 30 seconds', async () => {
    const { clock, run } = build(answering(failed('server')), { retries: 12 });
    await clock.runUntil(run());
    expect(Math.max(...clock.waits)).toBe(15_000);
  });

  test('waits as long as the server asked for, up to a cap, and longer once that was too short twice', async () => {
    const next = answering(
      failed('rateLimit', { retryAfterMs: 1234 }),
      failed('rateLimit', { retryAfterMs: 3_600_000 }),
      failed('rateLimit', { retryAfterMs: -5 }),
      completed(),
    );
    const { clock, run } = build(next);
    await clock.runUntil(run());
    expect(clock.waits).toEqual([1234, maxRetryAfterMs, 1000]);
  });

  test('the time limit bounds all attempts together and leaves waits out', async () => {
    let outcome = failed('server');
    const next: Complete = (request, signal) => answeringAfter(400, () => clock, outcome)(request, signal);
    const { clock, run } = build(next, { timeoutMs: 1000, random: () => 0.999 });
    const result = await clock.runUntil(run());
    expect(result).toMatchObject({ status: 'failed', failure: { kind: 'timeout' }, attempts: 3 });
    // 400 + 400 + 200 ms of attempts, and waits of about 500 and 1000 ms that cost nothing of the limit.
    expect(clock.now()).toBeGreaterThan(2400);
    expect(clock.now()).toBeLessThan(2600);
    outcome = completed();
    expect(await clock.runUntil(run())).toMatchObject({ status: 'completed' });
  });

  test('a call that timed out ends neither the calls beside it nor those after it', async () => {
    let calls = 0;
    const next: Complete = async (request, signal) => {
      calls += 1;
      return answeringAfter(calls === 2 ? 5000 : 800, () => clock)(request, signal);
    };
    const { clock, run } = build(next, { timeoutMs: 1000, retries: 0 });
    expect(await clock.runUntil(run())).toMatchObject({ status: 'completed' });
    const [slow, quick] = await clock.runUntil(Promise.all([run(), run()]));
    expect(slow).toMatchObject({ status: 'failed', failure: { kind: 'timeout' } });
    expect(quick).toMatchObject({ status: 'completed' });
    expect(await clock.runUntil(run())).toMatchObject({ status: 'completed' });
  });

  test('a timeout names the limit, whatever the provider calls it', async () => {
    const never: Complete = async (_request, signal) => {
      await clock.wait(1e9, signal);
      return failed('aborted');
    };
    const { clock, run } = build(never, { timeoutMs: 2500 });
    expect(await clock.runUntil(run())).toMatchObject({
      status: 'failed',
      failure: { kind: 'timeout', message: expect.stringContaining('2.5 s') },
      attempts: 1,
    });
  });

  test('a timer that fires before the clock agrees allows no further attempt', async () => {
    let calls = 0;
    const next: Complete = async (_request, signal) => {
      calls += 1;
      await clock.wait(1e9, signal);
      return failed('timeout');
    };
    const { clock, run } = build(next, {
      timeoutMs: 1000,
      clock: {
        now: () => clock.now(),
        wait: (...wait) => clock.wait(...wait),
        startTimer: (ms, fire) => clock.startTimer(ms - 1, fire),
      },
    });
    await clock.runUntil(run());
    expect(calls).toBe(1);
  });

  test('the wait for a slot and for the rate is outside the time limit', async () => {
    const next: Complete = (request, signal) => answeringAfter(900, () => clock)(request, signal);
    const { clock, run } = build(next, { timeoutMs: 1000, concurrency: 1, rpm: 2 });
    const results = await clock.runUntil(Promise.all([run(), run(), run()]));
    expect(results.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
    expect(clock.now()).toBeGreaterThan(30_000);
  });

  test('a call that waits for its retry leaves its slot to others', async () => {
    const next = answering(failed('server', { retryAfterMs: 10_000 }), completed());
    const { clock, shared, run } = build(next, { concurrency: 1 });
    const slow = run();
    await settleMicrotasks();
    expect(shared.inUse).toBe(0);
    expect(await run()).toMatchObject({ status: 'completed' });
    expect(clock.now()).toBe(0);
    expect(await clock.runUntil(slow)).toMatchObject({ status: 'completed', attempts: 2 });
  });

  test('an abort between the slot and the attempt is not lost', async () => {
    const controller = new AbortController();
    const seen: boolean[] = [];
    const next: Complete = async (_request, signal) => {
      seen.push(signal.aborted);
      return failed('aborted');
    };
    const limiter: RetryOptions['limiter'] = {
      refusedForMs: 0,
      room: 1,
      acquire: async () => {
        controller.abort();
        return { release: () => {} };
      },
    };
    await build(next, { limiter }).run(controller.signal);
    expect(seen).toEqual([true]);
  });

  test('an abort during the wait for a retry is an abort, not the failure that was to be retried', async () => {
    const controller = new AbortController();
    const next = answering(failed('rateLimit', { retryAfterMs: 30_000 }));
    const { clock, run } = build(next);
    const call = run(controller.signal);
    await settleMicrotasks();
    controller.abort();
    expect(await call).toMatchObject({ status: 'failed', failure: { kind: 'aborted' }, attempts: 1 });
    expect(next.calls).toBe(1);
    expect(clock.now()).toBe(0);
  });

  test('an abort leaves a failure that would not have been retried as it is', async () => {
    const controller = new AbortController();
    const next: Complete = async () => {
      controller.abort();
      return failed('badRequest');
    };
    expect(await build(next).run(controller.signal)).toMatchObject({ failure: { kind: 'badRequest' } });
  });

  test('nothing is sent for a signal that is aborted already', async () => {
    const next = answering(completed());
    expect(await build(next).run(AbortSignal.abort())).toMatchObject({ failure: { kind: 'aborted' }, attempts: 0 });
    expect(next.calls).toBe(0);
  });

  test('a bug in the provider is thrown, with its slot and its timer given back', async () => {
    const { clock, shared, run } = build(async () => {
      throw new TypeError('a bug');
    });
    await expect(run()).rejects.toThrow('a bug');
    expect(shared.inUse).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('reports when a pause begins and when it ends', async () => {
    const told: (string | number)[] = [];
    const { clock, run } = build(answering(failed('server'), failed('network'), completed()), {
      onWait: (waitMs, { kind }) => {
        told.push(kind, waitMs);
        return () => told.push('over');
      },
    });
    await clock.runUntil(run());
    expect(told).toEqual(['server', 250, 'over', 'network', 500, 'over']);
  });

  test.each([
    [10_000, 60],
    [60_000, 120],
  ])(
    'waits of retries under a time limit of %i ms take %i s in all, and the failure says so',
    async (timeoutMs, most) => {
      const next = answering(failed('rateLimit', { retryAfterMs: 3e11 }));
      const { clock, run } = build(next, { timeoutMs, retries: 50 });
      const outcome = await clock.runUntil(run());
      expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'rateLimit' }, attempts: most / 60 + 1 });
      expect(outcome.status === 'failed' && outcome.failure.message).toContain(
        `; the waits of its retries took ${most} s, the most for a call (a minute, or twice --timeout or limits.timeout)`,
      );
      expect(clock.waits.reduce((sum, ms) => sum + ms, 0)).toBe(most * 1000);
    },
  );

  test('a time limit says what had come, and keeps what else is known of the failure', async () => {
    const partial = 'what had come: 3 characters';
    const usage = { inputTokens: 1, outputTokens: 2 };
    const { clock, run } = build(
      async (_request, signal) => {
        await clock.wait(90_000, signal);
        return { status: 'failed', attempts: 1, failure: { kind: 'timeout', message: 'x', partial, usage } };
      },
      { retries: 0 },
    );
    expect(await clock.runUntil(run())).toMatchObject({
      failure: {
        kind: 'timeout',
        message: `no answer within 60 s (--timeout, or limits.timeout of the provider); ${partial}`,
        usage,
      },
    });
  });

  test('a failure of its own is kept where the time is up meanwhile', async () => {
    const { clock, run } = build(
      async (_request, signal) => {
        await clock.wait(90_000, signal);
        return failed('auth');
      },
      { retries: 0 },
    );
    expect(await clock.runUntil(run())).toMatchObject({ failure: { kind: 'auth' } });
  });
});
