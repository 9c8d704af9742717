import type { Complete, CompletionOutcome, LimitReport, ProviderFailure } from '../../src/model/run/completion.ts';
import { completed, failed } from './build-case.ts';
import type { ManualClock } from './manual-clock.ts';

/** How a server counts the requests of a minute. */
export type Counting = 'bucket' | 'fixed' | 'sliding';

export interface LimitedServerOptions {
  readonly clock: ManualClock;
  readonly counting: Counting;
  readonly rpm: number;
  readonly concurrency: number;
  /** Of an answer; a refusal takes a millisecond. */
  readonly latencyMs: (index: number) => number;
  readonly tellsLimits: boolean;
  readonly tellsRetryAfter: boolean;
}

export interface LimitedServer {
  readonly complete: Complete;
  /** When each request was admitted, and refused. */
  readonly admittedMs: readonly number[];
  readonly refusedMs: readonly number[];
  readonly mostInFlight: number;
}

/** A provider with limits, in the clock's time. */
export function createLimitedServer(options: LimitedServerOptions): LimitedServer {
  const { clock, rpm } = options;
  const counter = counters[options.counting](rpm);
  const admittedMs: number[] = [];
  const refusedMs: number[] = [];
  let inFlight = 0;
  let mostInFlight = 0;

  function report(nowMs: number): { readonly limits?: readonly LimitReport[] } {
    if (!options.tellsLimits) return {};
    const { remaining, resetMs } = counter.tell(nowMs);
    return { limits: [{ unit: 'requests', limit: rpm, remaining, resetMs }] };
  }

  function refuse(waitMs: number, nowMs: number): CompletionOutcome {
    refusedMs.push(nowMs);
    const asked: Partial<ProviderFailure> = options.tellsRetryAfter ? { retryAfterMs: Math.ceil(waitMs) } : {};
    return { ...failed('rateLimit', { status: 429, ...asked }), ...report(nowMs) };
  }

  return {
    admittedMs,
    refusedMs,
    get mostInFlight() {
      return mostInFlight;
    },
    async complete(_request, signal) {
      const nowMs = clock.now();
      const isFull = inFlight >= options.concurrency;
      const waitMs = isFull ? 1000 : counter.take(nowMs);
      if (waitMs > 0) {
        const refusal = refuse(waitMs, nowMs);
        await clock.wait(1, signal);
        return refusal;
      }
      admittedMs.push(nowMs);
      inFlight += 1;
      mostInFlight = Math.max(mostInFlight, inFlight);
      const told = report(nowMs);
      await clock.wait(options.latencyMs(admittedMs.length), signal);
      inFlight -= 1;
      return signal.aborted ? failed('aborted') : { ...completed(), ...told };
    },
  };
}

interface Counter {
  /** 0: counted; else the milliseconds until there is room. */
  take(nowMs: number): number;
  tell(nowMs: number): { readonly remaining: number; readonly resetMs: number };
}

const minuteMs = 60_000;

const counters: Readonly<Record<Counting, (rpm: number) => Counter>> = {
  bucket(rpm) {
    let level = rpm;
    let atMs = 0;
    const fill = (nowMs: number) => {
      level = Math.min(rpm, level + ((nowMs - atMs) * rpm) / minuteMs);
      atMs = nowMs;
    };
    return {
      take(nowMs) {
        fill(nowMs);
        if (level < 1) return ((1 - level) * minuteMs) / rpm;
        level -= 1;
        return 0;
      },
      tell(nowMs) {
        fill(nowMs);
        return { remaining: Math.floor(level), resetMs: ((rpm - level) * minuteMs) / rpm };
      },
    };
  },
  fixed(rpm) {
    // The server's windows don't begin with our run.
    const offsetMs = 23_000;
    let window = -1;
    let count = 0;
    const move = (nowMs: number) => {
      const current = Math.floor((nowMs + offsetMs) / minuteMs);
      if (current === window) return;
      window = current;
      count = 0;
    };
    const leftMs = (nowMs: number) => (window + 1) * minuteMs - offsetMs - nowMs;
    return {
      take(nowMs) {
        move(nowMs);
        if (count >= rpm) return leftMs(nowMs);
        count += 1;
        return 0;
      },
      tell(nowMs) {
        move(nowMs);
        return { remaining: rpm - count, resetMs: leftMs(nowMs) };
      },
    };
  },
  sliding(rpm) {
    const times: number[] = [];
    const forget = (nowMs: number) => {
      while ((times[0] ?? Infinity) <= nowMs - minuteMs) times.shift();
    };
    return {
      take(nowMs) {
        forget(nowMs);
        const [oldest = 0] = times;
        if (times.length >= rpm) return oldest + minuteMs - nowMs;
        times.push(nowMs);
        return 0;
      },
      tell(nowMs) {
        forget(nowMs);
        return { remaining: rpm - times.length, resetMs: (times[0] ?? nowMs) + minuteMs - nowMs };
      },
    };
  },
};
