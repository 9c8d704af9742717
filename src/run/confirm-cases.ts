import type { FindBaseline } from '../baseline/find-baselines.ts';
import { judgeContract, mustPassRetrials } from '../compare/gate/judge-cases.ts';
import type { VariantKey } from '../model/baseline.ts';
import type { Cell } from '../model/cell.ts';
import type { CaseSummary } from '../model/summary.ts';
import { providerKey } from '../plan/build-plan.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import { createRenderer } from '../plan/render-cells.ts';
import type { RunOptions } from '../plan/run-options.ts';
import { brokenCaseFailures } from '../stats/exact-tests.ts';
import type { Assessment } from '../verdict/assess-run.ts';

/** Further trials of a case on one variant, to tell a broken case from a flaky one. */
export interface Retrials extends VariantKey {
  readonly suite: string;
  readonly caseId: string;
  /** The number after the planned trials and the retrials so far. */
  readonly firstTrial: number;
  readonly count: number;
}

export interface ConfirmOptions {
  readonly planned: PlannedRun;
  /** Runs cells, by the keys of their providers. */
  readonly execute: (cells: ReadonlyMap<string, readonly Cell[]>) => Promise<void>;
  /** Judges the record as it is now. */
  readonly assess: () => Promise<Assessment>;
  /** True for suites that would give the same answer again. */
  readonly isHermetic: (suiteId: string) => boolean;
  readonly isStopped: () => boolean;
}

/** A case whose retrials errored this often won't be settled by asking again. */
const maxErroredRetrials = 2;

/** After this many rounds without a verdict, as with an exhausted budget, a further round would bring none. */
const maxIdleRounds = 2;

/** Runs retrials of failed cases in rounds until the gate needs no more. False where the run was stopped before that. */
export async function confirmCases(options: ConfirmOptions): Promise<boolean> {
  const { planned, execute, assess, isHermetic, isStopped } = options;
  let verdictsBefore = -1;
  let idleRounds = 0;
  for (;;) {
    const assessment = await assess();
    const wanted = planRetrials(assessment).filter(({ suite }) => !isHermetic(suite));
    if (wanted.length === 0) return true;
    if (isStopped()) return false;
    const verdicts = countRetrialVerdicts(assessment);
    idleRounds = verdicts > verdictsBefore ? 0 : idleRounds + 1;
    if (idleRounds >= maxIdleRounds) return true;
    verdictsBefore = verdicts;
    await execute(renderRetrials(planned, wanted));
  }
}

/** The retrials that would settle the cases which the gate leaves open. */
function planRetrials({ record, gated, judged }: Assessment): readonly Retrials[] {
  const wanted: Retrials[] = [];
  const add = (suite: string, { prompt, provider }: VariantKey, found: CaseSummary, count: number) => {
    const errored = found.confirmations.filter(({ status }) => status === 'errored').length;
    if (errored >= maxErroredRetrials) return;
    wanted.push({ suite, prompt, provider, caseId: found.caseId, firstTrial: nextTrial(found), count });
  };
  for (const [index, { suite, variant }] of gated.entries()) {
    for (const { caseId, retrials } of judged[index]?.open ?? []) {
      const found = variant.cases.get(caseId);
      if (found !== undefined) add(suite.recorded.suite, variant.recorded, found, retrials);
    }
  }
  const compared = new Set(gated.map(({ variant }) => variant));
  for (const { recorded, variants } of record.summary.suites) {
    for (const variant of variants) {
      if (compared.has(variant) || variant.replacedBy !== undefined) continue;
      for (const found of variant.cases.values()) {
        if (!found.mustPass) continue;
        const [verdict] = judgeContract(found.caseId, found, 'must-pass', 'retrials', false);
        if (verdict?.kind === 'open') add(recorded.suite, variant.recorded, found, verdict.retrials);
      }
    }
  }
  return wanted;
}

function nextTrial({ trials, confirmations }: CaseSummary): number {
  return Math.max(-1, ...[...trials, ...confirmations].map(({ trial }) => trial)) + 1;
}

function countRetrialVerdicts({ record }: Assessment): number {
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

/** Renders retrials, by provider key. Their trial numbers are part of the cache key, so each is a new sample. */
export function renderRetrials(
  { plan, rendering }: Pick<PlannedRun, 'plan' | 'rendering'>,
  wanted: readonly Retrials[],
): ReadonlyMap<string, readonly Cell[]> {
  const cells = new Map<string, Cell[]>();
  for (const { suite, variants } of plan.suites) {
    const byCase = new Map<string, Retrials[]>();
    for (const retrials of wanted) {
      if (retrials.suite !== suite.id) continue;
      byCase.set(retrials.caseId, [...(byCase.get(retrials.caseId) ?? []), retrials]);
    }
    if (byCase.size === 0) continue;
    for (const testCase of suite.cases()) {
      for (const { prompt, provider, count, firstTrial } of byCase.get(testCase.id) ?? []) {
        const variant = variants.find((other) => other.prompt.id === prompt && other.provider.id === provider);
        if (variant === undefined) continue;
        const key = providerKey(variant.provider);
        const rendered = createRenderer(suite, variant, rendering)(testCase, count, firstTrial);
        const confirming = rendered.map((cell) => ({ ...cell, confirmation: true as const }));
        cells.set(key, [...(cells.get(key) ?? []), ...confirming]);
      }
    }
  }
  return cells;
}

/**
 * The most retrials that the planned trials of a case can lead to, given for one of these trials after the other: the first
 * brings all that a single trial can lead to, each further one what more, or less, there is to ask for then.
 */
export function createRetrialBound(
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
    // Both sides of each variant, since they may have no case in common.
    const n = cases * variants.length * 2;
    failuresToBreak.set(suite.id, brokenCaseFailures({ n, alpha: suite.gate.alpha }));
  }
  const boundAfter = (trials: number, { key, mustPass }: Cell) => {
    const failures = failuresToBreak.get(key.suite);
    if (trials === 0 || (failures === undefined && !mustPass)) return 0;
    return Math.max(mustPassRetrials, (failures ?? 0) - trials) + maxErroredRetrials - 1;
  };
  return (cell) => (cell.observe ? 0 : boundAfter(cell.key.trial + 1, cell) - boundAfter(cell.key.trial, cell));
}
