import type { CellRow } from '../model/record.ts';
import type { RowSummary } from '../model/summary.ts';
import { hashAnswer } from './hash-answer.ts';

/** What counting, comparing and deciding need of a row. */
export type SummarizeRow = (row: CellRow, rowIndex: number) => RowSummary;

/** Keeps one copy of each name that the rows of a record repeat: parsed rows each bring their own. */
export function createRowSummarizer(): SummarizeRow {
  const names = new Map<string, string>();
  const share = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    names.set(name, name);
    return name;
  };
  return (row, rowIndex) => summarizeRow(row, rowIndex, share);
}

export function summarizeRow(row: CellRow, rowIndex: number, share = (name: string): string => name): RowSummary {
  const { caseId, trial, stamp, status, cached, score, latencyMs } = row;
  return {
    suite: share(row.suite),
    prompt: share(row.prompt),
    provider: share(row.provider),
    caseId,
    trial,
    stamp,
    status: share(status) as CellRow['status'],
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
    model: row.model === undefined ? undefined : share(row.model),
    rowIndex,
  };
}
