import type {
  Complete,
  Completion,
  CompletionOutcome,
  CompletionRequest,
  FailureKind,
  ProviderFailure,
} from '../model/run/completion.ts';
import type { BatchAnswer } from '../model/suite/provider.ts';
import { onAbort } from '../text/deadline.ts';
import { formatUsd } from '../text/format-amount.ts';
import { abortedOutcome } from './failure-policies.ts';

export interface BudgetPricing {
  /** An upper bound of the request's cost, in USD. */
  boundOf(request: CompletionRequest): number;
  costOf(request: CompletionRequest, completion: Pick<Completion, 'usage'>): number | undefined;
}

/** Reserves an upper bound before each call. The cap is exceeded by at most one bound for each call in flight. */
export class Budget {
  readonly #maxCostUsd: number;
  #spentUsd = 0;
  #reservedUsd = 0;
  #inFlight = 0;
  #waiting: (() => void)[] = [];
  #isExhausted = false;

  constructor(maxCostUsd: number) {
    this.#maxCostUsd = maxCostUsd;
  }

  /** True from the first call that did not fit. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** Wraps the calls of one provider. */
  wrap(next: Complete, pricing: BudgetPricing): Complete {
    return async (request, signal) => {
      const boundUsd = pricing.boundOf(request);
      if (!(await this.#reserve(boundUsd, signal))) return this.#isExhausted ? refusal(boundUsd) : abortedOutcome;
      let billedUsd = boundUsd;
      try {
        const outcome = await next(request, signal);
        billedUsd = billOf(outcome, request, boundUsd, pricing);
        return outcome;
      } finally {
        this.#inFlight -= 1;
        this.settle(boundUsd, billedUsd);
      }
    };
  }

  /**
   * Wraps the attempts of such calls. An attempt that waited for its slot checks the budget again. A server that
   * ignores the token limit of its requests makes answers cost more than their bounds.
   */
  guard(next: Complete, pricing: BudgetPricing): Complete {
    return async (request, signal) => {
      const boundUsd = pricing.boundOf(request);
      if (this.#fits(this.#spentUsd + boundUsd)) return next(request, signal);
      this.#exhaust();
      return refusal(boundUsd);
    };
  }

  /** Takes a bound for a request that is submitted with others, or says why it does not fit. */
  take(boundUsd: number): ProviderFailure | undefined {
    if (this.#fits(this.#spentUsd + this.#reservedUsd + boundUsd)) {
      this.#reservedUsd += boundUsd;
      return undefined;
    }
    this.#isExhausted = true;
    return refusalOf(boundUsd);
  }

  /** Replaces a reserved bound by the billed cost. */
  settle(boundUsd: number, billedUsd: number): void {
    this.#reservedUsd -= boundUsd;
    this.#spentUsd += billedUsd;
    this.#wakeAll();
  }

  async #reserve(boundUsd: number, signal: AbortSignal): Promise<boolean> {
    while (!this.#isExhausted && !signal.aborted) {
      if (this.#fits(this.#spentUsd + this.#reservedUsd + boundUsd)) {
        this.#reservedUsd += boundUsd;
        this.#inFlight += 1;
        return true;
      }
      // Calls in flight may turn out cheaper than their bounds: only an idle budget is an exhausted one.
      if (this.#inFlight === 0) this.#exhaust();
      else await this.#nextSettlement(signal);
    }
    return false;
  }

  /** Sums of prices are a little off, so the cap has some slack. */
  #fits(usd: number): boolean {
    return usd <= this.#maxCostUsd + 1e-12;
  }

  #exhaust(): void {
    this.#isExhausted = true;
    this.#wakeAll();
  }

  #nextSettlement(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        stopListening();
        resolve();
      };
      const stopListening = onAbort(signal, wake);
      this.#waiting.push(wake);
    });
  }

  #wakeAll(): void {
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }
}

function refusal(boundUsd: number): CompletionOutcome {
  return { status: 'failed', failure: refusalOf(boundUsd), attempts: 0 };
}

function refusalOf(boundUsd: number): ProviderFailure {
  const message = `the call could cost up to ${formatUsd(boundUsd)}, which no longer fits in --max-cost`;
  return { kind: 'budget', message };
}

/** An attempt that was cut off, or whose answer was withheld, may have been billed, so its bound stays taken. */
function billOf(
  outcome: CompletionOutcome,
  request: CompletionRequest,
  boundUsd: number,
  pricing: BudgetPricing,
): number {
  if (outcome.status === 'completed') return pricing.costOf(request, outcome.completion) ?? boundUsd;
  if (outcome.attempts === 0) return 0;
  const { kind, usage } = outcome.failure;
  if (usage !== undefined) return pricing.costOf(request, { usage }) ?? boundUsd;
  return mayBeBilled.has(kind) ? boundUsd : 0;
}

const mayBeBilled: ReadonlySet<FailureKind> = new Set(['timeout', 'aborted', 'malformed', 'contentFilter']);

/** The part of the budget that a provider's batches use. */
export interface BatchSpending {
  /** Takes an upper bound for a request before it is submitted, or says why it does not fit. */
  take(key: string, request: CompletionRequest): ProviderFailure | undefined;
  /** Books an answer. A batch of an earlier run counts too, because this run pays for it. */
  settle(key: string, answer: BatchAnswer): void;
}

export interface BatchPricing {
  /** USD, at the price of batches. */
  readonly boundOf: (request: CompletionRequest) => number;
  readonly costOf: (completion: Pick<Completion, 'usage'>) => number | undefined;
}

/** Opens the batches' part of the budget. Without a budget, every request fits. */
export function openBatchSpending(budget: Budget | undefined, { boundOf, costOf }: BatchPricing): BatchSpending {
  if (budget === undefined) return { take: () => undefined, settle: () => undefined };
  const taken = new Map<string, number>();

  /** Requests of a batch that failed are not billed, unless they brought an answer that is of no use. */
  function billOfBatch(answer: BatchAnswer): number | undefined {
    if (!('failure' in answer)) return costOf(answer.completion);
    const { usage } = answer.failure;
    return usage === undefined ? 0 : costOf({ usage });
  }

  return {
    take(key, request) {
      const boundUsd = boundOf(request);
      const refusal = budget.take(boundUsd);
      if (refusal === undefined) taken.set(key, boundUsd);
      return refusal;
    },
    settle(key, answer) {
      const boundUsd = taken.get(key) ?? 0;
      taken.delete(key);
      budget.settle(boundUsd, billOfBatch(answer) ?? boundUsd);
    },
  };
}
