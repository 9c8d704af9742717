import { onTestFinished } from 'vitest';
import { type CliResult, runCli } from './run-cli.ts';

export interface RunningWorker {
  /** What it has logged so far. */
  readonly log: () => string;
  /** Resolves once its log holds the text. */
  logged(text: string): Promise<void>;
  /** Sends SIGTERM and waits for its end. */
  stop(): Promise<CliResult>;
}

let startedWorkers = 0;

/** `llmcheck worker` in this process; resolves once it is ready. Ends with the test. */
export async function startWorker(
  cwd: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<RunningWorker> {
  let log = '';
  let signal: (name: 'SIGTERM') => void = () => undefined;
  const waiting = new Set<() => void>();
  // Each has a name of its own, whatever chance says.
  startedWorkers += 1;
  const ended = runCli(['worker', ...argv], {
    cwd,
    env,
    randomSeed: startedWorkers,
    onReady: (play) => {
      signal = play;
    },
    onOutput(text) {
      log += text;
      for (const look of waiting) look();
    },
  });
  const logged = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!log.includes(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then(({ code }) => reject(new Error(`the worker ended with ${code}:\n${log}`)), reject);
    });
  await logged('ready');
  const stop = (): Promise<CliResult> => {
    signal('SIGTERM');
    return ended;
  };
  onTestFinished(async () => {
    await stop();
  });
  return { log: () => log, logged, stop };
}
