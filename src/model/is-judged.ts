import type { CellStatus } from './cell.ts';

/**
 * True for a trial with a verdict. Figures of latency are those of judged trials: a conversation that broke off has the
 * latency of its beginning, which is a sample of nothing.
 */
export function isJudged({ status }: { readonly status: CellStatus }): boolean {
  return status === 'passed' || status === 'failed';
}

/** The latencies that figures are made of. */
export function judgedLatencies(
  trials: readonly { readonly status: CellStatus; readonly latencyMs?: number | undefined }[],
): readonly number[] {
  return trials.flatMap((trial) => (isJudged(trial) ? (trial.latencyMs ?? []) : []));
}
