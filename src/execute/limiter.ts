import { onAbort } from '../lib/on-abort.ts';
import type { CompletionOutcome, CompletionRequest, FailureKind } from '../model/completion.ts';
import {
  createAccountBudgets,
  type OwnRates,
  type Receipt,
  type Spender,
  type TokenEstimate,
} from './account-budgets.ts';
import { createAdaptiveSize } from './adaptive-size.ts';
import type { Clock } from './clock.ts';
import { createRateGovernor } from './rate-governor.ts';
import { createRefusalDetector } from './refusal-detector.ts';
import type { SharedSlots } from './shared-slots.ts';

/** The limits of one key at one address: what is asked with it shares them, whatever it is asked for. */
export interface AccountLimits {
  /** For one provider or judge, with what its own configuration says. */
  open(own: OwnLimits): Limiter;
}

export interface AccountOptions {
  /** Calls in flight of those that have no limit set by hand: to begin with, and where more get more answered. */
  readonly concurrency: number;
  readonly maxConcurrency: number;
  /** Of a call. */
  readonly timeoutMs: number;
  /** Slots of all accounts of the run; undefined: nothing bounds them together. */
  readonly shared?: SharedSlots;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
}

export interface OwnLimits extends OwnRates {
  /** Calls of this provider in flight, at most, as set by hand. */
  readonly concurrency?: number;
  estimateTokens(request: CompletionRequest): TokenEstimate;
}

/** Holds attempts back until their provider, their account and the run have room. */
export interface Limiter {
  /** A lease at once where there is room; undefined where the signal aborted first. `retries`: how often it was retried. */
  acquire(
    request: CompletionRequest,
    signal: AbortSignal,
    retries?: number,
  ): Lease | undefined | Promise<Lease | undefined>;
  /** Calls that may be in flight at present. */
  readonly room: number;
}

/** The right to make one attempt; to be given back with what came of it. */
export interface Lease {
  release(outcome: CompletionOutcome | undefined): void;
}

/** Where refusals pile up, nothing is sent for so long, and three times longer while they go on, unless the server names a time. */
const firstPauseMs = 500;
const longestPauseMs = 15_000;
/** A server that asks for more is asked again after this long: a run must not sleep for an hour on one header. */
const longestAskedPauseMs = 60_000;

const refusals: ReadonlySet<FailureKind> = new Set(['rateLimit', 'overloaded']);
const noTokens: TokenEstimate = { input: 0, output: 0 };

interface Waiting {
  readonly estimate: TokenEstimate;
  readonly retries: number;
  readonly resolve: (lease: Lease | undefined) => void;
  stopListening: () => void;
}

/** The calls of one provider or judge, in the order of their asking. */
interface Queue {
  readonly most: number;
  readonly spender: Spender;
  readonly waiting: Waiting[];
  inFlight: number;
}

interface Sent {
  readonly estimate: TokenEstimate;
  readonly sentMs: number;
  readonly receipt: Receipt | undefined;
  /** Its number among the account's calls. */
  readonly call: number;
  readonly episode: number;
  readonly regime: number;
}

