import { reportOnRun } from '../../../assessing/assess-run.ts';
import type { Report } from '../../../model/report/report.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { mergeRecords } from '../../../run/record/merge-records.ts';
import type { Io } from '../../io.ts';
import { addReportFlags, type ReportFlags, readReporters, writeDecision } from '../../output/reports.ts';
import type { DefineCommand } from '../define.ts';

export const define: DefineCommand = (command, { io, exit }) => {
  command.argument('<records...>', 'record files or run ids, one a shard');
  addReportFlags(command);
  command
    .addHelpText(
      'after',
      `
A shard that is missing, of another run, or there twice is exit 2. The exit code is that of the run as a whole.

Examples:
  $ llmcheck merge shards/*.jsonl -r junit=report.xml      after \`llmcheck run --shard i/4\` on four machines
  $ llmcheck merge 20261124-153012-a1b2c3 20261124-153114-d4e5f6`,
    )
    .action(async (shards: string[], flags: ReportFlags) => exit(await merge(shards, flags, io)));
};

async function merge(shards: readonly string[], flags: ReportFlags, io: Io): Promise<number> {
  const requests = await readReporters(flags, io);
  const report = await reportOnShards(shards, flags.config, io);
  return writeDecision(report, requests, { io, ...flags });
}

/** Writes the record of the whole run, and reports on it. */
export async function reportOnShards(
  shards: readonly string[],
  config: string | undefined,
  { cwd, now, random }: Io,
): Promise<Report> {
  const root = findProjectRoot(cwd, config);
  const path = mergeRecords({ shards, root, cwd, now, random });
  return reportOnRun({ path, root, cwd });
}
