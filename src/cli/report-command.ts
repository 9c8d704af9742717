import { UserError } from '../model/errors.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { describeStoredRun, findStoredRun } from '../project/stored-runs.ts';
import { reportOnRun } from '../verdict/report-on-run.ts';
import { findReporters } from './find-reporters.ts';
import type { Io } from './io.ts';
import { writeReportsOnly } from './write-reports.ts';

export interface ReportFlags {
  readonly reporter: readonly string[];
  readonly config?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

/** `llmcheck report`: a stored run in any format. */
export async function reportCommand(run: string | undefined, flags: ReportFlags, io: Io): Promise<number> {
  const { requests, problems } = await findReporters(flags.reporter, { cwd: io.cwd, config: flags.config });
  if (problems.length > 0) throw new UserError(problems);
  const root = findProjectRoot(io.cwd, flags.config);
  const stored = findStoredRun({ root }, run, io.cwd);
  if (flags.quiet !== true) io.stderr.write(`report of ${describeStoredRun(stored, io.now())}\n`);
  const report = await reportOnRun({ path: stored.path, root, cwd: io.cwd, env: io.env });
  return writeReportsOnly(report, requests, {
    io,
    // The record was masked when it was written; the keys of that run need not be known any more.
    mask: (text) => text,
    color: flags.color !== false,
    quiet: flags.quiet === true,
    verbose: flags.verbose === true,
  });
}
