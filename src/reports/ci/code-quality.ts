import type { JsonObject } from '../../json/json.ts';
import type { Problem } from '../../model/problem.ts';
import type { Report } from '../../model/report/report.ts';
import { shortenToWidth } from '../../terminal/display-width.ts';
import { escapeJsonText, toSafeLine } from '../../text/sanitize.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { locateReport, type Reporter, type RepositoryPaths } from '../reporter.ts';
import { type Annotation, listAnnotations } from './github.ts';

export const gitlab: Reporter = {
  summary: 'code quality report of GitLab: each case that broke, at its line in the merge request',
  extension: 'json',
  locate: locateReport,
  render: renderCodeQuality,
};

/** GitLab reads the whole file for each view of a merge request. */
const maxIssues = 500;
const maxColumns = 500;

function* renderCodeQuality(report: Report): Iterable<string> {
  const { errors, warnings } = listAnnotations(report, maxIssues);
  yield writeIssues([...errors.slice(0, maxIssues), ...warnings.slice(0, maxIssues)], report.suites[0]?.path);
}

/** The problems of a run that could not start. */
export function renderCodeQualityProblems(problems: readonly Problem[], paths: RepositoryPaths | undefined): string {
  const annotations = problems.map(({ severity, code, message, hint, at }): Annotation => {
    const text = hint === undefined ? message : `${message}; ${hint}`;
    const place = at ?? { file: 'llmcheck.config.yaml', line: 1 };
    return {
      level: severity,
      title: `llmcheck: ${code}`,
      message: text,
      at: { ...place, file: paths?.fileOf(place.file) ?? place.file },
    };
  });
  return writeIssues(annotations, undefined);
}

/** GitLab shows only issues with a path. It compares the branches by fingerprint, so answers and lines are not in it. */
function writeIssues(annotations: readonly Annotation[], defaultFile: string | undefined): string {
  const seen = new Map<string, number>();
  const issues = annotations.flatMap(({ level, title, message, at }): JsonObject[] => {
    const { file = '', line = 1 } = at ?? { file: defaultFile };
    if (file === '') return [];
    const name = JSON.stringify([file, title]);
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return [
      {
        description: shortenToWidth(toSafeLine(`${title}: ${message.replaceAll('\n', '; ')}`), maxColumns),
        check_name: 'llmcheck',
        fingerprint: sha256Hex(`${name} ${count}`),
        severity: level === 'error' ? 'major' : 'minor',
        location: { path: file, lines: { begin: line } },
      },
    ];
  });
  return `${escapeJsonText(JSON.stringify(issues, undefined, 2))}\n`;
}
