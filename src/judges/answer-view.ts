import type { CellRow } from '../model/record.ts';

/** The answer of a stored row, as checks look at it. */
export function answerViewOf(row: CellRow) {
  const { output: text = '', toolCalls = [], finishReason, latencyMs, costUsd, reasoning, usage } = row;
  return {
    text,
    toolCalls,
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    costUsd: costUsd ?? undefined,
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(usage === undefined ? {} : { usage }),
  };
}
