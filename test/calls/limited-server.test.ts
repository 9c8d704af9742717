import { describe, expect, test } from 'vitest';
import { AccountLimiter } from '../../src/calls/limiter.ts';
import { runConcurrently } from '../../src/calls/run-concurrently.ts';
import { timeAttempts } from '../../src/calls/time-attempts.ts';
import { createBreaker } from '../../src/calls/with-breaker.ts';
import { withRetry } from '../../src/calls/with-retry.ts';
import type { ProviderFailure } from '../../src/model/run/completion.ts';
import { buildRequest, failed, neverAborted } from '../support/build-case.ts';
import { type Counting, createLimitedServer } from '../support/limited-server.ts';
import { createManualClock } from '../support/manual-clock.ts';

const minuteMs = 60_000;

interface Finding {
  /** Answers a minute after the first minute. */
  readonly perMinute: number;
  /** Of the requests after the first minute. */
  readonly refusedShare: number;
  readonly lost: number;
  readonly mostInFlight: number;
}

/** Three minutes of a provider that allows 600 requests a minute and 50 at once, with nothing configured. */
async function run(
  counting: Counting,
  latencyMs: number,
  tells: { limits: boolean; retryAfter: boolean },
): Promise<Finding> {
  const clock = createManualClock();
  let seed = 7;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const server = createLimitedServer({
    clock,
    counting,
    rpm: 600,
    concurrency: 50,
    latencyMs: () => latencyMs * (0.6 + 0.8 * random()),
    tellsLimits: tells.limits,
    tellsRetryAfter: tells.retryAfter,
  });
  const limiter = new AccountLimiter({
    concurrency: 8,
    maxConcurrency: 256,
    timeoutMs: minuteMs,
    clock,
    random,
  }).open({
    estimateTokens: () => ({ input: 10, output: 10 }),
  });
  let waiting = 0;
  let lost = 0;
  const answeredMs: number[] = [];
  const complete = withRetry(timeAttempts(server.complete, clock), {
    retries: 4,
    timeoutMs: minuteMs,
    limiter,
    clock,
    random,
    onWait: () => {
      waiting += 1;
      return () => {
        waiting -= 1;
      };
    },
  });
  const endMs = 3 * minuteMs;
  const ask = async (): Promise<boolean> => {
    if (clock.now() >= endMs) return false;
    const outcome = await complete(buildRequest(), neverAborted);
    if (outcome.status === 'completed') answeredMs.push(clock.now());
    else lost += 1;
    return true;
  };
  await clock.runUntil(runConcurrently(ask, () => limiter.room * 2 + waiting));
  const later = (times: readonly number[]) => times.filter((ms) => ms >= minuteMs && ms < endMs).length;
  const refused = later(server.refusedMs);
  return {
    perMinute: later(answeredMs) / 2,
    refusedShare: refused / (refused + later(server.admittedMs)),
    lost,
    mostInFlight: server.mostInFlight,
  };
}

describe.each<Counting>(['bucket', 'fixed', 'sliding'])('a server that counts by %s', (counting) => {
  test.each([100, 4000])(
    'and tells its limits is used to 85 %% at %i ms, with hardly a refusal',
    { tags: ['slow'] },
    async (latencyMs) => {
      const found = await run(counting, latencyMs, { limits: true, retryAfter: true });
      expect(found.perMinute).toBeGreaterThan(510);
      expect(found.refusedShare).toBeLessThan(0.05);
      expect(found.lost).toBe(0);
    },
  );

  test.each([
    [20, false],
    [100, false],
    [1000, true],
    [4000, false],
  ])('and tells no limits is used to more than 55 %% at %i ms, and nothing is lost', async (latencyMs, retryAfter) => {
    const found = await run(counting, latencyMs, { limits: false, retryAfter });
    expect(found.perMinute).toBeGreaterThan(400);
    expect(found.refusedShare).toBeLessThan(0.2);
    expect(found.lost).toBe(0);
  });
});

describe('a server that refuses every call, and names a wait of years', () => {
  test.each([
    [1, 10_000, 60],
    [8, 10_000, 130],
    [100, 10_000, 130],
    [100, 60_000, 190],
  ])('holds %i calls with a time limit of %i ms for %i s at most', async (calls, timeoutMs, mostSeconds) => {
    const clock = createManualClock();
    const random = () => 0.5;
    const account = new AccountLimiter({ concurrency: 8, maxConcurrency: 256, timeoutMs, clock, random });
    const limiter = account.open({ estimateTokens: () => ({ input: 10, output: 10 }) });
    const stops: ProviderFailure[] = [];
    const boundMs = Math.max(60_000, 2 * timeoutMs);
    const breaker = createBreaker(
      (failure) => stops.push(failure),
      () => limiter.refusedForMs >= boundMs,
    );
    const refusing = breaker(async () => failed('rateLimit', { retryAfterMs: 3e11 }), 'attempt');
    const retried = withRetry(timeAttempts(refusing, clock), { retries: 4, timeoutMs, limiter, clock, random });
    const complete = breaker(retried, 'call');
    await clock.runUntil(Promise.all(Array.from({ length: calls }, () => complete(buildRequest(), neverAborted))));
    expect(clock.now()).toBeLessThanOrEqual(mostSeconds * 1000);
    expect(stops[0]?.message).toMatch(
      / (?:60|120) s, the most (?:that a run waits|for a call) \(a minute, or twice --timeout/,
    );
  });
});
