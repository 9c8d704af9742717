import { openBaselines, openComparedRef, openReferences } from '../baseline/find-baselines.ts';
import { readTrends } from '../history/read-trends.ts';
import { defined } from '../json/defined.ts';
import { openJudgePorts } from '../judges/judge-answer.ts';
import type { Report } from '../model/report/report.ts';
import { openCells } from '../plan/find-cells.ts';
import { createRecordPricer } from '../plan/price-variants.ts';
import { buildReport } from '../record/build-report.ts';
import { openStoredRecord, readRunHeader, type StoredRecord } from '../record/read-run-record.ts';
import { decide } from '../verdict/gate/decide-run.ts';
import type { EarlyLook } from '../verdict/gate/early-end.ts';
import type { GatedComparison } from '../verdict/gate/gated-comparison.ts';
import { type JudgedRun, judgeRun } from '../verdict/gate/judge-comparisons.ts';
import { type CompareRunOptions, compareRun } from './compare-run.ts';
import { findEmptyAnswers } from './find-empty-answers.ts';
import { type JudgedContracts, judgeContracts } from './judge-contracts.ts';
import { type JudgedErosion, judgeErosion } from './judge-erosion.ts';
import { judgeSwaps } from './judge-swap.ts';

export interface AssessRecordOptions extends CompareRunOptions {
  /** True while confirmation trials can still be made. */
  readonly isOpen?: boolean;
  /** Given while planned cells were not asked yet. */
  readonly look?: EarlyLook;
}

/** A record counted, compared and judged; not yet a report. */
export interface Assessment {
  readonly record: StoredRecord;
  readonly gated: readonly GatedComparison[];
  readonly judged: JudgedRun;
}

/** Judges a record from its rows: of the run that just ended or of an older one. */
export async function assessRecord(options: AssessRecordOptions): Promise<Assessment> {
  const { record, isOpen = false, look } = options;
  const gated = await compareRun(options);
  const { settings } = record.header;
  const judged = judgeRun(gated, { summary: record.summary, settings, isFinal: !isOpen, ...defined({ look }) });
  return { record, gated, judged };
}

export interface ReportOptions {
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  readonly contracts?: JudgedContracts;
  readonly erosion?: JudgedErosion;
  /** Warnings of the comparison itself. */
  readonly warnings?: readonly string[];
  /** The project's root. Trends are read from the stored runs there. */
  readonly root?: string;
}

export function reportAssessment({ record, judged }: Assessment, options: ReportOptions = {}): Report {
  const { header, end, summary } = record;
  const { contracts, erosion, warnings = [], root, ...ending } = options;
  const decision = decide({
    summary,
    settings: header.settings,
    judged,
    ...ending,
    further: {
      failures: [...(contracts?.failures ?? []), ...(erosion?.failures ?? [])],
      warnings: [
        ...findEmptyAnswers(record),
        ...(erosion?.warnings ?? []),
        ...(contracts?.warnings ?? []),
        ...warnings,
      ],
    },
  });
  return buildReport({
    header,
    end: end === undefined ? undefined : { ...end, notes: [...end.notes, ...record.warnings] },
    summary,
    decision,
    readRow: record.readRow,
    recordPath: record.shownPath,
    comparisons: new Map(judged.comparisons.map(({ variant, report }) => [variant, report])),
    compared: new Map(judged.comparisons.map(({ variant, compared }) => [variant, compared])),
    ...defined({
      contracts: contracts === undefined || contracts.contracts.length === 0 ? undefined : contracts.contracts,
      erosion: erosion === undefined || erosion.findings.length === 0 ? undefined : erosion.findings,
      swaps:
        header.settings.swap === undefined
          ? undefined
          : judgeSwaps({ summary, settings: header.settings, judged, decision }),
      trends: root === undefined ? undefined : () => readTrends({ root }, { header, summary }),
    }),
  });
}

export interface ReportOnRunOptions {
  readonly path: string;
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Reports on a record that anybody may have written. It is compared with what is committed here. No suite is loaded, no
 * answer is judged, and nothing of the record is run.
 */
export async function reportOnUntrusted({ path, ...options }: ReportOnRunOptions): Promise<Report> {
  const header = readRunHeader(path);
  const findBaseline = openBaselines({ source: 'git:HEAD' }, options);
  const record = openStoredRecord(path, options.cwd);
  const costOf = await createRecordPricer(header.suites);
  return reportAssessment(await assessRecord({ record, findBaseline, costOf }));
}

/** Reports on a stored run, compared with the baseline that it ran against, as that is today. */
export async function reportOnRun(options: ReportOnRunOptions): Promise<Report> {
  const { path, cwd } = options;
  const header = readRunHeader(path);
  const { baseline } = header.settings;
  const place = { ...options, ...defined({ ref: openComparedRef(baseline, options) }) };
  const findBaseline = openBaselines(baseline, { ...place, isRecorded: true });
  const findReference = openReferences(baseline, place);
  const judge = openJudgePorts(options);
  try {
    const assessment = await assessRecord({
      record: openStoredRecord(path, cwd),
      findBaseline,
      costOf: await createRecordPricer(header.suites),
      cellOf: openCells(header, options),
      judgePorts: judge.ports,
    });
    return reportAssessment(assessment, {
      contracts: await judgeContracts(assessment, { findBaseline }),
      erosion: judgeErosion(assessment.record, { findReference, root: options.root }),
      root: options.root,
    });
  } finally {
    judge.close();
  }
}
