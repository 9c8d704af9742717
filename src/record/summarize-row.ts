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
    model: row.model,
    rowIndex,
  };
}
