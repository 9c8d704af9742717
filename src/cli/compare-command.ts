import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { compareRecords } from '../verdict/compare-records.ts';
import { findReporters } from './find-reporters.ts';
import type { Io } from './io.ts';
import { writeReports } from './write-reports.ts';

export interface CompareFlags {
  readonly suite: readonly string[];
  readonly run?: string;
  readonly requireConclusive?: boolean;
  readonly reporter: readonly string[];
  readonly config?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

/** `llmcheck compare`: the exit code is the comparison's verdict. */
export async function compareCommand(sides: readonly string[], flags: CompareFlags, io: Io): Promise<number> {
  const { requests, problems } = await findReporters(flags.reporter, { cwd: io.cwd, config: flags.config });
  if (problems.length > 0) throw new UserError(problems);
  const report = await compareRecords({
    sides,
    suites: flags.suite,
    ...defined({ run: flags.run }),
    requireConclusive: flags.requireConclusive === true,
    root: findProjectRoot(io.cwd, flags.config),
    cwd: io.cwd,
    env: io.env,
  });
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
