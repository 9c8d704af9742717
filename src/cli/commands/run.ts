import { addFlags } from '../add-flags.ts';
import { runFlags } from '../run-flags.ts';
import type { AddCommand } from './add-command.ts';

export const addRun: AddCommand = (program, io, setExitCode) => {
  const command = program
    .command('run')
    .description('Run suites: discover, plan, execute, judge, decide, report.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('-c, --config <file>', 'config file (default: llmcheck.config.yaml of the nearest folder)')
    .option('--no-color', 'no colour');
  addFlags(command, runFlags);
  command
    .addHelpText(
      'after',
      `
Each flag is also an environment variable (--max-cost: LLMCHECK_MAX_COST) and a key of the config's run: (maxCost).

Examples:
  $ llmcheck run                                      every suite under evals/
  $ llmcheck run evals/triage.eval.yaml -t refund     the cases of one suite whose id contains "refund"
  $ llmcheck run --max-cost 0.50 --deadline 10m       within a budget and a time
  $ llmcheck run --cache replay -r junit=report.xml   without a call, with a report for CI
  $ llmcheck run --resume                             go on with a run that was stopped
  $ llmcheck run --queue redis://127.0.0.1:6379/0     let workers make the calls (see llmcheck worker)

Exit codes: 0 passed, 1 failed, 2 usage, 3 provider errors, 4 incomplete, 70 bug, 130/143 interrupted.`,
    )
    .action(async (paths: string[], flags: Record<string, unknown>) => {
      const { runCommand } = await import('../run-command.ts');
      setExitCode(await runCommand(paths, flags, io));
    });
};
