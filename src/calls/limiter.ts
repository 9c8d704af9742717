// Four files hold calls back. This one orders the waiting calls of an account and pauses it after refusals.
// adaptive-slots.ts finds how many may be in flight, and token-bucket.ts has the limits over time.
// shared-slots.ts has the slots of the whole run. They are long for a reason: some servers report their limits,
// some only refuse calls, and a local model only slows down.

import type { Clock } from '../model/clock.ts';
import {
  type CompletionOutcome,
  type CompletionRequest,
  type FailureKind,
  maxRetryAfterMs,
  type ProviderFailure,
} from '../model/run/completion.ts';
import { onAbort } from '../text/deadline.ts';
import { AdaptiveSlots } from './adaptive-slots.ts';
import type { SharedSlots } from './shared-slots.ts';
import { AccountRates, type OwnRates, ProviderRates, type TokenEstimate } from './token-bucket.ts';

export interface AccountOptions {
  /** Calls in flight without a user's limit: `concurrency` at first, up to `maxConcurrency` while throughput grows. */
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
  /** Undefined if the signal aborted first. `retries`: how often the call was retried. */
  acquire(request: CompletionRequest, signal: AbortSignal, retries?: number): Promise<Lease | undefined>;
  /** Calls that may be in flight at present. */
  readonly room: number;
  /** For how long every call of the account was refused; 0 since an answer. */
  readonly refusedForMs: number;
}

/** The right to make one attempt. Return it with the attempt's result. */
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

export const refusals: ReadonlySet<FailureKind> = new Set(['rateLimit', 'overloaded']);

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
  /** Counted, because calls that were sent before the latest pause are refused for the same reason. */
  #pauses = 0;
  #pausedUntilMs = 0;
  /** The first refusal since the last answer. */
  #refusedSinceMs: number | undefined;
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
    const readRefusedMs = () => this.#refusedForMs();
    return {
      get room() {
        return Math.min(slots.size, most);
      },
      get refusedForMs() {
        return readRefusedMs();
      },
      acquire: async (request, signal, retries = 0) =>
        signal.aborted ? undefined : this.#enqueue(queue, own.estimateTokens(request), retries, signal),
    };
  }

  #refusedForMs(): number {
    const nowMs = this.#options.clock.now();
    return nowMs - (this.#refusedSinceMs ?? nowMs);
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

  /** Sends the calls that may be sent now, taking the queues in turn. Sets one timer for the others. */
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
   * While calls are refused, calls with the most retries left go first. Otherwise one of them would use up its retries.
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
    const pausedBeforeMs = this.#pausedUntilMs;
    if (this.#isRefusing) this.#pausedUntilMs = sentMs + probeGapMs;
    const sent: SentCall = { sentMs, pauses: this.#pauses };
    return {
      release: (outcome) => {
        const nowMs = this.#options.clock.now();
        // A call that found its provider stopped was never sent and shows nothing.
        if (outcome !== undefined && outcome.attempts > 0) {
          queue.rates.settle(estimate, outcome, nowMs);
          this.#learn(outcome, sent, nowMs);
        } else if (outcome !== undefined && this.#pausedUntilMs === sentMs + probeGapMs) {
          // The next one need not wait for its answer.
          this.#pausedUntilMs = pausedBeforeMs;
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
    this.#refusedSinceMs = undefined;
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
    this.#refusedSinceMs ??= nowMs;
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
