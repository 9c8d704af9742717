import { Option } from 'commander';
import type { ReviewFlags } from '../review-command.ts';
import type { AddCommand } from './add-command.ts';

// A glob may hold commas in braces.
const collect = (value: string, previous: readonly string[]): string[] => [...previous, value];

export const addReview: AddCommand = (program, io, setExitCode) => {
  program
    .command('review')
    .description('Step through the changed answers of a run, and accept or reject each.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('--run <id|file>', 'the run to review (default: the last)')
    .option('-t, --filter <glob>', 'suite/case (repeatable)', collect, [])
    .option('--accept <glob>', 'accept these without asking (repeatable); needs --into', collect, [])
    .addOption(
      new Option('--into <place>', "where accepted answers go: the case's golden answer, or the baseline").choices([
        'expected',
        'snapshot',
        'baseline',
      ]),
    )
    .option('-c, --config <file>', 'config file')
    .option('--no-color', 'no colour')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
On a terminal it asks for each change; elsewhere, and without --accept, it lists them.
A snapshot is held against the baseline, so both names mean one place. Rejecting changes no file.
Exit code 1 where an answer that was to be accepted could not be.

Examples:
  $ llmcheck review
  $ llmcheck review --accept 'triage/refund-*' --into expected
  $ llmcheck review --accept '*' --into baseline`,
    )
    .action(async (paths: string[], flags: ReviewFlags) => {
      const { reviewCommand } = await import('../review-command.ts');
      setExitCode(await reviewCommand(paths, flags, io));
    });
};
