import { randomBytes } from 'node:crypto';
import { exitCodes } from '../model/exit-code.ts';
import { findProjectRoot } from '../project/project-paths.ts';
import { openViewedRuns } from '../viewing/view-runs.ts';
import type { Io } from './io.ts';
import { openViewServer } from './view-server.ts';

export interface ViewFlags {
  readonly port?: number;
  readonly config?: string;
}

/** `llmcheck view`: stored runs in a browser, until Ctrl-C. */
export async function viewCommand({ port = 0, config }: ViewFlags, io: Io): Promise<number> {
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
  return received === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm;
}
