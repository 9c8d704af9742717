import { type ChildProcess, type ChildProcessWithoutNullStreams, execFile, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { kill, platform } from 'node:process';
import type { Readable } from 'node:stream';
import { unlessRefused } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { parseAnyJson, parseJson } from '../json/parse-json.ts';
import { withoutInherited } from '../json/without-inherited.ts';
import { lastOutput } from '../text/code/last-output.ts';
import { onAbort } from '../text/deadline.ts';
import { decodeText } from '../text/decode-text.ts';
import { shortenText } from '../text/shorten.ts';

export interface ProgramCall {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly signal: AbortSignal;
  readonly maxOutputBytes: number;
  /** Resident memory limit of the program and its children; undefined for none. */
  readonly maxMemoryBytes?: number;
  /** True to kill processes that the program left running. */
  readonly endsGroup?: true;
}

export type ProgramResult =
  | {
      readonly status: 'ended';
      /** Null if a signal ended the program. */
      readonly exitCode: number | null;
      readonly signalName: string | null;
      readonly stdout: string;
      /** Why `stdout` differs from the program's output: the end of a sentence about it. */
      readonly fault?: string;
      /** Only the end. */
      readonly stderr: string;
      readonly latencyMs: number;
    }
  | { readonly status: 'unstartable'; readonly message: string }
  | { readonly status: 'too-much-output' }
  | { readonly status: 'too-much-memory' }
  | { readonly status: 'aborted' };

interface ProgramRunner {
  run(call: ProgramCall): Promise<ProgramResult>;
  /** Kills all running programs. */
  close(): void;
}

/** Runs programs without a shell. Each has its own process group, so that its children die with it. */
export function openProgramRunner(): ProgramRunner {
  const running = new Set<ChildProcessWithoutNullStreams>();
  return {
    run: (call) => run(call, running),
    close() {
      for (const child of running) endProgram(child);
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
      stopListening();
      resolve(result);
    };
    const stop = (status: 'aborted' | 'too-much-memory' | 'too-much-output'): void => {
      endProgram(child);
      finish({ status });
    };
    const stopWatching =
      call.maxMemoryBytes === undefined || child.pid === undefined
        ? () => undefined
        : watchMemory(child.pid, call.maxMemoryBytes, () => stop('too-much-memory'));
    const stopListening = onAbort(call.signal, () => stop('aborted'));
    const output = readStreams(child, call.maxOutputBytes, () => stop('too-much-output'));
    child.on('error', (error) => finish({ status: 'unstartable', message: describeStartError(error, program) }));
    // A program may answer without reading its input; the broken pipe is no failure.
    child.stdin.on('error', () => undefined);
    child.on('close', (exitCode, signalName) => {
      const latencyMs = performance.now() - startedAt;
      if (call.endsGroup === true) killGroup(child);
      finish({ status: 'ended', exitCode, signalName, ...output(), latencyMs });
    });
    child.stdin.end(call.input);
  });
}

/** Kills a program. A process in a session of its own may survive and hold the streams open. */
function endProgram(child: ChildProcessWithoutNullStreams): void {
  killGroup(child);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
}

/** Collects stdout up to a limit and the end of stderr. */
function readStreams(child: ChildProcessWithoutNullStreams, maxOutputBytes: number, onTooMuch: () => void) {
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  const stderr = keepTail(child.stderr);
  child.stdout.on('data', (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes <= maxOutputBytes) stdout.push(chunk);
    else onTooMuch();
  });
  return () => {
    const { text, fault } = decodeText(Buffer.concat(stdout), undefined);
    return { stdout: text, ...defined({ fault }), stderr: stderr() };
  };
}

const stderrTailBytes = 4096;

/** Keeps the end of stderr. Reads all of it, since a full pipe would block the program. */
export function keepTail(stream: Readable): () => string {
  let tail = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-stderrTailBytes);
  });
  return () => tail.toString('utf8');
}

/** A program that was stopped or never started. */
type Unfinished = Exclude<ProgramResult, { readonly status: 'ended' }>;

/** Why a program was stopped or not started: the end of a sentence about it. `late` describes the abort. */
export function describeUnfinished(
  result: Unfinished,
  {
    late,
    memoryMb,
    maxOutputBytes,
  }: { readonly late: string; readonly memoryMb: number; readonly maxOutputBytes: number },
): string {
  switch (result.status) {
    case 'aborted':
      return late;
    case 'too-much-memory':
      return `took more than ${memoryMb} MB of memory`;
    case 'too-much-output':
      return `wrote more than ${maxOutputBytes / 1024 / 1024} MiB`;
    case 'unstartable':
      return `can't be started: ${result.message}`;
  }
}

/** Why a program can't be started, with a hint to the cause. */
export function describeStartError(error: Error, program: string): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `there is no program "${program}"`;
  return code === 'EACCES' ? `"${program}" is not an executable file` : error.message;
}

type Exit = Pick<ProgramResult & { readonly status: 'ended' }, 'exitCode' | 'signalName'>;

/** Describes how a program ended: the end of a sentence about it. */
export function describeExit({ exitCode, signalName }: Exit): string {
  return exitCode === null ? `was ended by ${signalName}` : `ended with exit code ${exitCode}`;
}

