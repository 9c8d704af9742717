import { relative } from 'node:path';
import { decide } from '../gate/decide.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { CellRow, EndRow } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import type { RowSummary } from '../model/summary.ts';
import { buildReport } from '../record/build-report.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import { openRowReader, readRunRecord } from '../stores/read-run-record.ts';

export interface ReportOnRunOptions {
  readonly path: string;
  readonly cwd: string;
  /** How the run ended, where the record could not take that line any more. */
  readonly end?: EndRow;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

/** Judges a stored run from its rows: the same for the run that just ended and for one of last week. */
export function reportOnRun(options: ReportOnRunOptions): Report {
  const record = readRunRecord(options.path, summarizeRow);
  const end = record.end ?? options.end;
  const summary = summarizeRun(record.header, record.summaries, end);
  const decision = decide({
    summary,
    settings: record.header.settings,
    ...(options.interrupted === undefined ? {} : { interrupted: options.interrupted }),
  });
  const reader = openRowReader(record);
  const recordPath = relative(options.cwd, options.path);
  return buildReport({
    header: record.header,
    end: end === undefined ? undefined : { ...end, notes: [...end.notes, ...record.warnings] },
    summary,
    decision,
    readRow: reader,
    recordPath: recordPath.startsWith('..') ? options.path : recordPath,
  });
}

function summarizeRow(row: CellRow, rowIndex: number): RowSummary {
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

function hashAnswer({ output, toolCalls }: CellRow): string | undefined {
  if (output === undefined) return undefined;
  return sha256Hex(toolCalls === undefined ? output : `${output}\u0000${canonicalJson(toolCalls)}`).slice(0, 16);
}
