// Three files hold calls back. This one orders the waiting calls of an account, and finds how many may be in flight.
// token-bucket.ts has the limits over time, shared-slots.ts the slots of the whole run. They are long for a reason:
// some servers report their limits, some only refuse calls, and a local model only slows down.

import type { Clock } from '../model/clock.ts';
import {
  type CompletionOutcome,
  type CompletionRequest,
  type FailureKind,
  maxRetryAfterMs,
  type ProviderFailure,
} from '../model/completion.ts';
import { onAbort } from '../text/deadline.ts';
import type { SharedSlots } from './shared-slots.ts';
import { AccountRates, type OwnRates, ProviderRates, type TokenEstimate } from './token-bucket.ts';

export interface AccountOptions {
  /**
   * Calls in flight where no limit is set by hand: `concurrency` at first, up to `maxConcurrency` while more calls get
   * more answers.
   */
  readonly concurrency: number;
  readonly maxConcurrency: number;
  /** The time limit of a call. */
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
  /** Undefined where the signal aborted first. `retries`: how often the call was retried. */
  acquire(request: CompletionRequest, signal: AbortSignal, retries?: number): Promise<Lease | undefined>;
  /** Calls that may be in flight at present. */
  readonly room: number;
}

/** The right to make one attempt; to be given back with what came of it. */
export interface Lease {
  release(outcome: CompletionOutcome | undefined): void;
}

/** This many refusals in a row show a limit. Fewer only delay the calls that were refused. */
const refusalsOfLimit = 3;
/**
 * The first pause, unless the server names a time. Each next one is three times longer until enough calls are answered.
 */
const firstPauseMs = 500;
const longestPauseMs = 15_000;
const enoughAnswers = 32;
/** After a pause single calls are sent at this distance until one is answered. */
const probeGapMs = 1000;

const refusals: ReadonlySet<FailureKind> = new Set(['rateLimit', 'overloaded']);

interface WaitingCall {
  readonly estimate: TokenEstimate;
  readonly retries: number;
  send(lease: Lease): void;
}

/** The calls of one provider or judge, in the order of their asking. */
interface Queue {
  readonly most: number;
  readonly rates: ProviderRates;
  readonly waiting: WaitingCall[];
  inFlight: number;
}

interface SentCall {
  readonly sentMs: number;
  /** Before it was sent. */
  readonly pauses: number;
}

/**
 * The limits of one key at one address. A call is sent once the slots of the run, of the account and of its provider
 * have room. The buckets for requests and tokens must have room too. Refusals pause the account and cut its slots.
 */
export class AccountLimiter {
  readonly #options: AccountOptions;
  readonly #slots: AdaptiveSlots;
  readonly #rates = new AccountRates();
  /** The one whose turn it is comes first. */
  readonly #queues: Queue[] = [];
  #setByHand = 0;
  #adaptive = { start: 0, most: 0 };
  #inFlight = 0;
  #stopTimer: (() => void) | undefined;
  #refusalsInRow = 0;
  /** True from a pause until a call that was sent after it is answered. */
  #isRefusing = false;
  /** Counted, since calls that were sent before the latest pause are refused for the same reason. */
  #pauses = 0;
  #pausedUntilMs = 0;
  #nextPauseMs = firstPauseMs;
  #answersSincePause = 0;

  constructor(options: AccountOptions) {
    this.#options = options;
    this.#slots = new AdaptiveSlots(options.timeoutMs);
  }

