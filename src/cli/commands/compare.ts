import type { CompareFlags } from '../compare-command.ts';
import type { AddCommand } from './add-command.ts';

export const addCompare: AddCommand = (program, io, setExitCode) => {
  program
    .command('compare')
    .description('Compare two records without a call: A is the baseline, B the candidate.')
    .argument('<A>', 'git:REF, a baseline or record file, a run id, or a prompt version')
    .argument('<B>', 'likewise')
    .argument('[others...]', 'further prompt versions, each held against A')
    .option('--suite <id>', 'only this suite', (value: string, previous: string[]) => [...previous, value], [])
    .option('--run <id>', 'the run that holds the prompt versions (default: the last)')
    .option('--require-conclusive', 'exit 4 where the data cannot say')
    .option(
      '-r, --reporter <name[=path]>',
      'report format (repeatable)',
      (value: string, previous: string[]) => [...previous, value],
      [],
    )
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'only the verdict and what failed')
    .option('--verbose', 'every case, with its whole answer')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      `
Exit code 1 where B regressed, 0 else (4 under --require-conclusive where these data cannot say).

Examples:
  $ llmcheck compare v1 v2 --suite support-triage      two prompt versions of the last run
  $ llmcheck compare git:main latest                   the last run against main's baseline
  $ llmcheck compare before.jsonl after.jsonl -r markdown`,
    )
    .action(async (a: string, b: string, others: string[], flags: CompareFlags) => {
      const { compareCommand } = await import('../compare-command.ts');
      setExitCode(await compareCommand([a, b, ...others], flags, io));
    });
};
