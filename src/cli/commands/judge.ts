import type { JudgeFlags } from '../judge-command.ts';
import type { AddCommand } from './add-command.ts';

export const addJudge: AddCommand = (program, io, setExitCode) => {
  const judge = program
    .command('judge')
    .description('Look after the models that judge answers.')
    .addHelpText('after', '\nExample:\n  $ llmcheck judge check');

  judge
    .command('check')
    .description('Hold judges against answers that people have judged, and keep how far they agree.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--judge <id,…>', 'only these judges')
    .option('--cache <mode>', 'use, refresh, replay or off', 'use')
    .option('--record', "write the suites' recordings from the judges' replies")
    .option('--max-cost <usd>', 'stop before this is spent')
    .option('-j, --concurrency <n>', 'calls in flight at most (default: from 8 on, as many as the judges take)')
    .option('--timeout <duration>', 'for one call, all attempts together', '60s')
    .option('--no-keep', 'show the result and write no file')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Labelled answers are rows of the file that labels: of a judge names. What is found is written
beside the suite, and minKappa: of the judge asks for it in every run.
Exit code 4 where a judge is below its minKappa or nothing was labelled, 3 where replies could not be had.

Examples:
  $ llmcheck judge check
  $ llmcheck judge check evals/triage.eval.yaml --judge strict --json`,
    )
    .action(async (paths: string[], flags: JudgeFlags) => {
      const { judgeCheckCommand } = await import('../judge-command.ts');
      setExitCode(await judgeCheckCommand(paths, flags, io));
    });
};
