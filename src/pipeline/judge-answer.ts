import { decideCell } from '../assertions/decide-cell.ts';
import { judgeChecks } from '../assertions/judge-checks.ts';
import type { CellDecision, JudgedAnswer, JudgedChecks } from '../execute/run-cell.ts';
import { runWithDeadline } from '../lib/deadline.ts';
import type { CheckSpec, Verdict } from '../model/verdict.ts';
import type { FindAccepted } from './find-accepted.ts';

/** Applies a cell's checks to its answer; `findAccepted` gives `snapshot` the answer that was accepted for the same cell. */
export async function judgeAnswer(
  checks: readonly CheckSpec[],
  answer: JudgedAnswer,
  findAccepted: FindAccepted = () => undefined,
): Promise<JudgedChecks> {
  const { cell, completion, latencyMs, costUsd } = answer;
  // Of a conversation the last answer alone is kept, and turns have checks of their own.
  const accepted = checks === cell.checks && checks.some(needsAccepted) ? findAccepted(cell.key) : undefined;
  const view = { costUsd, ...completion, latencyMs };
  const verdicts = await judgeChecks(checks, view, { deadline: runWithDeadline }, accepted);
  return { verdicts, judgeCostUsd: 0 };
}

function needsAccepted({ assertion, children = [] }: CheckSpec): boolean {
  return assertion === 'snapshot' || children.some(needsAccepted);
}

export function decideAnswer(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  const decision = decideCell(verdicts, threshold);
  return 'errored' in decision ? { status: 'errored', reason: decision.errored } : { status: 'decided', ...decision };
}
