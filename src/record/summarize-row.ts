import type { CellRow } from '../model/record.ts';
import type { RowSummary } from '../model/summary.ts';
import { hashAnswer } from './hash-answer.ts';

/** What counting, comparing and deciding need of a row. */
export function summarizeRow(row: CellRow, rowIndex: number): RowSummary {
  const { suite, prompt, provider, caseId, trial, identity, stamp, status, cached, score, latencyMs } = row;
  return {
    suite,
    prompt,
    provider,
    caseId,
    trial,
    identity,
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
    answerHash: hashAnswer(row),
    model: row.model,
    rowIndex,
  };
}
