import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { defined } from '../json/defined.ts';
import { decodeText } from '../text/decode-text.ts';
import { killGroup, watchMemory } from './child-processes.ts';

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly signal: AbortSignal;
  readonly maxOutputBytes: number;
  /** Of the program and what it starts, resident; unbounded where undefined. */
  readonly maxMemoryBytes?: number;
  /** Set where what the program left running is killed when it has ended. */
  readonly endsGroup?: true;
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
      /** Only its end. */
      readonly stderr: string;
      readonly latencyMs: number;
    }
  | { readonly status: 'unstartable'; readonly message: string }
  | { readonly status: 'too-much-output' }
  | { readonly status: 'too-much-memory' }
  | { readonly status: 'aborted' };

export interface ProgramRunner {
  run(call: ProgramCall): Promise<ProgramResult>;
  /** Kills every program that still runs. */
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
  const [program = '', ...args] = call.argv;
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn(program, args, { cwd: call.cwd, env: call.env, detached: true, windowsHide: true });
    running.add(child);
    const finish = (result: ProgramResult): void => {
      running.delete(child);
      stopWatching();
      call.signal.removeEventListener('abort', abort);
      resolve(result);
    };
    const stop = (status: 'aborted' | 'too-much-memory' | 'too-much-output'): void => {
      killGroup(child);
      finish({ status });
    };
    const abort = () => stop('aborted');
    const stopWatching =
      call.maxMemoryBytes === undefined || child.pid === undefined
        ? () => undefined
        : watchMemory(child.pid, call.maxMemoryBytes, () => stop('too-much-memory'));
    call.signal.addEventListener('abort', abort, { once: true });
    const output = readStreams(child, call.maxOutputBytes, () => stop('too-much-output'));
    child.on('error', (error) => finish({ status: 'unstartable', message: error.message }));
    // A program may answer without reading its input; the pipe that breaks then is no failure.
    child.stdin.on('error', () => undefined);
    child.on('close', (exitCode, signalName) => {
      const latencyMs = performance.now() - startedAt;
      if (call.endsGroup === true) killGroup(child);
      finish({ status: 'ended', exitCode, signalName, ...output(), latencyMs });
    });
    child.stdin.end(call.input);
  });
}

/** Collects stdout up to a limit and the end of stderr. */
function readStreams(child: ChildProcessWithoutNullStreams, maxOutputBytes: number, onTooMuch: () => void) {
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes <= maxOutputBytes) stdout.push(chunk);
    else onTooMuch();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-stderrTailBytes);
  });
  return () => {
    const { text, fault } = decodeText(Buffer.concat(stdout), undefined);
    return { stdout: text, ...defined({ fault }), stderr: stderr.toString('utf8') };
  };
}

const basicVariables =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|NODE_\w+|SYSTEMROOT|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA)$/i;

/** The variables that a program sees: the basic ones and those in `names`, so that keys do not reach it by accident. */
export function selectEnv(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const selected: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (basicVariables.test(name) || names.includes(name))) selected[name] = value;
  }
  return selected;
}
