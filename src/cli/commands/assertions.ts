import { Option } from 'commander';
import type { StrengthFlags } from '../assertions-command.ts';
import type { AddCommand } from './add-command.ts';

export const addAssertions: AddCommand = (program, io, setExitCode) => {
  const assertions = program
    .command('assertions')
    .description('Look whether assertions would notice a wrong answer.')
    .addHelpText('after', '\nExample:\n  $ llmcheck assertions check evals/triage.eval.yaml');

  assertions
    .command('check')
    .description('Make stored right answers wrong, and list cases and checks that still pass.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .addOption(
      new Option('--from <source>', 'where answers are taken from (default: the first that has the suite)').choices([
        'run',
        'baseline',
        'recordings',
      ]),
    )
    .option('--run <id|file>', "a run's answers (default: the latest that has the suite)")
    .option(
      '--skip <kinds>',
      'wrong answers not to try, by comma: swapped, emptied, truncated, refusal, field-dropped, number-changed',
    )
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
No model is asked. Exit code 1 where a case or a check is weak, 4 where no stored answer passes.

Examples:
  $ llmcheck assertions check
  $ llmcheck assertions check --from recordings --skip number-changed
  $ llmcheck assertions check --run artifact/run.jsonl --json`,
    )
    .action(async (paths: string[], flags: StrengthFlags) => {
      const { strengthCommand } = await import('../assertions-command.ts');
      setExitCode(await strengthCommand(paths, flags, io));
    });
};
