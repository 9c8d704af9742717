import type { Budget } from '../execute/with-budget.ts';
import type { BatchAnswer } from '../model/batch.ts';
import type { Completion, CompletionRequest, ProviderFailure } from '../model/completion.ts';

/** What a provider's batches take of the budget. */
export interface BatchSpending {
  /** Takes an upper bound for a request before it is handed in, or says why it does not fit. */
  take(key: string, request: CompletionRequest): ProviderFailure | undefined;
  /** Books what came; also of what an earlier run handed in, which this one is billed for. */
  settle(key: string, answer: BatchAnswer): void;
}

export interface BatchPricing {
  /** USD, at the price of batches. */
  readonly boundOf: (request: CompletionRequest) => number;
  readonly costOf: (completion: Completion) => number | undefined;
}

/** Without a budget everything fits. */
export function openBatchSpending(budget: Budget | undefined, { boundOf, costOf }: BatchPricing): BatchSpending {
  if (budget === undefined) return { take: () => undefined, settle: () => undefined };
  const taken = new Map<string, number>();
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
      // Requests of a batch that failed are not billed.
      budget.settle(boundUsd, 'failure' in answer ? 0 : (costOf(answer.completion) ?? boundUsd));
    },
  };
}
