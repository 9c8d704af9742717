import type { AddCommand } from './add-command.ts';

export const addInit: AddCommand = (program, io, setExitCode) => {
  program
    .command('init')
    .description('Write a working suite, prompt versions, recorded answers and a CI workflow.')
    .argument('[folder]', 'where to write', '.')
    .option('--force', 'overwrite files that exist')
    .addHelpText('after', '\nExamples:\n  $ llmcheck init && llmcheck run\n  $ llmcheck init my-project')
    .action(async (folder: string, flags: { force?: boolean }) => {
      const { initCommand } = await import('../init-command.ts');
      setExitCode(await initCommand(folder, flags, io));
    });
};