  /** Opens the limiter of one provider or judge, with its own configuration. */
  open(own: OwnLimits): Limiter {
    const { concurrency, maxConcurrency } = this.#options;
    if (own.concurrency === undefined) this.#adaptive = { start: concurrency, most: maxConcurrency };
    else this.#setByHand += own.concurrency;
    this.#slots.allow(this.#setByHand + this.#adaptive.start, this.#setByHand + this.#adaptive.most);
    const most = own.concurrency ?? maxConcurrency;
    const queue: Queue = { most, rates: new ProviderRates(own, this.#rates), waiting: [], inFlight: 0 };
    this.#queues.push(queue);
    const slots = this.#slots;
    return {
      get room() {
        return Math.min(slots.size, most);
      },
      acquire: async (request, signal, retries = 0) =>
        signal.aborted ? undefined : this.#enqueue(queue, own.estimateTokens(request), retries, signal),
    };
  }

  #enqueue(queue: Queue, estimate: TokenEstimate, retries: number, signal: AbortSignal): Promise<Lease | undefined> {
    return new Promise((resolve) => {
      const stopListening = onAbort(signal, () => {
        queue.waiting.splice(queue.waiting.indexOf(call), 1);
        resolve(undefined);
        // One behind it may have room, and without any the timer has no purpose.
        this.#sendWaiting();
      });
      const send = (lease: Lease) => {
        stopListening();
        resolve(lease);
      };
      const call = { estimate, retries, send };
      queue.waiting.push(call);
      this.#sendWaiting();
    });
  }

  /** Sends what may be sent now, the queues in turn, and sets one timer for what may be sent later. */
  readonly #sendWaiting = (): void => {
    const { clock, shared } = this.#options;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (;;) {
      const next = this.#findNext(clock.now());
      if (typeof next === 'number') {
        if (next !== Number.POSITIVE_INFINITY) this.#stopTimer = clock.startTimer(next, this.#sendWaiting);
        return;
      }
      if (shared?.take() === false) return shared.await(this.#sendWaiting);
      const [call] = next.waiting.splice(this.#placeOfNext(next), 1);
      this.#queues.push(...this.#queues.splice(this.#queues.indexOf(next), 1));
      call?.send(this.#lease(next, call.estimate, clock.now()));
    }
  };

  /** The queue whose turn it is, or the milliseconds until there is one; infinite: until a call ends or comes. */
  #findNext(nowMs: number): Queue | number {
    let soonestMs = Number.POSITIVE_INFINITY;
    if (this.#inFlight >= this.#slots.size) return soonestMs;
    for (const queue of this.#queues) {
      const call = queue.waiting[this.#placeOfNext(queue)];
      if (call === undefined || queue.inFlight >= queue.most) continue;
      const waitMs = Math.max(this.#pausedUntilMs - nowMs, queue.rates.waitMs(call.estimate, nowMs));
      if (waitMs <= 0) return queue;
      soonestMs = Math.min(soonestMs, waitMs);
    }
    return soonestMs;
  }

  /**
   * While calls are refused, those with the most retries left go first. Otherwise one of them would use up its retries.
   */
  #placeOfNext({ waiting }: Queue): number {
    if (this.#refusalsInRow === 0) return 0;
    const fewest = Math.min(...waiting.map(({ retries }) => retries));
    return waiting.findIndex(({ retries }) => retries === fewest);
  }

  #lease(queue: Queue, estimate: TokenEstimate, sentMs: number): Lease {
    this.#inFlight += 1;
    queue.inFlight += 1;
    queue.rates.take(estimate);
    if (this.#isRefusing) this.#pausedUntilMs = sentMs + probeGapMs;
    const sent: SentCall = { sentMs, pauses: this.#pauses };
    return {
      release: (outcome) => {
        const nowMs = this.#options.clock.now();
        // A call that found its provider stopped was never sent and shows nothing.
        if (outcome !== undefined && outcome.attempts > 0) {
          queue.rates.settle(estimate, outcome, nowMs);
          this.#learn(outcome, sent, nowMs);
        }
        this.#inFlight -= 1;
        queue.inFlight -= 1;
        this.#options.shared?.release();
        this.#sendWaiting();
      },
    };
  }

  #learn(outcome: CompletionOutcome, { sentMs, pauses }: SentCall, nowMs: number): void {
    const failure = outcome.status === 'failed' ? outcome.failure : undefined;
    if (failure !== undefined && refusals.has(failure.kind)) return this.#learnRefusal(failure, pauses, nowMs);
    // Any other failure means that the server accepted the call.
    this.#refusalsInRow = 0;
    this.#answersSincePause += 1;
    if (this.#isRefusing && pauses === this.#pauses) {
      this.#isRefusing = false;
      this.#pausedUntilMs = nowMs;
    }
    const isTimed = failure === undefined || failure.kind === 'timeout';
    // More slots change nothing while some are free.
    if (isTimed && this.#inFlight >= this.#slots.size) this.#slots.observe(nowMs - sentMs, sentMs, nowMs);
  }

  #learnRefusal({ retryAfterMs }: ProviderFailure, pauses: number, nowMs: number): void {
    const askedMs = Math.min(retryAfterMs ?? 0, maxRetryAfterMs);
    if (pauses !== this.#pauses) {
      if (this.#isRefusing) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + askedMs);
      return;
    }
    this.#refusalsInRow += 1;
    if (!this.#isRefusing && this.#refusalsInRow < refusalsOfLimit) return;
    if (!this.#isRefusing) this.#slots.cut(nowMs);
    if (this.#answersSincePause >= enoughAnswers) this.#nextPauseMs = firstPauseMs;
    const pauseMs = this.#nextPauseMs * (0.75 + this.#options.random() / 2);
    this.#pausedUntilMs = nowMs + (retryAfterMs === undefined ? pauseMs : askedMs);
    this.#nextPauseMs = Math.min(longestPauseMs, this.#nextPauseMs * 3);
    this.#answersSincePause = 0;
    this.#isRefusing = true;
    this.#pauses += 1;
  }
}

/** What is left of the slots after a cut. */
const cutTo = 0.75;
/** The share of the possible extra throughput that a larger size must bring to be kept. */
const neededGain = 0.3;
/** A size that did not bring enough is tried again after so many rounds, then twice as many. */
const firstHold = 8;
const longestHold = 128;

/**
 * How many calls may be in flight. It doubles with each round of answers while the throughput grows, since a local
 * model only answers more slowly. Refusals cut it, and then it grows by one a round.
 */
class AdaptiveSlots {
  readonly #timeoutMs: number;
  size = 1;
  #ceiling = 1;
  #changedMs = Number.NEGATIVE_INFINITY;
  #isCut = false;
  /** The answers of the round, to calls that were sent under the present size. */
  #answers = 0;
  #latencySumMs = 0;
  /** The size before it grew, and its throughput; undefined while there is nothing to compare with. */
  #before: { readonly size: number; readonly perMs: number } | undefined;
  #roundsToHold = 0;
  #nextHold = firstHold;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Sets the size that the providers and judges so far start with, and the largest that they may reach. */
  allow(start: number, ceiling: number): void {
    this.#ceiling = ceiling;
    if (!this.#isCut) this.size = Math.max(this.size, start);
  }

  cut(nowMs: number): void {
    this.#isCut = true;
    this.#before = undefined;
    this.#resize(Math.max(1, Math.floor(this.size * cutTo)), nowMs);
  }

  /** A call was answered while all slots were taken. */
  observe(latencyMs: number, sentMs: number, nowMs: number): void {
    if (sentMs < this.#changedMs) return;
    this.#answers += 1;
    this.#latencySumMs += latencyMs;
    if (this.#answers >= this.size) this.#resize(this.#findSize(this.#latencySumMs / this.#answers), nowMs);
  }

  /** Computes the size of the next round. */
  #findSize(averageMs: number): number {
    // Little's law: so many in flight, each for so long.
    const perMs = this.size / Math.max(averageMs, 0.001);
    const before = this.#before;
    this.#before = undefined;
    if (before !== undefined && perMs < before.perMs * (1 + neededGain * (this.size / before.size - 1))) {
      this.#roundsToHold = this.#nextHold;
      this.#nextHold = Math.min(longestHold, this.#nextHold * 2);
      return before.size;
    }
    this.#roundsToHold -= 1;
    // Calls that take twice as long must still fit into their time limit.
    const mayGrow = this.#roundsToHold < 0 && this.size < this.#ceiling && averageMs * 2 <= this.#timeoutMs;
    if (!mayGrow) return this.size;
    if (this.#isCut) return this.size + 1;
    this.#before = { size: this.size, perMs };
    return Math.min(this.#ceiling, Math.ceil(this.size * (this.#nextHold > firstHold ? 1.25 : 2)));
  }

  #resize(size: number, nowMs: number): void {
    if (size !== this.size) this.#changedMs = nowMs;
    this.size = size;
    this.#answers = 0;
    this.#latencySumMs = 0;
  }
}
