import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { describeExit, describeStartError, keepTail, killGroup } from './run-program.ts';

export interface LineProgramCall {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly maxLineBytes: number;
  readonly onLine: (line: string) => void;
  /** Called once when the program ends, can't be started, or writes too long a line. */
  readonly onEnd: (why: string) => void;
}

/** A program that exchanges lines over stdin and stdout. */
export interface LineProgram {
  write(line: string): void;
  /** The end of the program's stderr. */
  stderr(): string;
  /** Closes stdin. Kills the program and its children if it does not end soon. */
  close(): Promise<void>;
}

const graceMs = 300;

/** Starts a program without a shell, in its own process group. */
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
  // The program may end during a write; `close` reports why.
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
      // A child may have left the group and still hold the streams open.
      const isOver = new Promise<void>((resolve) => timers.push(setTimeout(resolve, 2 * graceMs)));
      await Promise.race([closed, isOver]);
      for (const timer of timers) clearTimeout(timer);
      killGroup(child);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    },
  };
}
