import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { CodeOutcome, ModuleJob } from '../model/suite/own-code.ts';
import { attempt } from '../text/attempt.ts';
import { onAbort } from '../text/deadline.ts';
import { shortenText } from '../text/shorten.ts';
import { killGroup, selectEnv, watchMemory } from './run-program.ts';

const workerPath = fileURLToPath(new URL('./module-worker.mjs', import.meta.url));

/** Output limit of a job. Of stderr only the end is read, to explain a crash. */
const maxOutputBytes = 16 * 1024 * 1024;

const stderrTailBytes = 4096;

/** Time limit for Node's start, before the module is loaded. */
const startLimitMs = 30_000;

/** Node's own memory besides the heap. */
const runtimeMb = 128;

/** Result of a job. `crashed`: the child ended by itself, possibly because of an earlier job. */
export interface JobResult {
  readonly outcome: CodeOutcome;
  readonly crashed?: true;
  /** Time since the child was ready. */
  readonly latencyMs?: number;
}

/** A child process that calls modules' exports, one job at a time. It ends if killed or if a job must be stopped. */
export class ModuleWorker {
  readonly #child: ChildProcess;
  readonly #memoryMb: number;
  readonly #stopWatching: () => void;
  #isAlive = true;
  #isReady = false;
  #jobsDone = 0;
  #lastId = 0;
  #outputBytes = 0;
  #stderr = Buffer.alloc(0);
  /** Called when the child is ready. */
  #onReady = () => {};
  /** Ends the running job. */
  #finishJob: ((result: JobResult) => void) | undefined;

  constructor({ file, memoryMb }: Pick<ModuleJob, 'file' | 'memoryMb'>, env: Readonly<Record<string, string>>) {
    this.#memoryMb = memoryMb;
    // Use a new process group, so that the module's own children are killed with it.
    const child = spawn(execPath, [`--max-old-space-size=${memoryMb}`, workerPath], {
      cwd: dirname(file),
      env,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const limitBytes = (memoryMb + runtimeMb) * 1024 * 1024;
    this.#stopWatching =
      child.pid === undefined
        ? () => undefined
        : watchMemory(child.pid, limitBytes, () => this.#stop(describeMemory(memoryMb)));
    child.stdout?.on('data', (chunk: Buffer) => this.#countOutput(chunk.length));
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-stderrTailBytes);
      this.#countOutput(chunk.length);
    });
    child.on('error', (error) => {
      this.#isAlive = false;
      this.#stopWatching();
      this.#settle({ outcome: { fault: `could not be started: ${error.message}` } });
    });
    child.on('exit', () => {
      this.#isAlive = false;
      // Its children may hold its streams open.
      killGroup(child);
    });
    child.on('close', (exitCode, signalName) => this.#noteEnd(exitCode, signalName));
    child.once('message', () => {
      this.#isReady = true;
      this.#onReady();
    });
    holdOpen(child, false);
  }

  /** False once the child has ended or was killed. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Number of finished jobs. */
  get jobsDone(): number {
    return this.#jobsDone;
  }

  run(job: ModuleJob): Promise<JobResult> {
    const child = this.#child;
    const {
      file,
      exportName,
      input,
      timeoutMs,
      signal,
      isValue,
      tool,
      prompts,
      noun = 'verdict',
      maxReturnedBytes = 64 * 1024,
    } = job;
    this.#lastId += 1;
    const id = this.#lastId;
    this.#outputBytes = 0;
    return new Promise((resolve) => {
      let readyAt: number | undefined;
      holdOpen(child, true);
      const stopListening = signal && onAbort(signal, () => this.#stop('was stopped'));
      let timer = setTimeout(() => this.#stop('could not be started in time'), startLimitMs);
      // Start the time limit when Node is ready: starting is slow on a busy machine.
      this.#onReady = () => {
        clearTimeout(timer);
        readyAt = performance.now();
        timer = setTimeout(() => this.#stop(`took longer than ${timeoutMs} ms`), timeoutMs);
      };
      if (this.#isReady) this.#onReady();
      const onMessage = (message: unknown) => {
        const outcome = readAnswer(message, id, noun);
        if (outcome !== undefined) this.#settle({ outcome });
      };
      this.#finishJob = (result) => {
        clearTimeout(timer);
        stopListening?.();
        this.#onReady = () => {};
        child.off('message', onMessage);
        holdOpen(child, false);
        this.#jobsDone += 1;
        resolve(readyAt === undefined ? result : { ...result, latencyMs: performance.now() - readyAt });
      };
      if (!this.#isAlive) {
        this.#settle({ outcome: { fault: 'could not be started' }, crashed: true });
        return;
      }
      child.on('message', onMessage);
      // If the channel is closed, the child's end event follows.
      child.send({ id, file, exportName, input, noun, maxReturnedBytes, isValue, tool, prompts }, () => undefined);
    });
  }

  kill(): void {
    this.#stop('was stopped with the run');
  }

  #settle(result: JobResult): void {
    const finish = this.#finishJob;
    this.#finishJob = undefined;
    finish?.(result);
  }

  #stop(fault: string): void {
    this.#isAlive = false;
    killGroup(this.#child);
    this.#settle({ outcome: { fault } });
  }

  #countOutput(bytes: number): void {
    this.#outputBytes += bytes;
    if (this.#outputBytes > maxOutputBytes) this.#stop(`wrote more than ${maxOutputBytes / 1024 / 1024} MiB`);
  }

  #noteEnd(exitCode: number | null, signalName: NodeJS.Signals | null): void {
    this.#stopWatching();
    const tail = this.#stderr.toString('utf8');
    const fault = /heap out of memory/.test(tail)
      ? describeMemory(this.#memoryMb)
      : `ended its process early (${exitCode === null ? signalName : `exit code ${exitCode}`})${describeTail(tail)}`;
    this.#settle({ outcome: { fault }, crashed: true });
  }
}

function describeMemory(memoryMb: number): string {
  return `took more than ${memoryMb} MB of memory`;
}

function describeTail(stderr: string): string {
  const last = stderr.split('\n').findLast((line) => /^\w*(?:Error|Exception)\b/.test(line));
  return last === undefined ? '' : `: ${shortenText(last, 400)}`;
}

/** Holds the program open for a child, or lets it end while the child is idle. */
function holdOpen(child: ChildProcess, isHeld: boolean): void {
  for (const handle of [child, child.channel, child.stdout, child.stderr]) {
    if (handle === null || handle === undefined) continue;
    const { ref, unref } = handle as { ref?: () => void; unref?: () => void };
    (isHeld ? ref : unref)?.call(handle);
  }
}

/** Reads a job's answer; undefined for messages of other jobs or of the module itself. */
function readAnswer(message: unknown, id: number, noun: string): CodeOutcome | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message) || message.id !== id) return undefined;
  if ('fault' in message && typeof message.fault === 'string') {
    const fault = shortenText(message.fault, 1000);
    return 'isTooLarge' in message && message.isTooLarge === true ? { fault, isTooLarge: true } : { fault };
  }
  if (!('json' in message) || typeof message.json !== 'string') return undefined;
  const { json } = message;
  const returned = attempt((): unknown => JSON.parse(json), SyntaxError);
  return returned instanceof SyntaxError ? { fault: `sent a message that is not a ${noun}` } : { returned };
}

