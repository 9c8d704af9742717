import type { ReportFlags } from '../report-command.ts';
import type { AddCommand } from './add-command.ts';

export const addMerge: AddCommand = (program, io, setExitCode) => {
  program
    .command('merge')
    .description('Make one run of the records of all its shards, and let one gate decide.')
    .argument('<records...>', 'record files or run ids, one a shard')
    .option(
      '-r, --reporter <name[=path]>',
      'report format (repeatable)',
      (value: string, previous: string[]) => [...previous, value],
      [],
    )
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'only the verdict and what failed')
    .option('--verbose', 'every failing case, with its whole answer')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
A shard that is missing, of another run, or there twice is exit 2. The exit code is that of the run as a whole.

Examples:
  $ llmcheck merge shards/*.jsonl -r junit=report.xml      after \`llmcheck run --shard i/4\` on four machines
  $ llmcheck merge 20261124-153012-a1b2c3 20261124-153114-d4e5f6`,
    )
    .action(async (shards: string[], flags: ReportFlags) => {
      const { mergeCommand } = await import('../merge-command.ts');
      setExitCode(await mergeCommand(shards, flags, io));
    });
};