export function createAccountLimits(options: AccountOptions): AccountLimits {
  const { clock, shared } = options;
  const slots = createAdaptiveSize(options.timeoutMs);
  const budgets = createAccountBudgets();
  const detector = createRefusalDetector();
  const governor = createRateGovernor();
  const queues: Queue[] = [];
  let nextQueue = 0;
  let setByHand = 0;
  let isAnyUnset = false;
  let waitingCalls = 0;
  let inFlight = 0;
  /** When all slots were last taken. */
  let lastFullMs = Number.NEGATIVE_INFINITY;
  /** A call waited for a slot since the last answer. */
  let isFull = false;
  let stopTimer: (() => void) | undefined;
  // Refusals that pile up make an episode; it ends with the answer to a call that was sent after it began.
  let episode = 0;
  let isEpisodeOpen = false;
  /** The rate of the server is being looked for, so that a call may be refused again. */
  let isSeeking = false;
  let pauses = 0;
  let pausedUntilMs = 0;

  /** Milliseconds until the account has room; infinite: until a call ends. */
  function accountWaitMs(nowMs: number): number {
    if (inFlight >= slots.size) {
      isFull = true;
      return Number.POSITIVE_INFINITY;
    }
    return nowMs < pausedUntilMs ? pausedUntilMs - nowMs : governor.waitMs(nowMs);
  }

  function queueWaitMs({ most, inFlight: own, spender }: Queue, estimate: TokenEstimate, nowMs: number): number {
    return own >= most ? Number.POSITIVE_INFINITY : spender.waitMs(estimate, nowMs);
  }

  function grant(queue: Queue, estimate: TokenEstimate, nowMs: number): Lease {
    inFlight += 1;
    queue.inFlight += 1;
    if (inFlight >= slots.size) lastFullMs = nowMs;
    governor.send(nowMs);
    const receipt = queue.spender.spend(estimate, nowMs);
    const sent: Sent = { estimate, sentMs: nowMs, receipt, call: detector.send(), episode, regime: slots.regime };
    return { release: (outcome) => release(queue, sent, outcome) };
  }

  function release(queue: Queue, sent: Sent, outcome: CompletionOutcome | undefined): void {
    const nowMs = clock.now();
    // A call that found its provider stopped was never sent and says nothing.
    if (outcome !== undefined && outcome.attempts > 0) {
      queue.spender.settle(sent, outcome, nowMs);
      learn(sent, outcome, nowMs);
    }
    inFlight -= 1;
    queue.inFlight -= 1;
    shared?.release();
    if (waitingCalls > 0) pump();
  }

  function learn(sent: Sent, outcome: CompletionOutcome, nowMs: number): void {
    if (outcome.status === 'failed' && refusals.has(outcome.failure.kind)) {
      governor.discount(sent.sentMs, nowMs);
      learnRefusal(sent, outcome, outcome.failure.retryAfterMs, nowMs);
      return;
    }
    if (sent.episode === episode) {
      const pace = governor.pace(nowMs);
      detector.admit(pace);
      isSeeking = pace.perMs !== Number.POSITIVE_INFINITY && !pace.isProven;
      if (isEpisodeOpen) governor.noteAdmitted(sent.sentMs, nowMs);
      isEpisodeOpen = false;
      pauses = 0;
    }
    if (outcome.status === 'completed') {
      slots.observeAnswer({ latencyMs: nowMs - sent.sentMs, regime: sent.regime, isFull }, nowMs);
      isFull = false;
    } else if (outcome.failure.kind === 'timeout') slots.observeTrouble();
  }

  function learnRefusal(
    sent: Sent,
    { limits }: CompletionOutcome,
    retryAfterMs: number | undefined,
    nowMs: number,
  ): void {
    const askedMs = Math.min(retryAfterMs ?? 0, longestAskedPauseMs);
    if (sent.episode !== episode) {
      // Calls that were under way together are refused together: one cut answers them all.
      if (isEpisodeOpen) pausedUntilMs = Math.max(pausedUntilMs, nowMs + askedMs);
      return;
    }
    const finding = detector.refuse(sent.call, governor.pace(nowMs));
    if (finding === 'chance') governor.release();
    if (finding !== 'limit') return;
    // Where slots were left, it was not their number that the server refused.
    const wasFull = lastFullMs >= sent.sentMs;
    if (!isEpisodeOpen) {
      if (wasFull) slots.cut(nowMs);
      budgets.smooth();
    }
    const backoffMs = Math.min(longestPauseMs, firstPauseMs * 3 ** pauses) * (0.75 + options.random() / 2);
    episode += 1;
    isEpisodeOpen = true;
    pauses += 1;
    pausedUntilMs = nowMs + (retryAfterMs === undefined ? backoffMs : askedMs);
    // Where the server says that its rates are not used up, it was nothing but their number.
    const isRateLeft = limits?.every(({ remaining = 1 }) => remaining >= 1) === true;
    if (!wasFull || !isRateLeft) governor.slowDown(nowMs, pausedUntilMs);
  }

  /** Lets go what may go now, the queues in turn, and sets one timer for what may go later. */
  function pump(): void {
    stopTimer?.();
    stopTimer = undefined;
    while (waitingCalls > 0) {
      const nowMs = clock.now();
      const waitMs = accountWaitMs(nowMs);
      const next = waitMs > 0 ? waitMs : findNext(nowMs);
      if (typeof next === 'number') {
        if (next !== Number.POSITIVE_INFINITY) stopTimer = clock.startTimer(next, pump);
        return;
      }
      if (shared !== undefined && !shared.take()) {
        shared.await(pump);
        return;
      }
      const [first] = next.waiting.splice(placeOfNext(next), 1);
      if (first === undefined) return;
      nextQueue = queues.indexOf(next) + 1;
      waitingCalls -= 1;
      first.stopListening();
      first.resolve(grant(next, first.estimate, nowMs));
    }
  }

  /** The queue whose turn it is, or the milliseconds until there is one. */
  function findNext(nowMs: number): Queue | number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < queues.length; turn += 1) {
      const queue = queues[(nextQueue + turn) % queues.length];
      const first = queue?.waiting[placeOfNext(queue)];
      if (queue === undefined || first === undefined) continue;
      const waitMs = queueWaitMs(queue, first.estimate, nowMs);
      if (waitMs <= 0) return queue;
      soonestMs = Math.min(soonestMs, waitMs);
    }
    return soonestMs;
  }

  /** While calls are refused, those that have the most retries left try first, or one of them would use up all of its own. */
  function placeOfNext({ waiting }: Queue): number {
    if (!isEpisodeOpen && !isSeeking) return 0;
    let place = 0;
    for (const [index, { retries }] of waiting.entries()) {
      if (retries < (waiting[place]?.retries ?? 0)) place = index;
    }
    return place;
  }

  function enqueue(queue: Queue, estimate: TokenEstimate, retries: number, signal: AbortSignal) {
    return new Promise<Lease | undefined>((resolve) => {
      const entry: Waiting = { estimate, retries, resolve, stopListening: () => undefined };
      entry.stopListening = onAbort(signal, () => {
        queue.waiting.splice(queue.waiting.indexOf(entry), 1);
        waitingCalls -= 1;
        resolve(undefined);
        // Behind it may stand one that may go, and without any the timer has no purpose.
        pump();
      });
      queue.waiting.push(entry);
      waitingCalls += 1;
      // One that is alone with its wait has set no timer yet.
      if (queue.waiting.length === 1) pump();
    });
  }

  return {
    open(own) {
      const { concurrency, ...rates } = own;
      if (concurrency === undefined) isAnyUnset = true;
      else setByHand += concurrency;
      slots.allow(
        setByHand + (isAnyUnset ? options.concurrency : 0),
        setByHand + (isAnyUnset ? options.maxConcurrency : 0),
      );
      const most = concurrency ?? options.maxConcurrency;
      const queue: Queue = { most, spender: budgets.open(rates), waiting: [], inFlight: 0 };
      queues.push(queue);
      return {
        get room() {
          return Math.min(slots.size, most);
        },
        acquire(request, signal, retries = 0) {
          if (signal.aborted) return undefined;
          const nowMs = clock.now();
          const estimate = queue.spender.countsTokens ? own.estimateTokens(request) : noTokens;
          const isFree = waitingCalls === 0 && accountWaitMs(nowMs) <= 0 && queueWaitMs(queue, estimate, nowMs) <= 0;
          if (isFree && (shared === undefined || shared.take())) return grant(queue, estimate, nowMs);
          return enqueue(queue, estimate, retries, signal);
        },
      };
    },
  };
}
