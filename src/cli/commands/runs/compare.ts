import { compareRecords } from '../../../assessing/compare-records.ts';
import { defined } from '../../../json/defined.ts';
import { exitCodes } from '../../../model/comparison/exit-code.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import type { Io } from '../../io.ts';
import { addReportFlags, collect, type ReportFlags, readReporters, writeDecision } from '../../output/reports.ts';
import type { DefineCommand } from '../define.ts';

interface Flags extends ReportFlags {
  readonly suite: readonly string[];
  readonly run?: string;
  readonly requireConclusive?: boolean;
  readonly reportOnly?: boolean;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('<A>', 'git:REF, a baseline or record file, a run id, or a prompt version')
    .argument('<B>', 'likewise')
    .argument('[others...]', 'further prompt versions, each compared with A')
    .option('--suite <id>', 'only this suite', collect, [])
    .option('--run <id>', 'the run that holds the prompt versions (default: the last)')
    .option('--require-conclusive', 'exit 4 where the data cannot say')
    .option('--report-only', 'exit 0 whatever the comparison shows');
  addReportFlags(command, 'every case, with its whole answer');
  command
    .addHelpText(
      'after',
      `
Exit code 1 where B regressed, 4 where something looks worse and was not asked again, 0 else.
--require-conclusive exits 4 too where these data cannot say, and --report-only always exits 0.

Examples:
  $ llmcheck compare v1 v2 --suite support-triage      two prompt versions of the last run
  $ llmcheck compare git:main latest                   the last run against main's baseline
  $ llmcheck compare before.jsonl after.jsonl -r markdown`,
    )
    .action(async (a: string, b: string, others: string[], flags: Flags) =>
      exit(await compare([a, b, ...others], flags, io)),
    );
};

async function compare(sides: readonly string[], flags: Flags, io: Io): Promise<number> {
  const requests = await readReporters(flags, io);
  const report = await compareRecords({
    sides,
    suites: flags.suite,
    ...defined({ run: flags.run }),
    requireConclusive: flags.requireConclusive === true,
    root: findProjectRoot(io.cwd, flags.config),
    cwd: io.cwd,
    env: io.env,
  });
  const exitCode = await writeDecision(report, requests, { io, ...flags });
  return flags.reportOnly === true ? exitCodes.passed : exitCode;
}
