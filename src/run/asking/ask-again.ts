import { type Cell, suiteVariantKey } from '../../model/run/cell.ts';
import type { RunSummary } from '../../model/run/summary.ts';
import { chooseRetrials } from '../../verdict/confirm/choose-retrials.ts';
import type { WantedRetrials } from '../../verdict/confirm/judge-case.ts';
import type { EarlyLook } from '../../verdict/gate/early-end.ts';
import { assess } from '../end-run.ts';
import type { Run } from '../open-run.ts';
import { executeCells } from './execute-cells.ts';
import { findRetrialBudget } from './retrial-budget.ts';
import { addSpend, createRetrialCells, timesSpend } from './retrial-cells.ts';

/** Runs confirmation trials for possible drops, after the planned cells were asked. */
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
 * Asks cases that look worse again, in rounds, until no result can change or its calls are used up. False if the run
 * was stopped before. `look` is set if not all cases were asked yet.
 */
export async function askAgain(run: Run, look?: EarlyLook): Promise<boolean> {
  const { planned, acceptedPrompts, stop } = run;
  const first = await assess(run, undefined, look);
  if (!hasSuspicions(first)) return true;
  const cells = createRetrialCells({ planned, acceptedPrompts });
  const allowed = timesSpend(findRetrialBudget(run), look?.budget ?? 1);
  let assessment = first;
  let answersBefore = -1;
  for (;;) {
    const { judged, record } = assessment;
    const left = addSpend(allowed, timesSpend(cells.spentOn(record.summary), -1));
    const wanted = chooseRetrials(judged.suspicions.input, judged.settled, { left, spendOf: cells.spendOf });
    // An earlier part of the run may have made trials that this part has not reached yet.
    if (wanted.length === 0 && (look !== undefined || !run.record.countRest())) return true;
    if (stop.reason() !== undefined) return false;
    // The last round had neither an answer nor an error, as with an exhausted --max-cost. Another round would be the
    // same.
    const answers = countAnswers(record.summary);
    if (answers === answersBefore) return true;
    answersBefore = answers;
    const round = cells.render(tryAccepted(wanted, record.summary), record.summary);
    const unfinished = withoutFinished(run, round);
    // An earlier part that was cut short in this round has no more trials. If it has more, something changed and it
    // asked in other rounds. Then all its trials count before more are asked.
    if (unfinished.size === 0 || !run.record.countRest()) await executeCells(run, unfinished);
    assessment = await assess(run, undefined, look);
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

/**
 * Limits an accepted prompt that was not asked yet to two trials at first. Otherwise, many calls are wasted if its
 * model no longer exists.
 */
function tryAccepted(wanted: readonly WantedRetrials[], summary: RunSummary): readonly WantedRetrials[] {
  const known = new Set<string>();
  for (const { recorded, variants } of summary.suites) {
    for (const { recorded: own, cases } of variants) {
      const isAsked = [...cases.values()].some(({ accepted }) => accepted.length > 0);
      if (isAsked) known.add(suiteVariantKey({ suite: recorded.suite, prompt: own.prompt, provider: own.provider }));
    }
  }
  const tried = new Map<string, number>();
  const untried = new Set<string>();
  for (const { id, side } of wanted) {
    const key = variantOf(id);
    if (side !== 'accepted' || known.has(key)) continue;
    const before = tried.get(key) ?? 0;
    if (before >= triedAtFirst) untried.add(id);
    else tried.set(key, before + 1);
  }
  return wanted
    .filter(({ id }) => !untried.has(id))
    .map((one) => (one.side === 'accepted' && !known.has(variantOf(one.id)) ? { ...one, count: 1 } : one));
}

const triedAtFirst = 2;

/** The variant of a case, by the case's id. */
function variantOf(id: string): string {
  const [suite = '', prompt = '', provider = ''] = JSON.parse(id) as readonly string[];
  return suiteVariantKey({ suite, prompt, provider });
}

function hasSuspicions({ judged }: Awaited<ReturnType<typeof assess>>): boolean {
  const { cases, averages } = judged.settled;
  return cases.size + averages.size > 0;
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
