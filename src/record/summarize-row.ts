import type { CellRow, RowHead } from '../model/record.ts';
import type { RowSummary } from '../model/summary.ts';
import { answerHashOf } from './hash-answer.ts';

/** A head, or a whole row. */
type SummarizedRow = RowHead & Pick<CellRow, 'output' | 'toolCalls'>;

/** What counting, comparing and deciding need of a row. */
export function summarizeRow(row: SummarizedRow, rowIndex: number): RowSummary {
  const { caseId, trial, stamp, status, cached, score, latencyMs } = row;
  return {
    suite: row.suite,
    prompt: row.prompt,
    provider: row.provider,
    caseId,
    trial,
    stamp,
    status,
    observe: row.observe === true,
    mustPass: row.mustPass === true,
    confirmation: row.confirmation === true,
    cached,
    score,
    latencyMs,
    costUsd: row.costUsd,
    spentUsd: row.spentUsd,
    judgeCostUsd: row.judgeCostUsd,
    skipReason: row.skip?.reason,
    answerHash: answerHashOf(row),
    answerId: row.answerId,
    model: row.model,
    rowIndex,
  };
}

/** A row with another verdict, by other checks. Its fields are read one by one: of a view a spread would copy none. */
export function copyRow(row: RowSummary, changes: Pick<RowSummary, 'stamp' | 'status' | 'score'>): RowSummary {
  return {
    suite: row.suite,
    prompt: row.prompt,
    provider: row.provider,
    caseId: row.caseId,
    trial: row.trial,
    stamp: changes.stamp,
    status: changes.status,
    observe: row.observe,
    mustPass: row.mustPass,
    confirmation: row.confirmation,
    cached: row.cached,
    score: changes.score,
    latencyMs: row.latencyMs,
    costUsd: row.costUsd,
    spentUsd: row.spentUsd,
    judgeCostUsd: row.judgeCostUsd,
    skipReason: row.skipReason,
    answerHash: row.answerHash,
    answerId: row.answerId,
    model: row.model,
    rowIndex: row.rowIndex,
  };
}
