import type { BatchAnswer } from '../model/batch.ts';
import type { Completion, CompletionRequest, ProviderFailure } from '../model/completion.ts';
import type { Budget } from './with-budget.ts';

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
  readonly costOf: (completion: Pick<Completion, 'usage'>) => number | undefined;
}

/** Without a budget everything fits. */
export function openBatchSpending(budget: Budget | undefined, { boundOf, costOf }: BatchPricing): BatchSpending {
  if (budget === undefined) return { take: () => undefined, settle: () => undefined };
  const taken = new Map<string, number>();

  /** Requests of a batch that failed are not billed, unless they brought an answer that is of no use. */
  function billOf(answer: BatchAnswer): number | undefined {
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
      budget.settle(boundUsd, billOf(answer) ?? boundUsd);
    },
  };
}
