import type { Report, ReportStyle } from '../model/report.ts';

/** One format of a finished run. It prints what the report says and never decides anything. */
export interface Reporter {
  readonly summary: string;
  /** Of the file it is written to, without the dot. */
  readonly extension: string;
  /** Yields the text in chunks, so that the size of a run does not matter. */
  render(report: Report, style: ReportStyle): Iterable<string>;
}

export function defineReporter(reporter: Reporter): Reporter {
  return reporter;
}
