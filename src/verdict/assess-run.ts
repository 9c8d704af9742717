import { decide } from '../compare/gate/decide.ts';
import type { Confirmability } from '../compare/gate/judge-cases.ts';
import { type GatedComparison, type JudgedComparison, judgeComparisons } from '../compare/gate/judge-comparisons.ts';
import { readTrends } from '../history/read-trends.ts';
import { defined } from '../json/defined.ts';
import type { EndRow } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { buildReport } from '../record/build-report.ts';
import { openStoredRecord, type StoredRecord } from '../record/open-stored-record.ts';
import { type CompareRunOptions, compareRun } from './compare-run.ts';
import type { JudgedContracts } from './judge-contracts.ts';

export interface AssessRecordOptions extends Omit<CompareRunOptions, 'confirmability'> {
  /** Undefined: nobody is asked any more, so a failure stands unless the run was cut off before it could be confirmed. */
  readonly confirmability?: (suite: string) => Confirmability;
}

export interface AssessOptions extends Omit<AssessRecordOptions, 'record'> {
  readonly path: string;
  readonly cwd: string;
  /** How the run ended, where the record has no such line (yet). */
  readonly end?: EndRow;
}

/** A record counted, compared and judged, before anybody words it. */
export interface Assessment {
  readonly record: StoredRecord;
  readonly gated: readonly GatedComparison[];
  readonly judged: readonly JudgedComparison[];
}

/** Judges a record from its rows: the same for the run that just ended and for one of last week. */
export async function assessRun(options: AssessOptions): Promise<Assessment> {
  const { path, cwd, end } = options;
  return assessRecord({ ...options, record: openStoredRecord(path, cwd, end === undefined ? {} : { end }) });
}

/** Judges a record that is open already. */
export async function assessRecord(options: AssessRecordOptions): Promise<Assessment> {
  const settled = options.record.summary.stopReason === undefined ? 'stands' : 'stopped';
  const gated = await compareRun({ confirmability: () => settled, ...options });
  return { record: options.record, gated, judged: judgeComparisons(gated) };
}

export interface ReportOptions {
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  readonly contracts?: JudgedContracts;
  /** The project's root, where the stored runs lie that trends are read from. */
  readonly root?: string;
}

export function reportAssessment({ record, gated, judged }: Assessment, options: ReportOptions = {}): Report {
  const { header, end, summary } = record;
  const { contracts, root, ...ending } = options;
  const decision = decide({
    summary,
    settings: header.settings,
    comparisons: judged,
    ...ending,
    ...defined({ further: contracts }),
  });
  return buildReport({
    header,
    end: end === undefined ? undefined : { ...end, notes: [...end.notes, ...record.warnings] },
    summary,
    decision,
    readRow: record.readRow,
    recordPath: record.shownPath,
    comparisons: new Map(judged.map(({ variant, report }) => [variant, report])),
    compared: new Map(gated.map(({ variant, compared }) => [variant, compared])),
    ...(contracts === undefined || contracts.contracts.length === 0 ? {} : { contracts: contracts.contracts }),
    ...(root === undefined ? {} : { trends: () => readTrends({ root }, { header, summary }) }),
  });
}
