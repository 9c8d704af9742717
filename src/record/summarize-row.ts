import type { CellRow, RowHead } from '../model/record.ts';
import type { RowSummary } from '../model/summary.ts';
import { answerHashOf } from './hash-answer.ts';

/** What counting, comparing and deciding need of a row or its head; what the model said stays on disk. */
export function summarizeRow(row: RowHead & Pick<CellRow, 'output' | 'toolCalls'>, rowIndex: number): RowSummary {
  return {
    suite: row.suite,
    prompt: row.prompt,
    provider: row.provider,
    caseId: row.caseId,
    trial: row.trial,
    stamp: row.stamp,
    status: row.status,
    observe: row.observe === true,
    mustPass: row.mustPass === true,
    confirmation: row.confirmation === true,
    cached: row.cached,
    score: row.score,
    latencyMs: row.latencyMs,
    costUsd: row.costUsd,
    spentUsd: row.spentUsd,
    judgeCostUsd: row.judgeCostUsd,
    usage: row.usage,
    skipReason: row.skip?.reason,
    answerHash: answerHashOf(row),
    answerId: row.answerId,
    model: row.model,
    rowIndex,
  };
}
