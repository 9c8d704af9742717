import type { Report, ReportStyle } from '../model/report.ts';
import type { RepositoryPaths } from './locate-report.ts';

/** One format of a finished run, or of what a contract command found. It prints the report and decides nothing. */
export interface Reporter<Subject = Report> {
  readonly summary: string;
  /** Of the file it is written to, without the dot. */
  readonly extension: string;
  /** Given for formats that CI systems read: they take paths relative to the repository. */
  readonly locate?: (report: Subject, paths: RepositoryPaths) => Subject;
  /** Yields the text in chunks, so that the size of a run does not matter. */
  render(report: Subject, style: ReportStyle): Iterable<string>;
}
