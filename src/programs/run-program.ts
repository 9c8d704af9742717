import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { defined } from '../json/defined.ts';
import { decodeText } from '../text/decode-text.ts';
import { killGroup } from './kill-group.ts';
import { watchMemory } from './watch-memory.ts';

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly signal: AbortSignal;
  readonly maxOutputBytes: number;
  /** Of the program and what it starts, resident; unbounded where undefined. */
  readonly maxMemoryBytes?: number;
}

export type ProgramResult =
  | {
      readonly status: 'ended';
      /** Null where a signal ended it. */
      readonly exitCode: number | null;
      readonly signalName: string | null;
      readonly stdout: string;
      /** Why `stdout` is not what the program wrote, as the end of a sentence about it. */
      readonly fault?: string;
      /** The end of it. */
      readonly stderr: string;
      readonly latencyMs: number;
    }
  | { readonly status: 'unstartable'; readonly code: string; readonly message: string }
  | { readonly status: 'too-much-output' }
  | { readonly status: 'too-much-memory' }
  | { readonly status: 'aborted' };

export interface ProgramRunner {
  run(call: ProgramCall): Promise<ProgramResult>;
  /** Kills whatever still runs. */
  close(): void;
}

const stderrTailBytes = 4096;

/** Runs programs without a shell, each in a process group of its own, so that its children die with it. */
export function openProgramRunner(): ProgramRunner {
  const running = new Set<ChildProcessWithoutNullStreams>();
  return {
    run: (call) => run(call, running),
    close() {
      for (const child of running) killGroup(child);
    },
  };
}

function run(call: ProgramCall, running: Set<ChildProcessWithoutNullStreams>): Promise<ProgramResult> {
  const { argv, signal } = call;
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn(program, args, { cwd: call.cwd, env: call.env, detached: true, windowsHide: true });
    running.add(child);
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    let stderr = Buffer.alloc(0);

    function finish(result: ProgramResult): void {
      running.delete(child);
      stopWatching();
      signal.removeEventListener('abort', abort);
      resolve(result);
    }
    function abort(): void {
      killGroup(child);
      finish({ status: 'aborted' });
    }

    const { maxMemoryBytes } = call;
    const stopWatching =
      maxMemoryBytes === undefined || child.pid === undefined
        ? () => undefined
        : watchMemory(child.pid, maxMemoryBytes, () => {
            killGroup(child);
            finish({ status: 'too-much-memory' });
          });
    signal.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes <= call.maxOutputBytes) {
        stdout.push(chunk);
        return;
      }
      killGroup(child);
      finish({ status: 'too-much-output' });
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-stderrTailBytes);
    });
    child.on('error', (error) => {
      const code = 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
      finish({ status: 'unstartable', code, message: error.message });
    });
    // A program may answer without reading its input; the pipe that breaks then is no failure.
    child.stdin.on('error', () => undefined);
    child.on('close', (exitCode, signalName) => {
      const { text, fault } = decodeText(Buffer.concat(stdout), undefined);
      finish({
        status: 'ended',
        exitCode,
        signalName,
        stdout: text,
        ...defined({ fault }),
        stderr: stderr.toString('utf8'),
        latencyMs: performance.now() - startedAt,
      });
    });
    child.stdin.end(call.input);
  });
}
