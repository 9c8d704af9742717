import { defined } from '../json/defined.ts';
import type { CellRow } from '../model/record.ts';

/** The answer of a stored row, as checks look at it. */
export function answerViewOf(row: CellRow) {
  const { output: text = '', toolCalls = [], finishReason, latencyMs, costUsd, reasoning, usage } = row;
  return {
    text,
    toolCalls,
    ...defined({ finishReason, latencyMs }),
    costUsd: costUsd ?? undefined,
    ...defined({ reasoning, usage }),
  };
}
