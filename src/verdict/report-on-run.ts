import { openBaselines } from '../baseline/find-baselines.ts';
import { openJudgePorts } from '../judges/open-judge-ports.ts';
import type { Report } from '../model/report.ts';
import { openCells } from '../plan/find-cells.ts';
import { readRunHeader } from '../record/read-run-record.ts';
import { assessRun, reportAssessment } from './assess-run.ts';
import { judgeContracts } from './judge-contracts.ts';
import { pricerOfRecords } from './price-records.ts';

export interface ReportOnRunOptions {
  readonly path: string;
  readonly root: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Judges a stored run from its rows, against the baseline that it was run against, as that stands today. */
export async function reportOnRun(options: ReportOnRunOptions): Promise<Report> {
  const { path, cwd } = options;
  const header = readRunHeader(path);
  const findBaseline = openBaselines(header.settings.baseline, { ...options, isRecorded: true });
  const judge = openJudgePorts(options);
  try {
    const assessment = await assessRun({
      path,
      cwd,
      findBaseline,
      costOf: await pricerOfRecords(header.suites),
      cellOf: openCells(header, options),
      judgePorts: judge.ports,
    });
    return reportAssessment(assessment, {
      contracts: await judgeContracts(assessment, { findBaseline }),
      root: options.root,
    });
  } finally {
    judge.close();
  }
}
