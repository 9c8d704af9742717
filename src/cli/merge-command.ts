import { UserError } from '../model/errors.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { mergeRecords } from '../run/merge-records.ts';
import { reportOnRun } from '../verdict/report-on-run.ts';
import { findReporters } from './find-reporters.ts';
import type { Io } from './io.ts';
import type { ReportFlags } from './report-command.ts';
import { writeReports } from './write-reports.ts';

/** `llmcheck merge`: the shards of a run as one, with one gate, whose word is the exit code. */
export async function mergeCommand(shards: readonly string[], flags: ReportFlags, io: Io): Promise<number> {
  const { requests, problems } = await findReporters(flags.reporter, { cwd: io.cwd, config: flags.config });
  if (problems.length > 0) throw new UserError(problems);
  const root = findProjectRoot(io.cwd, flags.config);
  const path = mergeRecords({ shards, root, cwd: io.cwd, now: io.now, random: io.random });
  const report = await reportOnRun({ path, root, cwd: io.cwd, env: io.env });
  // A reporter of a plug-in is handed the report itself, and decides nothing.
  const { exitCode } = report;
  await writeReports(report, requests, {
    io,
    // Records are masked when they are written.
    mask: (text) => text,
    color: flags.color !== false,
    quiet: flags.quiet === true,
    verbose: flags.verbose === true,
  });
  return exitCode;
}
