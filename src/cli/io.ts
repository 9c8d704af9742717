import { defined } from '../json/defined.ts';
import type { JobIo, TextOutput } from '../publishing/job.ts';
import type { FileWatcher } from './watch/file-watcher.ts';

/** A stream as the program sees it. */
export interface TextSink extends TextOutput {
  readonly isTty: boolean;
  /** Undefined if it is not known. */
  readonly columns: () => number | undefined;
  /** Waits until everything is written. Resolves to the reason, such as a full disk, if some output was lost. */
  readonly settle?: () => Promise<string | undefined>;
}

/** A typed line, the end of the input, or Ctrl-C, which sends no signal while a line is edited. */
export type Typed = { readonly line: string } | { readonly ended: 'input' | 'interrupt' };

/** Reads lines until it is closed. Lines that arrive before a question answer it. */
export interface LineReader {
  readonly ask: (question: string) => Promise<Typed>;
  readonly close: () => void;
}

/** Everything that the program uses of its process. Tests pass their own. */
export interface Io extends JobIo<TextSink> {
  /** Asks the user for a line; undefined if there is no terminal. */
  readonly ask?: (question: string) => Promise<Typed>;
  /** Asks the user for a single key; undefined if the terminal gives only lines. */
  readonly askKey?: (question: string) => Promise<Typed>;
  /** Reads the input line by line, typed or from a pipe. */
  readonly openLines?: () => LineReader;
  /** Undefined if files can't be watched. */
  readonly openWatcher?: (onBatch: (paths: ReadonlySet<string>) => void) => Promise<FileWatcher>;
  /** Calls back for SIGINT and SIGTERM until the returned function is called. A second signal ends the process. */
  readonly onSignal: (handler: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void;
}

/** The real process. A reader that closes the pipe (`llmcheck run | head`) is not an error. */
export function processIo(): Io {
  return {
    stdout: streamSink(process.stdout),
    stderr: streamSink(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => new Date(),
    random: Math.random,
    ...(process.stdin.isTTY && process.stdout.isTTY ? { ask, askKey } : {}),
    openLines,
    openWatcher: async (onBatch) => (await import('./watch/file-watcher.ts')).openFileWatcher(onBatch),
    onSignal(handler) {
      let received = 0;
      const listen = (signal: 'SIGINT' | 'SIGTERM') => () => {
        received += 1;
        // The first signal asks for an orderly end, the second ends the process at once.
        if (received > 1) {
          removeAll();
          process.kill(process.pid, signal);
          return;
        }
        handler(signal);
      };
      const onInt = listen('SIGINT');
      const onTerm = listen('SIGTERM');
      process.on('SIGINT', onInt);
      process.on('SIGTERM', onTerm);
      const removeAll = () => {
        process.off('SIGINT', onInt);
        process.off('SIGTERM', onTerm);
      };
      return removeAll;
    },
  };
}

/** Loads the module on demand, because it takes a tenth of the start time. */
const loadReadline = () => process.getBuiltinModule('node:readline');

function ask(question: string): Promise<Typed> {
  const lines = loadReadline().createInterface({ input: process.stdin, output: process.stdout });
  return new Promise((resolve) => {
    lines.once('close', () => resolve({ ended: 'input' }));
    lines.once('SIGINT', () => {
      resolve({ ended: 'interrupt' });
      lines.close();
    });
    lines.question(question, (line) => {
      resolve({ line });
      lines.close();
    });
  });
}

/** Reads a key without Enter, then restores the terminal's mode. */
function askKey(question: string): Promise<Typed> {
  const { stdin, stdout } = process;
  stdout.write(question);
  return new Promise((resolve) => {
    const end = (typed: Typed, shown: string) => {
      stdin.off('data', onKey).off('end', onEnd);
      stdin.setRawMode(false);
      stdin.pause();
      stdout.write(`${shown}\n`);
      resolve(typed);
    };
    const onEnd = () => end({ ended: 'input' }, '');
    const onKey = (bytes: Buffer) => {
      const key = bytes.toString('utf8');
      if (key === '\u0003') end({ ended: 'interrupt' }, '');
      else if (key === '\u0004') end({ ended: 'input' }, '');
      // Arrow keys arrive as sequences, and pasted text may be a whole line. Both are ignored.
      else if (/^[\x20-\x7e]$/.test(key)) end({ line: key }, key);
    };
    stdin.on('data', onKey).on('end', onEnd);
    stdin.setRawMode(true);
    stdin.resume();
  });
}

function openLines(): LineReader {
  const isTyped = process.stdin.isTTY && process.stdout.isTTY;
  const lines = loadReadline().createInterface({
    input: process.stdin,
    ...defined({ output: isTyped ? process.stdout : undefined }),
  });
  const waiting: ((typed: Typed) => void)[] = [];
  const unread: Typed[] = [];
  let end: Typed | undefined;
  const answer = (typed: Typed) => {
    const next = waiting.shift();
    if (next === undefined) unread.push(typed);
    else next(typed);
  };
  lines.on('line', (line) => answer({ line }));
  lines.on('SIGINT', () => {
    end = { ended: 'interrupt' };
    lines.close();
  });
  lines.on('close', () => {
    end ??= { ended: 'input' };
    for (const next of waiting.splice(0)) next(end);
  });
  return {
    ask(question) {
      if (isTyped) {
        lines.setPrompt(question);
        lines.prompt();
      } else process.stdout.write(question);
      const typed = unread.shift() ?? end;
      return typed === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(typed);
    },
    close: () => lines.close(),
  };
}

function streamSink(stream: NodeJS.WriteStream): TextSink {
  let broken = false;
  let fault: string | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    broken = true;
    // A reader that closed the pipe (EPIPE) wants no more.
    if (error.code !== 'EPIPE') fault ??= error.message;
  });
  return {
    write(text) {
      if (!broken) stream.write(text);
    },
    isTty: stream.isTTY,
    columns: () => stream.columns,
    settle: () =>
      new Promise((resolve) => {
        // The event of an error comes after the callback of its write.
        const end = () => setImmediate(() => resolve(fault));
        if (broken) end();
        else stream.write('', end);
      }),
  };
}