const timeoutMs = 30_000;

const memoryMb = 1024;

const maxReturnedBytes = 256 * 1024 * 1024;

/** Evaluates a module's default export in a new child, so that edits are seen and endless loops end. */
export async function evaluateModule(
  file: string,
  { env, noun }: { readonly env: Readonly<Record<string, string | undefined>>; readonly noun: string },
): Promise<CodeOutcome> {
  const worker = new ModuleWorker({ file, memoryMb }, selectEnv(env, []));
  try {
    const call = { file, exportName: 'default', input: null, timeoutMs, memoryMb, noun, maxReturnedBytes };
    return (await worker.run({ ...call, isValue: true })).outcome;
  } finally {
    worker.kill();
  }
}

export const stopped: CodeOutcome = { fault: 'was stopped with the run' };

export interface WorkerPool {
  run(call: ModuleJob): Promise<CodeOutcome>;
  close(): void;
}

/**
 * A pool of children for one module, at most `limit` (default: one per core, up to four). A call's deadline starts when
 * it gets a child.
 */
export function createWorkerPool(
  module: Pick<ModuleJob, 'file' | 'memoryMb'>,
  env: Readonly<Record<string, string>>,
  limit = Math.min(4, availableParallelism()),
): WorkerPool {
  const idle: ModuleWorker[] = [];
  const all = new Set<ModuleWorker>();
  const waiting: (() => void)[] = [];
  let busy = 0;
  let isClosed = false;

  async function take(): Promise<ModuleWorker | undefined> {
    // A free worker goes to the call that has waited longest.
    if (busy < limit) busy += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    if (isClosed) return undefined;
    for (let known = idle.pop(); known !== undefined; known = idle.pop()) {
      if (known.isAlive) return known;
      all.delete(known);
    }
    const worker = new ModuleWorker(module, env);
    all.add(worker);
    return worker;
  }

  function giveBack(worker: ModuleWorker): void {
    if (worker.isAlive) idle.push(worker);
    else all.delete(worker);
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    else next();
  }

  return {
    async run(call) {
      for (;;) {
        const worker = await take();
        if (worker === undefined) return stopped;
        // The worker hears only signals during a job.
        if (call.signal?.aborted === true) {
          giveBack(worker);
          return stopped;
        }
        const wasUsed = worker.jobsDone > 0;
        const { outcome, crashed } = await worker.run(call);
        giveBack(worker);
        // An earlier job may have caused the crash. Retry in a new child to find out.
        if (crashed !== true || !wasUsed) return outcome;
      }
    },
    close() {
      isClosed = true;
      for (const worker of all) worker.kill();
      all.clear();
      idle.length = 0;
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}
