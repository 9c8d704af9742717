import { relative } from 'node:path';
import { decide } from '../gate/decide.ts';
import type { EndRow } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { buildReport } from '../record/build-report.ts';
import { summarizeRow } from '../record/summarize-row.ts';
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
