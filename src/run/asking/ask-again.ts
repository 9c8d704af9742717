import type { Cell } from '../../model/run/cell.ts';
import type { RunSummary } from '../../model/run/summary.ts';
import { chooseNext } from '../../verdict/confirm/choose-next.ts';
import type { EarlyLook } from '../../verdict/gate/early-end.ts';
import { assessSoFar } from '../end-run.ts';
import type { Run } from '../open-run.ts';
import { findFreshBudget } from './asking-budget.ts';
import { executeCells } from './execute-cells.ts';
import { createFreshCells, timesSpend } from './fresh-cells.ts';

/** Asks again what looks worse, after the planned cells were asked. */
export async function confirm(run: Run): Promise<void> {
  if (!mayLookWorse(run)) return;
  const isWhole = await askAgain(run);
  if (!isWhole) run.state.isCutShort = true;
}

/**
 * True if a cell failed or lost score, cost, steps or classes are gated, or the run was resumed. Otherwise no
 * comparison is needed before the report.
 */
function mayLookWorse({ state, earlier, planned }: Run): boolean {
  const isGatedBeside = planned.plan.suites.some(
    ({ suite: { gate, classes } }) =>
      gate.cost.maxIncrease !== undefined || gate.steps?.maxIncrease !== undefined || classes !== undefined,
  );
  return state.hasLowScore || isGatedBeside || (earlier?.doneCells ?? 0) > 0;
}

/**
 * Asks both prompts again about what looks worse, in rounds, until it is settled or the budget is used up. False if the run was
 * stopped before. `look` is set if not all cases were asked yet.
 */
export async function askAgain(run: Run, look?: EarlyLook): Promise<boolean> {
  const { planned, acceptedPrompts, stop, answersFromStoreOnly } = run;
  let assessment = await assessSoFar(run, undefined, look);
  const { flagged } = assessment.verdict.suspicions;
  if (flagged.cases.length + flagged.averages.length === 0) return true;
  const fresh = createFreshCells({ planned, acceptedPrompts });
  const budget = findFreshBudget(run, (suite) => !answersFromStoreOnly(suite));
  const allowed = timesSpend(budget.allowed, look?.budget ?? 1);
  let answersBefore = -1;
  for (;;) {
    const { verdict, record } = assessment;
    const spent = fresh.spentOn(record.summary);
    const limits = { allowed, planned: budget.planned, spent, spendOf: fresh.spendOf };
    const wanted = chooseNext(verdict.suspicions.flagged, verdict.settled, limits);
    // An earlier part of the run may have asked trials that this part has not reached yet.
    if (wanted.length === 0 && (look !== undefined || !run.record.countRest())) return true;
    if (stop.reason() !== undefined) return false;
    // The last round had neither an answer nor an error, as with an exhausted --max-cost. Another round would be the
    // same.
    const answers = countAnswers(record.summary);
    if (answers === answersBefore) return true;
    answersBefore = answers;
    const round = fresh.render(wanted, record.summary);
    const unfinished = withoutFinished(run, round);
    // An earlier part that was cut short in this round has no more trials. If it has more, something changed and it
    // asked in other rounds. Then all its trials count before more are asked.
    if (unfinished.size === 0 || !run.record.countRest()) await executeCells(run, unfinished);
    assessment = await assessSoFar(run, undefined, look);
  }
}

/** The cells of a round that an earlier part of the run did not finish, by provider key. */
function withoutFinished(
  { record }: Run,
  round: ReadonlyMap<string, readonly Cell[]>,
): ReadonlyMap<string, readonly Cell[]> {
  const left = new Map<string, readonly Cell[]>();
  for (const [key, cells] of round) {
    const unfinished = cells.filter((cell) => !record.countIfFinished(cell));
    if (unfinished.length > 0) left.set(key, unfinished);
  }
  return left;
}

function countAnswers({ suites }: RunSummary): number {
  let count = 0;
  for (const { variants } of suites) {
    for (const { cases } of variants) {
      for (const { confirmations, accepted } of cases.values()) {
        for (const { status } of [...confirmations, ...accepted]) if (status !== 'skipped') count += 1;
      }
    }
  }
  return count;
}
