import { decideCell } from '../assertions/decide-cell.ts';
import { judgeChecks } from '../assertions/judge-checks.ts';
import type { CellDecision, JudgedAnswer, JudgedChecks } from '../execute/run-cell.ts';
import { runWithDeadline } from '../lib/deadline.ts';
import type { CheckSpec, Verdict } from '../model/verdict.ts';

/** Applies a cell's checks to its answer. */
export async function judgeAnswer(checks: readonly CheckSpec[], answer: JudgedAnswer): Promise<JudgedChecks> {
  const { completion, latencyMs, costUsd } = answer;
  const verdicts = await judgeChecks(checks, { costUsd, ...completion, latencyMs }, { deadline: runWithDeadline });
  return { verdicts, judgeCostUsd: 0 };
}

export function decideAnswer(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision {
  const decision = decideCell(verdicts, threshold);
  return 'errored' in decision ? { status: 'errored', reason: decision.errored } : { status: 'decided', ...decision };
}
