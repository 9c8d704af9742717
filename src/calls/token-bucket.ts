import type { CompletionOutcome, LimitReport } from '../model/run/completion.ts';

type Unit = LimitReport['unit'];

/** Limits set by hand, a minute. */
export interface OwnRates {
  readonly rpm?: number;
  readonly tpm?: number;
}

/** Tokens that a request is expected to use. */
export interface TokenEstimate {
  readonly input: number;
  readonly output: number;
}

const minuteMs = 60_000;
/** A limit over a longer time is not spread: calls go on until the server says that nothing is left. */
const longestPacedMs = 90_000;
/** A run must not sleep for hours because of one header. */
const longestWaitMs = 60_000;
/** Calls may reach the server closer together than they were sent. */
const slack = 1.01;

/** Holds `capacity` units and gets `perMs` of them each millisecond. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perMs: number;
  #level: number;
  #filledMs = 0;

  constructor(capacity: number, perMs: number) {
    this.#capacity = Math.max(1, capacity);
    // A server may name a period of 0. Infinitely many in no time at all would be no number.
    this.#perMs = Math.min(perMs, Number.MAX_VALUE);
    this.#level = this.#capacity;
  }

  /** Milliseconds until `amount` may be taken; 0: now. More than the bucket holds may be taken when it is full. */
  waitMs(amount: number, nowMs: number): number {
    this.add((nowMs - this.#filledMs) * this.#perMs);
    this.#filledMs = nowMs;
    const missing = Math.min(amount, this.#capacity) - this.#level;
    // Rounding must not turn a wait that is over into many tiny ones.
    return missing < 1e-6 ? 0 : Math.ceil(missing / this.#perMs);
  }

  take(amount: number): void {
    this.#level -= amount;
  }

  add(amount: number): void {
    this.#level = Math.min(this.#capacity, this.#level + amount);
  }

  /** Applies the remaining amount that the server reports, because others may use the same key. */
  observe(remaining: number): void {
    this.#level = Math.min(this.#level, remaining);
  }
}

/** The rate limits that the providers of one account share. */
export class AccountRates {
  readonly buckets = new Map<string, TokenBucket>();
  readonly all: OwnRates[] = [];
  /** The buckets of the latest report of any call, for providers that had no report yet. */
  readonly latest = new Map<Unit, TokenBucket>();
}

/** The limits that hold for the calls of one provider or judge. */
export class ProviderRates {
  readonly #own: OwnRates;
  readonly #account: AccountRates;
  readonly #reported = new Map<Unit, TokenBucket>();
  #emptyUntilMs = 0;

  constructor(own: OwnRates, account: AccountRates) {
    this.#own = own;
    this.#account = account;
    account.all.push(own);
  }

  /** Milliseconds until a call may be sent; 0: now. */
  waitMs(estimate: TokenEstimate, nowMs: number): number {
    const waits = this.#limits().map(([unit, bucket]) => bucket.waitMs(amountOf(unit, estimate), nowMs));
    return Math.max(0, this.#emptyUntilMs - nowMs, ...waits);
  }

  take(estimate: TokenEstimate): void {
    for (const [unit, bucket] of this.#limits()) bucket.take(amountOf(unit, estimate));
  }

  /** Corrects the estimate by the true usage, and applies the limits that the server reports. */
  settle(estimate: TokenEstimate, outcome: CompletionOutcome, nowMs: number): void {
    const usage = outcome.status === 'completed' ? outcome.completion.usage : undefined;
    if (usage !== undefined) {
      const used = { input: usage.inputTokens, output: usage.outputTokens };
      for (const [unit, bucket] of this.#limits()) bucket.add(amountOf(unit, estimate) - amountOf(unit, used));
    }
    for (const report of outcome.limits ?? []) this.#learn(report, nowMs);
  }

  #learn({ unit, limit, remaining, resetMs = 0, periodMs = minuteMs }: LimitReport, nowMs: number): void {
    const isPaced = periodMs <= longestPacedMs && resetMs <= longestPacedMs;
    if (isPaced && limit !== undefined && limit > 0) {
      // Allows half of the limit at once, because each answer reports the real rest.
      const bucket = this.#find(`reported ${unit} ${limit} ${periodMs}`, limit / 2, limit / periodMs);
      this.#reported.set(unit, bucket);
      this.#account.latest.set(unit, bucket);
    }
    // A later report may leave out the size of a limit that was reported before.
    const bucket = isPaced ? this.#reported.get(unit) : undefined;
    if (remaining !== undefined) bucket?.observe(remaining);
    if (bucket === undefined && remaining !== undefined && remaining < 1)
      this.#emptyUntilMs = nowMs + Math.min(resetMs, longestWaitMs);
  }

  #limits(): readonly (readonly [Unit, TokenBucket])[] {
    const { all, latest } = this.#account;
    // Most runs have no limit, and each call asks several times.
    if (latest.size === 0 && all.every(({ rpm, tpm }) => rpm === undefined && tpm === undefined)) return [];
    const byHand = [...this.#byHand('requests', 'rpm'), ...this.#byHand('tokens', 'tpm')];
    return [...byHand, ...new Map([...latest, ...this.#reported])];
  }

  /** The largest limit of an account holds for all its calls, a smaller one for its own provider in addition. */
  #byHand(unit: Unit, key: keyof OwnRates): (readonly [Unit, TokenBucket])[] {
    const all = this.#account.all.flatMap((rates) => rates[key] ?? []);
    const limits = new Set(all.length === 0 ? [] : [Math.max(...all), this.#own[key] ?? Math.max(...all)]);
    return [...limits].map((limit) => {
      // A tenth may go at once, and so much less comes later: no minute sees more than the limit.
      const perMs = (limit - Math.max(1, limit / 10) + 1) / (minuteMs * slack);
      return [unit, this.#find(`set ${unit} ${limit}`, limit / 10, perMs)] as const;
    });
  }

  /** Providers of one key that have the same limit share it. */
  #find(key: string, capacity: number, perMs: number): TokenBucket {
    const { buckets } = this.#account;
    const bucket = buckets.get(key) ?? new TokenBucket(capacity, perMs);
    buckets.set(key, bucket);
    return bucket;
  }
}

function amountOf(unit: Unit, { input, output }: TokenEstimate): number {
  if (unit === 'requests') return 1;
  if (unit === 'tokens') return input + output;
  return unit === 'inputTokens' ? input : output;
}
