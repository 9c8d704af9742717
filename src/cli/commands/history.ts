import type { HistoryFlags } from '../history-command.ts';
import type { AddCommand } from './add-command.ts';

const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, ...value.split(',')];

export const addHistory: AddCommand = (program, io, setExitCode) => {
  program
    .command('history')
    .description(
      'Show how suites, variants and cases did over stored runs, and which cases flake otherwise than before.',
    )
    .argument('[paths...]', 'suite files, folders or globs (default: every suite that a stored run holds)')
    .option('-s, --suite <id>', 'only these suites (repeatable)', collect, [])
    .option('-n, --limit <n>', 'the latest n runs', '50')
    .option('--recent <n>', 'the latest n of them are held against those before (default: half)')
    .option('--cases', 'every case, not only those whose flake rate changed')
    .option('-r, --reporter <name[=path]>', 'terminal or json', 'terminal')
    .option('-c, --config <file>', 'config file')
    .option('--no-color', 'no colour')
    .addHelpText(
      'after',
      '\nExamples:\n  $ llmcheck history\n  $ llmcheck history evals/triage.eval.yaml --limit 20 --cases\n  $ llmcheck history -r json=history.json',
    )
    .action(async (paths: string[], flags: HistoryFlags) => {
      const { historyCommand } = await import('../history-command.ts');
      setExitCode(await historyCommand(paths, flags, io));
    });
};
