import { InvalidArgumentError } from 'commander';
import type { ViewFlags } from '../view-command.ts';
import type { AddCommand } from './add-command.ts';

export const addView: AddCommand = (program, io, setExitCode) => {
  program
    .command('view')
    .description('Look at the stored runs in a browser: history, any two compared, live while one runs.')
    .option('--port <n>', 'port on 127.0.0.1 (default: any that is free)', parsePort)
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
Prints an address with a key that is made anew each time. Only this machine can reach it, and nothing can be changed
through it. Ctrl-C ends it.

Example:
  $ llmcheck view --port 7400`,
    )
    .action(async (flags: ViewFlags) => {
      const { viewCommand } = await import('../view-command.ts');
      setExitCode(await viewCommand(flags, io));
    });
};

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('write a number up to 65535');
  return port;
}
