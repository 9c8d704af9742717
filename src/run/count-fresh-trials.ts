import type { FindBaseline } from '../baseline/find-baselines.ts';
import { contractConfirmations } from '../compare/gate/judge-cases.ts';
import type { Cell } from '../model/cell.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import type { RunOptions } from '../plan/run-options.ts';
import { brokenCaseFailures } from '../stats/exact-tests.ts';
import { maxErroredTrials } from './confirm-cases.ts';

/**
 * The most fresh trials that the planned trials of a case can lead to, given for one of these trials after the other:
 * the first brings all that a single trial can lead to, the next bring what more, or less, there is to ask for then.
 */
export function createFreshTrialCount(
  { settings, rerunBaseline }: Pick<RunOptions, 'settings' | 'rerunBaseline'>,
  { plan }: PlannedRun,
  findBaseline: FindBaseline,
): (cell: Cell) => number {
  const failuresToBreak = new Map<string, number>();
  for (const { suite, variants } of plan.suites) {
    const isCompared =
      rerunBaseline ||
      settings.compare !== undefined ||
      findBaseline(suite) !== undefined ||
      suite.prompts.some(({ replaces }) => replaces !== undefined);
    if (!isCompared) continue;
    let cases = 0;
    for (const _case of suite.cases()) cases += 1;
    // Both sides of each variant, in case that they have no case in common.
    const n = cases * variants.length * 2;
    failuresToBreak.set(suite.id, brokenCaseFailures({ n, alpha: suite.gate.alpha }));
  }
  const countAfter = (trials: number, { key, mustPass }: Cell) => {
    const failures = failuresToBreak.get(key.suite);
    if (trials === 0 || (failures === undefined && !mustPass)) return 0;
    const answered = Math.max(contractConfirmations, (failures ?? 0) - trials);
    return answered + maxErroredTrials - 1;
  };
  return (cell) => (cell.observe ? 0 : countAfter(cell.key.trial + 1, cell) - countAfter(cell.key.trial, cell));
}
