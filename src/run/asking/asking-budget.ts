import type { Cell } from '../../model/run/cell.ts';
import type { ConfirmBudget } from '../../model/suite/gate-policy.ts';
import type { Spend } from '../../verdict/confirm/choose-next.ts';
import type { Planning } from '../planning/plan-with-baselines.ts';
import { addSpend, createSpendOfSides, timesSpend } from './fresh-cells.ts';

/** What fresh trials may spend. */
export interface FreshBudget {
  readonly allowed: Spend;
  /** What the planned cells may spend: once something is confirmed, fresh trials spend no more. */
  readonly planned: Spend;
}

/**
 * Finds the limits on fresh trials. The suites' budgets add up, but the least number of calls counts once. `mayAsk` is false
 * for a suite whose answers are stored, so that asking again gives the same.
 */
export function findFreshBudget(
  { planned, acceptedPrompts }: Pick<Planning, 'planned' | 'acceptedPrompts'>,
  mayAsk: (suiteId: string) => boolean,
): FreshBudget {
  const { plan, providers } = planned;
  const spendOf = createSpendOfSides(planned, acceptedPrompts);
  const spends = new Map<string, Spend>();
  for (const [key, provider] of providers) {
    for (const cell of plan.cells(key)) {
      const { suite } = cell.key;
      if (!isAskedAgain(cell) || !mayAsk(suite)) continue;
      spends.set(suite, addSpend(spends.get(suite) ?? nothing, spendOf(provider, cell)));
    }
  }
  return combineBudgets(
    plan.suites.map(({ suite }) => ({ budget: suite.gate.confirm.budget, planned: spends.get(suite.id) })),
  );
}

interface SuiteBudget {
  readonly budget: ConfirmBudget;
  /** Undefined if none of its cells can be asked again. */
  readonly planned: Spend | undefined;
}

export function combineBudgets(suites: readonly SuiteBudget[]): FreshBudget {
  let [allowed, planned] = [nothing, nothing];
  let least = 0;
  for (const { budget, planned: ofSuite } of suites) {
    if (ofSuite === undefined) continue;
    planned = addSpend(planned, ofSuite);
    const share = 'calls' in budget ? budget.calls / Math.max(1, ofSuite.calls) : budget.share;
    allowed = addSpend(allowed, timesSpend(ofSuite, share));
    if (!('calls' in budget)) least = Math.max(least, budget.least ?? 0);
  }
  if (allowed.calls < least && planned.calls > 0) allowed = timesSpend(planned, least / planned.calls);
  return { allowed: { ...allowed, calls: Math.floor(allowed.calls + rounding) }, planned };
}

/** A sum of shares that should be a whole number may lie just below it. */
const rounding = 1e-6;

const nothing: Spend = { calls: 0, usd: undefined };

/** True for a cell that counts for the budget of fresh trials. */
export function isAskedAgain({ observe, skip }: Cell): boolean {
  return !observe && skip === undefined;
}
