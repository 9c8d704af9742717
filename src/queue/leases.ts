import type { QueuedLimits } from '../model/queue.ts';
import { keys } from './keys.ts';
import type { Scripts } from './scripts.ts';

/** The right to make one call, counted in Redis among those of all workers and runs. */
export interface HeldLease {
  /** Aborted where the call must end: its lease can't be held any longer, or the worker gives it back. */
  readonly signal: AbortSignal;
  /** With the tokens that were really used, where that is known. */
  release(usedTokens: number | undefined): void;
}

export interface Leases {
  /** Waits until there is room; undefined where the signal aborted first. */
  acquire(ask: LeaseAsk, signal: AbortSignal): Promise<HeldLease | undefined>;
  /** Tells Redis of every call in flight. */
  renew(): Promise<void>;
  /** Ends the calls whose leases could run out: Redis may give their places to others. */
  endStale(): void;
  /** Ends calls: all, or those that are asked for. */
  abort(reason: EndReason, isMeant?: (call: string) => boolean): void;
  readonly held: number;
}

/** Why a call was ended before its answer. */
export type EndReason = 'cut off' | 'drained' | 'dropped';

export interface LeaseAsk {
  /** The call's name, the same for whoever makes it. */
  readonly call: string;
  /** Hash of address, key and provider. */
  readonly lane: string;
  /** Hash of address and key. */
  readonly account: string;
  readonly limits: QueuedLimits;
  readonly tokens: number;
}

export interface LeaseOptions {
  readonly scripts: Scripts;
  readonly workerId: string;
  readonly leaseMs: number;
  /** The present life of the server; undefined where there is no connection. */
  readonly serverId: () => string | undefined;
  readonly nowMs: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface Held {
  readonly lane: string;
  readonly call: string;
  readonly controller: AbortController;
  validUntilMs: number;
}

/** A call ends so long before its lease does, as a share of the lease: to end it takes time, too. */
const marginShare = 0.2;
const reconnectPollMs = 100;

export function createLeases(options: LeaseOptions): Leases {
  const { scripts, workerId, leaseMs, serverId, nowMs } = options;
  const held = new Map<string, Held>();
  let asked = 0;

  function hold(member: string, ask: LeaseAsk, second: number, askedMs: number): HeldLease {
    const entry: Held = {
      lane: ask.lane,
      call: ask.call,
      controller: new AbortController(),
      validUntilMs: askedMs + leaseMs,
    };
    held.set(member, entry);
    return {
      signal: entry.controller.signal,
      release(usedTokens) {
        held.delete(member);
        const difference = usedTokens === undefined ? 0 : Math.round(usedTokens) - ask.tokens;
        // Where there is no connection the lease runs out by itself.
        void attempt(() =>
          scripts.release(
            [keys.leases(ask.lane), keys.tokens(ask.lane), keys.tokens(ask.account)],
            [member, second, difference],
          ),
        );
      },
    };
  }

  async function attempt(command: () => Promise<unknown>): Promise<unknown> {
    try {
      return await command();
    } catch {
      return undefined;
    }
  }

  return {
    get held() {
      return held.size;
    },
    async acquire(ask, signal) {
      asked += 1;
      const member = `${ask.call} ${workerId} ${asked}`;
      const { concurrency = '', rpm = '', tpm = '', accountRpm = '', accountTpm = '' } = ask.limits;
      while (!signal.aborted) {
        const server = serverId();
        const askedMs = nowMs();
        const reply =
          server === undefined
            ? undefined
            : await attempt(() =>
                scripts.acquire(
                  [
                    keys.leases(ask.lane),
                    keys.requests(ask.lane),
                    keys.tokens(ask.lane),
                    keys.requests(ask.account),
                    keys.tokens(ask.account),
                    keys.server,
                    keys.workers,
                    keys.seen,
                  ],
                  [member, leaseMs, server, concurrency, rpm, tpm, accountRpm, accountTpm, ask.tokens],
                ),
              );
        // A reply that came too late is none: the lease may be gone.
        const isFresh = nowMs() - askedMs < leaseMs * marginShare;
        if (typeof reply === 'number' && reply < 0 && isFresh) {
          const lease = hold(member, ask, -reply, askedMs);
          if (!signal.aborted) return lease;
          lease.release(0);
          return undefined;
        }
        // What was granted too late to be counted on is given back.
        if (typeof reply === 'number' && reply < 0) {
          await attempt(() =>
            scripts.release(
              [keys.leases(ask.lane), keys.tokens(ask.lane), keys.tokens(ask.account)],
              [member, -reply, -ask.tokens],
            ),
          );
        }
        await options.wait(typeof reply === 'number' && reply > 0 ? reply : reconnectPollMs, signal);
      }
      return undefined;
    },
    async renew() {
      const byLane = new Map<string, string[]>();
      for (const [member, { lane }] of held) {
        const members = byLane.get(lane);
        if (members === undefined) byLane.set(lane, [member]);
        else members.push(member);
      }
      for (const [lane, members] of byLane) {
        const sentMs = nowMs();
        await scripts.renew([keys.leases(lane)], [leaseMs, ...members]);
        for (const member of members) {
          const entry = held.get(member);
          if (entry !== undefined) entry.validUntilMs = sentMs + leaseMs;
          // It ended while it was renewed, and must not stay.
          else await scripts.release([keys.leases(lane), keys.tokens(lane), keys.tokens(lane)], [member, 0, 0]);
        }
      }
    },
    endStale() {
      const latestMs = nowMs() + leaseMs * marginShare;
      for (const { controller, validUntilMs } of held.values()) {
        if (validUntilMs < latestMs) controller.abort(new EndedCall('cut off'));
      }
    },
    abort(reason, isMeant = () => true) {
      for (const { call, controller } of held.values()) if (isMeant(call)) controller.abort(new EndedCall(reason));
    },
  };
}

/** The reason of a lease's signal. */
export class EndedCall extends Error {
  readonly end: EndReason;

  constructor(end: EndReason) {
    super(`the call was ended: ${end}`);
    this.name = 'EndedCall';
    this.end = end;
  }
}
