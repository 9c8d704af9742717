import type { Io, Typed } from '../../src/cli/io.ts';
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
  /** Of the terminal; a file's where undefined. */
  readonly columns?: number;
  readonly openWatcher?: Io['openWatcher'];
  /** Other programs of one test need another sequence of chance. */
  readonly randomSeed?: number;
  /** Told of everything that goes to stdout and stderr. */
  readonly onOutput?: (text: string) => void;
  /** The answer to a question on a terminal; without it there is no terminal. */
  readonly answer?: (question: string) => string | Typed;
  /** Types a line, given what was printed since the last one; without it the input has ended. */
  readonly input?: (shown: string) => string | Typed;
  /** Receives the function that plays a signal. */
  readonly onReady?: (signal: (name: 'SIGINT' | 'SIGTERM') => void) => void;
}

function askWith(answer: NonNullable<CliOptions['answer']>, print: (text: string) => void): NonNullable<Io['ask']> {
  return (question) => {
    print(question);
    const typed = answer(question);
    return Promise.resolve(typeof typed === 'string' ? { line: typed } : typed);
  };
}

/** Runs the program in this process, through its real entry. */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  let random = options.randomSeed ?? 1;
  const write = (stream: 'stdout' | 'stderr', text: string): void => {
    if (stream === 'stdout') stdout += text;
    else stderr += text;
    options.onOutput?.(text);
  };
  const io: Io = {
    stdout: { write: (text) => write('stdout', text), isTty: false, columns: () => options.columns },
    stderr: { write: (text) => write('stderr', text), isTty: false, columns: () => undefined },
    env: options.env ?? {},
    cwd: options.cwd,
    now: options.now ?? (() => new Date()),
    wait: async () => {},
    // A fixed sequence keeps retry waits and run ids from depending on chance.
    random: () => {
      random = (random * 16_807) % 2_147_483_647;
      return random / 2_147_483_647;
    },
    ...(options.answer !== undefined && { ask: askWith(options.answer, (text) => write('stdout', text)) }),
    ...(options.openWatcher === undefined ? {} : { openWatcher: options.openWatcher }),
    openLines: () => {
      let read = 0;
      return {
        ask(question) {
          write('stdout', question);
          const reply = options.input?.(stdout.slice(read)) ?? { ended: 'input' };
          read = stdout.length;
          return Promise.resolve(typeof reply === 'string' ? { line: reply } : reply);
        },
        close: () => {},
      };
    },
    onSignal: (handler) => {
      options.onReady?.(handler);
      return () => {};
    },
  };
  const code = await main(argv, io);
  return { code, stdout, stderr };
}
