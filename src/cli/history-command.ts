import { readHistory } from '../history/read-history.ts';
import { UserError } from '../model/errors.ts';
import type { History } from '../model/history.ts';
import type { Problem } from '../model/problem.ts';
import type { ReportStyle } from '../model/report.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import type { Io } from './io.ts';
import { renderHistory } from './render-history.ts';
import { parseRequests, writeReportsOnly } from './write-reports.ts';

export interface HistoryFlags {
  readonly suite: readonly string[];
  readonly limit: string;
  readonly recent?: string;
  readonly cases?: boolean;
  readonly reporter: string;
  readonly config?: string;
  readonly color?: boolean;
}

/** `llmcheck history`: stored runs lined up. */
export async function historyCommand(paths: readonly string[], flags: HistoryFlags, io: Io): Promise<number> {
  const { requests, problems } = parseRequests([flags.reporter], {
    terminal: {
      extension: 'txt',
      render: (history: History, style: ReportStyle) =>
        renderHistory(history, { ...style, allCases: flags.cases === true }),
    },
    json: { extension: 'json', render: (history: History) => [`${JSON.stringify(history, undefined, 1)}\n`] },
  });
  const limit = readCount('--limit', flags.limit);
  const recent = flags.recent === undefined ? undefined : readCount('--recent', flags.recent);
  const faults = [...problems, limit, recent].filter((found): found is Problem => typeof found === 'object');
  if (faults.length > 0) throw new UserError(faults);
  const history = readHistory({
    root: findProjectRoot(io.cwd, flags.config ?? io.env['LLMCHECK_CONFIG']),
    cwd: io.cwd,
    paths,
    suites: flags.suite,
    limit: Number(limit),
    ...(recent === undefined ? {} : { recent: Number(recent) }),
  });
  for (const { message } of history.damaged) io.stderr.write(`warning: a run is left out: ${message}\n`);
  // What a request without a path replaces is the terminal's report alone.
  const wanted = requests.filter(({ name, path }) => path !== undefined || name === flags.reporter);
  // The records were masked when they were written.
  return writeReportsOnly(history, wanted, {
    io,
    mask: (text) => text,
    color: flags.color !== false,
    quiet: false,
    verbose: false,
  });
}

function readCount(flag: string, text: string): number | Problem {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  return { code: 'usage', severity: 'error', message: `${flag}: "${text}" is not a whole number above 0` };
}
