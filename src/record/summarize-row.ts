import type { CellRow, RowHead } from '../model/record.ts';
import type { RowSummary } from '../model/summary.ts';
import { answerHashOf } from './hash-answer.ts';

/** A head, or a whole row. */
type SummarizedRow = RowHead & Pick<CellRow, 'output' | 'toolCalls'>;

/** What counting, comparing and deciding need of a row. */
export type SummarizeRow = (row: SummarizedRow, rowIndex: number) => RowSummary;

/** Keeps one copy of each name that the rows of a record repeat: parsed rows each bring their own. */
export function createRowSummarizer(): SummarizeRow {
  const share = { suite: createShare(), prompt: createShare(), provider: createShare(), model: createShare() };
  return (row, rowIndex) => summarizeRow(row, rowIndex, share);
}

type Share = (name: string) => string;

/** Rows come in runs of the same names, so the last one is nearly always it, and no name has to be hashed. */
function createShare(): Share {
  const names = new Map<string, string>();
  let last = '';
  return (name) => {
    if (name === last) return last;
    last = names.get(name) ?? name;
    names.set(last, last);
    return last;
  };
}

const asItIs: Share = (name) => name;

export function summarizeRow(
  row: SummarizedRow,
  rowIndex: number,
  share: Readonly<Record<'suite' | 'prompt' | 'provider' | 'model', Share>> = {
    suite: asItIs,
    prompt: asItIs,
    provider: asItIs,
    model: asItIs,
  },
): RowSummary {
  const { caseId, trial, stamp, status, cached, score, latencyMs } = row;
  return {
    suite: share.suite(row.suite),
    prompt: share.prompt(row.prompt),
    provider: share.provider(row.provider),
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
    model: row.model === undefined ? undefined : share.model(row.model),
    rowIndex,
  };
}
