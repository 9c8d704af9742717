import type { Report } from '../model/report.ts';
import { readRunHeader } from '../stores/read-run-record.ts';
import { assessRun, reportAssessment } from './assess-run.ts';
import { openBaselines } from './find-baselines.ts';
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
  const { settings } = readRunHeader(path);
  return reportAssessment(
    await assessRun({
      path,
      cwd,
      findBaseline: openBaselines(settings.baseline, options),
      costOf: await pricerOfRecords(),
      confirmability: () => 'stands',
    }),
  );
}
