import type { AddCommand } from './add-command.ts';

export const addValidate: AddCommand = (program, io, setExitCode) => {
  program
    .command('validate')
    .description('Check suites, prompts, schemas and config exactly as run does before its first call.')
    .argument('[paths...]', 'suite files, folders or globs (default: evals/**/*.eval.yaml)')
    .option('-c, --config <file>', 'config file')
    .option('-q, --quiet', 'print problems only')
    .addHelpText('after', '\nExamples:\n  $ llmcheck validate\n  $ llmcheck validate evals/triage.eval.yaml')
    .action(async (paths: string[], flags: { config?: string; quiet?: boolean }) => {
      const { validateCommand } = await import('../validate-command.ts');
      setExitCode(await validateCommand(paths, flags, io));
    });
};
