import { contractCheck } from '../assertions/structure/json-schema.ts';
import { judgeContract } from '../compare/gate/judge-cases.ts';
import type { Cell } from '../model/cell.ts';
import type { CaseSummary } from '../model/summary.ts';
import type { Plan } from '../plan/build-plan.ts';
import { type FreshTrials, renderFreshCells } from '../plan/fresh-cells.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import type { Assessment } from '../verdict/assess-run.ts';

export interface ConfirmOptions {
  readonly plan: Plan;
  readonly planned: PlannedRun;
  readonly execute: (cellsOf: (laneId: string) => Iterable<Cell>, laneIds: Iterable<string>) => Promise<void>;
  readonly assess: () => Promise<Assessment>;
  /** Suites that answer the same again, so that a fresh trial is none. */
  readonly isHermetic: (suiteId: string) => boolean;
  /** True as soon as nothing new may be started. */
  readonly isStopped: () => boolean;
}

/** A case whose fresh trials errored this often won't be settled by asking again. */
export const maxErroredTrials = 2;

/** Rounds without a verdict, as where the budget is used up, after which no further round would bring one. */
const maxIdleRounds = 2;

/**
 * Runs fresh trials of the cases whose fate hangs on them (stats.md 4.3, 4.4), and of no others, until all are settled.
 * False where the run was stopped before they were.
 */
export async function confirmCases(options: ConfirmOptions): Promise<boolean> {
  const { plan, planned, execute, assess, isHermetic } = options;
  let verdictsBefore = -1;
  let idleRounds = 0;
  for (;;) {
    const assessment = await assess();
    const wanted = findOpenCases(assessment).filter(({ suite }) => !isHermetic(suite));
    if (wanted.length === 0) return true;
    if (options.isStopped()) return false;
    const verdicts = countConfirmations(assessment);
    idleRounds = verdicts > verdictsBefore ? 0 : idleRounds + 1;
    if (idleRounds >= maxIdleRounds) return true;
    verdictsBefore = verdicts;
    const lanes = renderFreshCells(plan, wanted, {
      selection: { filters: [], tags: [], prompts: [], providers: [] },
      endpointOf: planned.endpointOf,
      hashEnv: planned.hashEnv,
      contractCheck,
      describeFile: planned.describeFile,
    });
    await execute((id) => lanes.get(id) ?? [], lanes.keys());
  }
}

function findOpenCases({ record, gated, judged }: Assessment): readonly FreshTrials[] {
  const wanted: FreshTrials[] = [];
  const add = (suite: string, prompt: string, provider: string, found: CaseSummary, count: number) => {
    const errored = found.confirmations.filter(({ status }) => status === 'errored').length;
    if (errored >= maxErroredTrials) return;
    wanted.push({ suite, prompt, provider, caseId: found.caseId, firstTrial: nextTrial(found), count });
  };
  for (const [index, { open }] of judged.entries()) {
    const comparison = gated[index];
    if (comparison === undefined) continue;
    const { prompt, provider } = comparison.variant.recorded;
    for (const { caseId, freshTrials } of open) {
      const found = comparison.variant.cases.get(caseId);
      if (found !== undefined) add(comparison.suite.recorded.suite, prompt, provider, found, freshTrials);
    }
  }
  const compared = new Set(gated.map(({ variant }) => variant));
  for (const suite of record.summary.suites) {
    for (const variant of suite.variants) {
      if (compared.has(variant) || variant.replacedBy !== undefined) continue;
      for (const found of variant.cases.values()) {
        if (!found.mustPass) continue;
        const [word] = judgeContract(found.caseId, found, 'must-pass', 'fresh', false);
        if (word?.kind !== 'open') continue;
        add(suite.recorded.suite, variant.recorded.prompt, variant.recorded.provider, found, word.freshTrials);
      }
    }
  }
  return wanted;
}

function nextTrial({ trials, confirmations }: CaseSummary): number {
  return Math.max(-1, ...[...trials, ...confirmations].map(({ trial }) => trial)) + 1;
}

function countConfirmations({ record }: Assessment): number {
  let count = 0;
  for (const { variants } of record.summary.suites) {
    for (const { cases } of variants) {
      for (const { confirmations } of cases.values()) {
        count += confirmations.filter(({ status }) => status === 'passed' || status === 'failed').length;
      }
    }
  }
  return count;
}
