import { reportOnRun } from '../../../assessing/assess-run.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { describeStoredRun, findStoredRun } from '../../../project/stored-runs.ts';
import type { Io } from '../../io.ts';
import { addReportFlags, type ReportFlags, readReporters, writeReportsOnly } from '../../output/reports.ts';
import type { DefineCommand } from '../define.ts';

export const define: DefineCommand = (command, { io, exit }) => {
  command.argument('[run]', 'run id, the start of one, or a record file (default: the last run)');
  addReportFlags(command);
  command
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck report\n  $ llmcheck report 20261124-153012-a1b2c3 -r junit=report.xml -r json=report.json',
    )
    .action(async (run: string | undefined, flags: ReportFlags) => exit(await report(run, flags, io)));
};

async function report(run: string | undefined, flags: ReportFlags, io: Io): Promise<number> {
  const requests = await readReporters(flags, io);
  const root = findProjectRoot(io.cwd, flags.config);
  const stored = findStoredRun({ root }, run, io.cwd);
  if (flags.quiet !== true) io.stderr.write(`report of ${describeStoredRun(stored, io.now())}\n`);
  const found = await reportOnRun({ path: stored.path, root, cwd: io.cwd });
  return writeReportsOnly(found, requests, { io, ...flags });
}
