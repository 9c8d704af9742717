import { defined } from '../json/defined.ts';
import type { ContractReport, LocatedFinding, PromptFindings } from '../model/comparison/finding.ts';
import type { CaseBlame, CaseReport, Report, ReportStyle } from '../model/report/report.ts';

/** One format for the report of a run or a contract command. It does not affect the decision. */
export interface Reporter<Subject = Report> {
  readonly summary: string;
  /** The extension of the report's file, without the dot. */
  readonly extension: string;
  /** Set for formats that CI systems read, which need paths relative to the repository. */
  readonly locate?: (report: Subject, paths: RepositoryPaths) => Subject;
  /** Yields the text in chunks, so that the size of a run does not matter. */
  render(report: Subject, style: JobStyle): Iterable<string>;
}

/** The style for a CI job, whose verdict may differ from the run's decision. */
export interface JobStyle extends ReportStyle {
  readonly heading?: ReportHeading;
  /** True if nothing is annotated as an error. */
  readonly isCalm?: boolean;
}

/** A heading in place of the report's own verdict. */
export interface ReportHeading {
  readonly mark?: string;
  readonly name?: string;
  readonly word?: string;
  readonly sentence?: string;
  readonly exitCode?: number;
  /** Follows the exit code. */
  readonly end?: string;
}

/** Paths for CI, relative to the repository and independent of the working folder. */
export interface RepositoryPaths {
  readonly fileOf: (file: string) => string;
  /** The path of a suite file, given relative to the project. */
  readonly suiteOf: (path: string) => string;
  /** The address of a line at the tested commit, for a file that a place names; undefined if it is not known. */
  readonly urlOf: (file: string, line: number) => string | undefined;
}

/** The report with every path relative to the repository. */
export function locateReport(report: Report, paths: RepositoryPaths): Report {
  return {
    ...report,
    suites: report.suites.map((suite) => ({
      ...suite,
      path: paths.suiteOf(suite.path),
      *cases(filter) {
        for (const entry of suite.cases(filter)) yield locateCase(entry, paths);
      },
    })),
    ...defined({ contracts: report.contracts?.map((entry) => locateFindings(entry, paths)) }),
  };
}

/** `locateReport` for the report of a contract command. */
export function locateContracts(report: ContractReport, paths: RepositoryPaths): ContractReport {
  return { ...report, entries: report.entries.map((entry) => locateFindings(entry, paths)) };
}

/** The rows of a case are read on demand. A copy would read them all. */
function locateCase(entry: CaseReport, paths: RepositoryPaths): CaseReport {
  return Object.create(entry, {
    at: { get: () => locate(entry.at, paths) },
    blame: { get: () => entry.blame && locateBlame(entry.blame, paths) },
  }) as CaseReport;
}

function locateBlame({ at, ...blame }: CaseBlame, paths: RepositoryPaths): CaseBlame {
  return { ...blame, ...defined({ at: at && locate(at, paths) }) };
}

function locateFindings<Entry extends Pick<PromptFindings, 'findings'>>(entry: Entry, paths: RepositoryPaths): Entry {
  const findings = entry.findings.map(
    (finding): LocatedFinding => ({ ...finding, ...defined({ at: finding.at && locate(finding.at, paths) }) }),
  );
  return { ...entry, findings };
}

function locate<Place extends { readonly file: string; readonly line: number }>(
  at: Place,
  { fileOf, urlOf }: RepositoryPaths,
): Place {
  return { ...at, file: fileOf(at.file), ...defined({ url: urlOf(at.file, at.line) }) };
}