/** Describes a failed end, with the last output as the reason. */
export function describeFailedExit(exit: Exit & { readonly stderr: string }): string {
  const tail = lastOutput(exit.stderr);
  return `${describeExit(exit)}${tail === '' ? ' and wrote nothing on stderr' : `: ${tail}`}`;
}

/** Parses a program's output as JSON. `fault` continues a sentence about the program. */
export function readJsonOutput(text: string): { readonly returned: unknown } | { readonly fault: string } {
  const parsed = parseJson(text);
  if (parsed.ok) return { returned: parsed.value };
  const shown = JSON.stringify(shortenText(text.trim(), 120));
  const isJson = parseAnyJson(text).ok;
  return { fault: isJson ? `wrote JSON in which ${parsed.reason}: ${shown}` : `wrote no JSON but ${shown}` };
}

const basicVariables =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|NODE_\w+|SYSTEMROOT|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA)$/i;

/** The environment of a program: basic variables and those in `names`. No key reaches it by accident. */
export function selectEnv(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  const selected: Record<string, string> = withoutInherited({});
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (basicVariables.test(name) || names.includes(name))) selected[name] = value;
  }
  return selected;
}

/** Starts the loopback interface, so the program still reaches its own servers on 127.0.0.1. */
const start = 'ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null; exec "$@"';

/** Wraps a call so that it runs without network; undefined if this system can't. */
export function withoutNetwork(call: ProgramCall): ProgramCall | undefined {
  if (!canCutNetwork(call.env)) return undefined;
  // Starting a missing program reports it by name.
  if (!isFound(call)) return call;
  return { ...call, argv: ['unshare', '-rn', 'sh', '-c', start, 'sh', ...call.argv] };
}

/** The system's search path if PATH is not set. */
const defaultPath = '/bin:/usr/bin';

const known = new Map<string, boolean>();

/** True on Linux if the user may create namespaces. Many containers forbid this. */
export function canCutNetwork({ PATH = defaultPath }: Readonly<Record<string, string | undefined>>): boolean {
  if (platform !== 'linux') return false;
  const found = known.get(PATH) ?? spawnSync('unshare', ['-rn', 'true'], { env: { PATH } }).status === 0;
  known.set(PATH, found);
  return found;
}

function isFound({ argv: [program = ''], cwd, env }: ProgramCall): boolean {
  if (program.includes('/')) return isExecutable(resolve(cwd, program));
  return (env['PATH'] ?? defaultPath).split(':').some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  return unlessRefused(() => {
    accessSync(path, constants.X_OK);
    return true;
  }, false);
}

/** Kills a child that leads a process group, and all descendants, even in other groups. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const [, ...descendants] = listProcessTree(child.pid);
  // A negative id is the whole group; ChildProcess.kill would spare grandchildren. No group exists on Windows or after
  // its end.
  if (!killIfAlive(-child.pid)) child.kill('SIGKILL');
  for (const pid of descendants) killIfAlive(pid);
}

function killIfAlive(pid: number): boolean {
  return unlessRefused(() => kill(pid, 'SIGKILL'), false);
}

/**
 * Calls back once if a process and its descendants exceed the memory limit. Measures twenty times a second on Linux,
 * twice a second on other Unix systems, and never on Windows. Returns a function that stops watching.
 */
export function watchMemory(pid: number, limitBytes: number, onExceeded: () => void): () => void {
  if (platform === 'win32') return () => undefined;
  const isLinux = platform === 'linux';
  let isOver = false;
  const check = (bytes: number) => {
    if (isOver || bytes <= limitBytes) return;
    isOver = true;
    onExceeded();
  };
  const timer = setInterval(
    () => {
      if (isLinux) check(residentBytesOfTree(pid));
      else askPs(pid, check);
    },
    isLinux ? 50 : 500,
  );
  timer.unref();
  return () => {
    isOver = true;
    clearInterval(timer);
  };
}

/** Lists a process and its descendants on Linux; only the process on other systems. */
function listProcessTree(pid: number): readonly number[] {
  const tree = [pid];
  for (const next of tree) {
    const children = readProc(`/proc/${next}/task/${next}/children`).trim();
    if (children !== '') tree.push(...children.split(' ').map(Number));
  }
  return tree;
}

const pageBytes = 4096;

/** Sums resident memory. A process that has ended counts as 0. */
function residentBytesOfTree(pid: number): number {
  const pages = listProcessTree(pid).map((id) => Number(readProc(`/proc/${id}/statm`).split(' ')[1] ?? 0));
  return pages.reduce((sum, count) => sum + count, 0) * pageBytes;
}

/** Reads a /proc file; empty once the process has ended. */
function readProc(path: string): string {
  return unlessRefused(() => readFileSync(path, 'utf8'), '');
}

/** Measures a group with `ps`. The child leads it, so the group's id is the child's. */
function askPs(groupId: number, check: (bytes: number) => void): void {
  execFile('ps', ['-A', '-o', 'pgid=,rss='], (error, stdout) => {
    // Without such a `ps`, only the deadline limits the program.
    if (error !== null) return;
    const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
    check(rows.reduce((sum, [group, kilobytes = 0]) => (group === groupId ? sum + kilobytes * 1024 : sum), 0));
  });
}
