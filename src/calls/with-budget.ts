import type {
  Complete,
  Completion,
  CompletionOutcome,
  CompletionRequest,
  FailureKind,
  ProviderFailure,
} from '../model/completion.ts';
import { onAbort } from '../text/on-abort.ts';

export interface Budget {
  /** Wraps the calls of one provider. */
  wrap(next: Complete, pricing: BudgetPricing): Complete;
  /**
   * Wraps the attempts of such calls: one that waited for its slot looks again at what was spent, since a server that
   * ignores the token limit of its requests makes answers cost more than their bounds.
   */
  guard(next: Complete, pricing: BudgetPricing): Complete;
  /** Takes a bound for a request that is handed in with others, or says why it does not fit. */
  take(boundUsd: number): ProviderFailure | undefined;
  /** Gives a taken bound back for what was billed. */
  settle(boundUsd: number, billedUsd: number): void;
  /** True from the first call that did not fit. */
  readonly exhausted: boolean;
}

export interface BudgetPricing {
  /** An upper bound in USD of what the request may cost. */
  boundOf(request: CompletionRequest): number;
  costOf(request: CompletionRequest, completion: Pick<Completion, 'usage'>): number | undefined;
}

/** Reserves an upper bound before each call, so that the cap is never exceeded by more than one bound per call in flight. */
export function createBudget(maxCostUsd: number): Budget {
  let spentUsd = 0;
  let reservedUsd = 0;
  let inFlight = 0;
  let exhausted = false;
  let waiting: (() => void)[] = [];

  async function reserve(boundUsd: number, signal: AbortSignal): Promise<boolean> {
    while (!exhausted && !signal.aborted) {
      if (spentUsd + reservedUsd + boundUsd <= maxCostUsd + 1e-12) {
        reservedUsd += boundUsd;
        inFlight += 1;
        return true;
      }
      // Calls in flight may turn out cheaper than their bounds: only an idle budget is an exhausted one.
      if (inFlight === 0) {
        exhausted = true;
        wakeAll();
        return false;
      }
      await nextSettlement(signal);
    }
    return false;
  }

  function nextSettlement(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        stopListening();
        resolve();
      };
      const stopListening = onAbort(signal, wake);
      waiting.push(wake);
    });
  }

  function settleCall(boundUsd: number, billedUsd: number) {
    inFlight -= 1;
    reservedUsd -= boundUsd;
    spentUsd += billedUsd;
    wakeAll();
  }

  function wakeAll() {
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }

  return {
    get exhausted() {
      return exhausted;
    },
    wrap: (next, pricing) => async (request, signal) => {
      const boundUsd = pricing.boundOf(request);
      if (!(await reserve(boundUsd, signal))) {
        return exhausted ? refusal(boundUsd) : abortedOutcome;
      }
      let billedUsd = boundUsd;
      try {
        const outcome = await next(request, signal);
        billedUsd = billOf(outcome, request, boundUsd, pricing);
        return outcome;
      } finally {
        settleCall(boundUsd, billedUsd);
      }
    },
    take(boundUsd) {
      if (spentUsd + reservedUsd + boundUsd <= maxCostUsd + 1e-12) {
        reservedUsd += boundUsd;
        return undefined;
      }
      exhausted = true;
      return refusalOf(boundUsd);
    },
    settle(boundUsd, billedUsd) {
      reservedUsd -= boundUsd;
      spentUsd += billedUsd;
      wakeAll();
    },
    guard: (next, pricing) => async (request, signal) => {
      const boundUsd = pricing.boundOf(request);
      if (spentUsd + boundUsd <= maxCostUsd + 1e-12) return next(request, signal);
      exhausted = true;
      wakeAll();
      return refusal(boundUsd);
    },
  };
}

function refusal(boundUsd: number): CompletionOutcome {
  return { status: 'failed', failure: refusalOf(boundUsd), attempts: 0 };
}

function refusalOf(boundUsd: number): ProviderFailure {
  const message = `the call could cost up to $${boundUsd.toFixed(6)}, which no longer fits in --max-cost`;
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

const abortedOutcome = {
  status: 'failed',
  failure: { kind: 'aborted', message: 'the run was stopped before the request was sent' },
  attempts: 0,
} as const;
