import { randomBytes } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { exitCodeOfSignal } from '../../../model/comparison/exit-code.ts';
import { findProjectRoot } from '../../../project/project-paths.ts';
import { openViewedRuns } from '../../../viewing/view-runs.ts';
import type { Io } from '../../io.ts';
import { openViewServer } from '../../view/server.ts';
import type { DefineCommand } from '../define.ts';

interface Flags {
  readonly port?: number;
  readonly config?: string;
}

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .option('--port <n>', 'port on 127.0.0.1 (default: any that is free)', parsePort)
    .option('-c, --config <file>', 'config file')
    .addHelpText(
      'after',
      `
Prints an address with a new key each time. Only this machine can reach it, and it is read-only. Ctrl-C ends it.

Example:
  $ llmcheck view --port 7400`,
    )
    .action(async (flags: Flags) => exit(await view(flags, io)));
};

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('write a number up to 65535');
  return port;
}

/** Serves the stored runs until a signal arrives. */
async function view({ port = 0, config }: Flags, io: Io): Promise<number> {
  const root = findProjectRoot(io.cwd, config);
  const runs = openViewedRuns({ root, cwd: io.cwd, env: io.env, now: io.now });
  const server = await openViewServer({ runs, token: randomBytes(32).toString('base64url'), port });
  const signal = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    const stopListening = io.onSignal((name) => {
      stopListening();
      resolve(name);
    });
  });
  io.stdout.write(`${server.url}\n`);
  io.stderr.write('Open this address in a browser; Ctrl-C ends it.\n');
  const received = await signal;
  await server.close();
  return exitCodeOfSignal(received);
}
