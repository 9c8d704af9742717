import type { Io } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => Date;
  /** Receives the function that plays a signal. */
  readonly onReady?: (signal: (name: 'SIGINT' | 'SIGTERM') => void) => void;
}

/** Runs the program in this process, through its real entry. */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  let random = 1;
  const io: Io = {
    stdout: { write: (text) => void (stdout += text), isTty: false, columns: () => undefined },
    stderr: { write: (text) => void (stderr += text), isTty: false, columns: () => undefined },
    env: options.env ?? {},
    cwd: options.cwd,
    now: options.now ?? (() => new Date()),
    // A fixed sequence keeps retry waits and run ids from depending on chance.
    random: () => {
      random = (random * 16_807) % 2_147_483_647;
      return random / 2_147_483_647;
    },
    onSignal: (handler) => {
      options.onReady?.(handler);
      return () => {};
    },
  };
  const code = await main(argv, io);
  return { code, stdout, stderr };
}
