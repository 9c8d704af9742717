import type { AddCommand } from './add-command.ts';

export const addBaseline: AddCommand = (program, io, setExitCode) => {
  const baseline = program
    .command('baseline')
    .description('Accept a run as what later runs are held against, and look after what was accepted.')
    .addHelpText(
      'after',
      `
Examples:
  $ llmcheck baseline accept                            the last run, for all of its suites
  $ llmcheck baseline accept evals/triage.eval.yaml     for one suite
  $ llmcheck baseline accept --run artifact/run.jsonl   a record that CI kept
  $ llmcheck baseline show                              what is accepted, case by case`,
    );

  const run = (action: string) => async (paths: string[], flags: Record<string, unknown>) => {
    const { baselineCommand } = await import('../baseline-command.ts');
    setExitCode(await baselineCommand(action, paths, flags, io));
  };

  baseline
    .command('accept')
    .description('Write a run beside its suites as their baseline.')
    .argument('[paths...]', 'suite files, folders or globs (default: every suite of the run), or the id of the run')
    .option('--run <id|file>', 'the run to accept (default: the last)')
    .option('--known-failures', 'name each failing case that becomes a known failure, with its reason')
    .option('--force', 'accept an incomplete or errored run, or broken must-pass cases')
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck baseline accept\n  $ llmcheck baseline accept --run artifact/run.jsonl',
    )
    .action(run('accept'));
  for (const [name, description] of [
    ['show', 'Show accepted results, case by case.'],
    ['list', 'List suites with their baselines.'],
    ['prune', 'Drop rows of cases, prompts and providers that are gone.'],
  ] as const) {
    baseline
      .command(name)
      .description(description)
      .argument('[paths...]', 'suite files, folders or globs')
      .option('-c, --config <file>', 'config file')
      .option('--json', 'as JSON')
      .addHelpText('after', `\nExample:\n  $ llmcheck baseline ${name}`)
      .action(run(name));
  }
};
