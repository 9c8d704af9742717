import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { describeExit, describeStartError, keepTail, killGroup } from './run-program.ts';

export interface LineProgramCall {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly maxLineBytes: number;
  readonly onLine: (line: string) => void;
  /** Called once: the program has ended, could not be started, or wrote too long a line. */
  readonly onEnd: (why: string) => void;
}

/** A program that exchanges lines over stdin and stdout. */
export interface LineProgram {
  write(line: string): void;
  /** The end of what it wrote on stderr. */
  stderr(): string;
  /** Closes its input, and kills it with all that it started where it does not end by itself soon. */
  close(): Promise<void>;
}

const graceMs = 300;

/** Starts a program without a shell, in a process group of its own. */
export function startLineProgram(call: LineProgramCall): LineProgram {
  const [program = '', ...args] = call.argv;
  const child = spawn(program, args, { cwd: call.cwd, env: call.env, detached: true, windowsHide: true });
  const decoder = new StringDecoder('utf8');
  let pending = '';
  const stderr = keepTail(child.stderr);
  let hasEnded = false;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));

  function end(why: string): void {
    if (hasEnded) return;
    hasEnded = true;
    call.onEnd(why);
  }

  function read(chunk: Buffer): void {
    if (hasEnded) return;
    const [first = '', ...rest] = decoder.write(chunk).split('\n');
    const lines = [pending + first, ...rest];
    pending = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') call.onLine(line);
    if (pending.length <= call.maxLineBytes) return;
    pending = '';
    end(`wrote a line of more than ${Math.floor(call.maxLineBytes / 1024 / 1024)} MiB`);
    killGroup(child);
  }

  child.stdout.on('data', read);
  child.on('error', (error) => end(`can't be started: ${describeStartError(error, program)}`));
  child.on('close', (code, signal) => end(describeExit({ exitCode: code, signalName: signal })));
  // The program may end while a line is written; `close` says why.
  child.stdin.on('error', () => undefined);
  return {
    write(line) {
      if (child.stdin.writable) child.stdin.write(`${line}\n`);
    },
    stderr,
    async close() {
      hasEnded = true;
      if (child.pid === undefined) return;
      child.stdin.end();
      const timers = [setTimeout(() => killGroup(child), graceMs)];
      // What it has started may have left its group, and keep its streams open.
      const isOver = new Promise<void>((resolve) => timers.push(setTimeout(resolve, 2 * graceMs)));
      await Promise.race([closed, isOver]);
      for (const timer of timers) clearTimeout(timer);
      killGroup(child);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    },
  };
}
