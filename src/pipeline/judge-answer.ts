import { decideCell } from '../assertions/decide-cell.ts';
import type { AssertionPorts } from '../assertions/define.ts';
import { judgeChecks } from '../assertions/judge-checks.ts';
import type { CellDecision, JudgedAnswer, JudgedChecks } from '../execute/run-cell.ts';
import { runWithDeadline } from '../lib/deadline.ts';
import type { CheckSpec, Verdict } from '../model/verdict.ts';
import type { FindAccepted } from './find-accepted.ts';
import { comparesAccepted } from './identify.ts';

/** What checks may need of the world; where something is missing, the checks that need it can't be made. */
export interface JudgePorts extends Omit<AssertionPorts, 'deadline'> {
  /** Gives `snapshot` the answer that was accepted for the same cell. */
  readonly findAccepted?: FindAccepted;
}

/** Applies a cell's checks to its answer. */
export async function judgeAnswer(
  checks: readonly CheckSpec[],
  answer: JudgedAnswer,
  { findAccepted = () => undefined, ...ports }: JudgePorts = {},
): Promise<JudgedChecks> {
  const { cell, completion, latencyMs, costUsd } = answer;
  // Of a conversation the last answer alone is kept, and turns have checks of their own.
  const accepted = checks === cell.checks && checks.some(comparesAccepted) ? findAccepted(cell.key) : undefined;
  const view = { costUsd, ...completion, latencyMs };
  const verdicts = await judgeChecks(checks, view, { deadline: runWithDeadline, ...ports }, accepted);
  return { verdicts, judgeCostUsd: 0 };
}

export function decideAnswer(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  const decision = decideCell(verdicts, threshold);
  return 'errored' in decision ? { status: 'errored', reason: decision.errored } : { status: 'decided', ...decision };
}
