import type { Cell } from '../../model/run/cell.ts';
import type { RetrialSpend } from '../../verdict/confirm/choose-retrials.ts';
import type { Run } from '../open-run.ts';
import { addSpend, createSpendOfSides, timesSpend } from './retrial-cells.ts';

/** The limit on confirmation trials: the requests and cost of the planned cells, times the suite's share. */
export function findRetrialBudget({ planned, acceptedPrompts, answersFromStoreOnly }: Run): RetrialSpend {
  const { plan, providers } = planned;
  const spendOf = createSpendOfSides(planned, acceptedPrompts);
  const shares = new Map(plan.suites.map(({ suite }) => [suite.id, suite.gate.confirm.budget]));
  let allowed: RetrialSpend = { calls: 0, usd: undefined };
  for (const [key, provider] of providers) {
    for (const cell of plan.cells(key)) {
      const share = shares.get(cell.key.suite) ?? 0;
      if (!isRetried(cell) || answersFromStoreOnly(cell.key.suite) || share === 0) continue;
      allowed = addSpend(allowed, timesSpend(spendOf(provider, cell), share));
    }
  }
  return allowed;
}

/** True for a cell that counts for the budget of confirmation trials. */
export function isRetried({ observe, skip }: Cell): boolean {
  return !observe && skip === undefined;
}
