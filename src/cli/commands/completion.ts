import { Argument } from 'commander';
import type { AddCommand } from './add-command.ts';

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;

export const addCompletion: AddCommand = (program, io, setExitCode) => {
  program
    .command('completion')
    .description('Print what a shell sources to complete commands, flags and ids of suites, cases, prompts and runs.')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  $ llmcheck completion fish | source            in ~/.config/fish/config.fish
  $ eval "$(llmcheck completion bash)"           in ~/.bashrc
  $ eval "$(llmcheck completion zsh)"            in ~/.zshrc, after compinit
  $ llmcheck completion powershell | Out-String | Invoke-Expression`,
    )
    .action(async (shell: (typeof shells)[number]) => {
      const { completionScripts } = await import('../completion-scripts.ts');
      io.stdout.write(completionScripts[shell]);
      setExitCode(0);
    });
  program
    .command('complete', { hidden: true })
    .description('Print the words that may stand at the cursor, for the script of a shell.')
    .argument('[words...]', 'the words behind the program, the one at the cursor last')
    .addHelpText('after', '\nExample:\n  $ llmcheck complete -- run --prompt ""')
    .action(async (words: string[]) => {
      const { completeCommand } = await import('../complete-command.ts');
      setExitCode(await completeCommand(program, words, io));
    });
};
