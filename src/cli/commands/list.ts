import { Argument } from 'commander';
import type { ListSubject } from '../list-command.ts';
import type { AddCommand } from './add-command.ts';

const subjects = ['suites', 'cases', 'providers', 'assertions', 'reporters', 'runs'] satisfies ListSubject[];

export const addList: AddCommand = (program, io, setExitCode) => {
  program
    .command('list')
    .description('List suites, cases, providers, assertions, reporters or stored runs.')
    .addArgument(new Argument('<what>', 'what to list').choices(subjects))
    .argument('[paths...]', 'suite files, folders or globs; of assertions their names')
    .option('-c, --config <file>', 'config file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck list cases evals/triage.eval.yaml\n  $ llmcheck list assertions rouge bleu\n  $ llmcheck list assertions --json',
    )
    .action(async (what: ListSubject, paths: string[], flags: { config?: string; json?: boolean }) => {
      const { listCommand } = await import('../list-command.ts');
      setExitCode(await listCommand(what, paths, flags, io));
    });
};
