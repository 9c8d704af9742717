import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { CodeOutcome, ModuleJob } from '../model/own-code.ts';
import { attempt } from '../text/attempt.ts';
import { onAbort } from '../text/deadline.ts';
import { shortenText } from '../text/shorten.ts';
import { killGroup, selectEnv, watchMemory } from './run-program.ts';

const workerPath = fileURLToPath(new URL('./module-worker.mjs', import.meta.url));

/** What one job may write. Only the end of stderr is read, to explain a crash. */
const maxOutputBytes = 16 * 1024 * 1024;

const stderrTailBytes = 4096;

/** For Node to start, before the module is loaded. */
const startLimitMs = 30_000;

/** What Node itself takes beside the heap. */
const runtimeMb = 128;

/** How a job ended; `crashed` where the child ended by itself, which an earlier job may have caused. */
export interface JobResult {
  readonly outcome: CodeOutcome;
  readonly crashed?: true;
  /** From when the child was ready. */
  readonly latencyMs?: number;
}

/** A child that calls exports of modules, one job at a time. It ends when it is killed or a job has to be stopped. */
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
  /** Called when the child has started. */
  #onReady = () => {};
  /** Ends the job that runs. */
  #finishJob: ((result: JobResult) => void) | undefined;

  constructor({ file, memoryMb }: Pick<ModuleJob, 'file' | 'memoryMb'>, env: Readonly<Record<string, string>>) {
    this.#memoryMb = memoryMb;
    // A group of its own, so that what the module starts dies with it.
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
      // What it started may hold its streams open.
      killGroup(child);
    });
    child.on('close', (exitCode, signalName) => this.#noteEnd(exitCode, signalName));
    child.once('message', () => {
      this.#isReady = true;
      this.#onReady();
    });
    holdOpen(child, false);
  }

  /** False as soon as the child has ended or was killed. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Jobs that it has finished. */
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
      // The time that Node takes to start on a busy machine does not count.
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
      // Where the channel is closed, the event of the child's end follows.
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

/** An idle child must not keep the program from ending. */
function holdOpen(child: ChildProcess, isHeld: boolean): void {
  for (const handle of [child, child.channel, child.stdout, child.stderr]) {
    if (handle === null || handle === undefined) continue;
    const { ref, unref } = handle as { ref?: () => void; unref?: () => void };
    (isHeld ? ref : unref)?.call(handle);
  }
}

/** Undefined for a message of another job, and for one that the module itself sends. */
function readAnswer(message: unknown, id: number, noun: string): CodeOutcome | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message) || message.id !== id) return undefined;
  if ('fault' in message && typeof message.fault === 'string') return { fault: shortenText(message.fault, 1000) };
  if (!('json' in message) || typeof message.json !== 'string') return undefined;
  const { json } = message;
  const returned = attempt((): unknown => JSON.parse(json), SyntaxError);
  return returned instanceof SyntaxError ? { fault: `sent a message that is not a ${noun}` } : { returned };
}

const timeoutMs = 30_000;

const memoryMb = 1024;

const maxReturnedBytes = 256 * 1024 * 1024;

/** The data that a module exports by default. A new child evaluates it, so that changes are read and loops end. */
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
 * Children of one module, at most `limit` (default: one per core, up to four). A call that waits for a free one does so
 * before its deadline begins.
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
    // A worker that is given back goes to the first call that waits, so that none overtakes another.
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
        // The worker hears only signals that come while the job runs.
        if (call.signal?.aborted === true) {
          giveBack(worker);
          return stopped;
        }
        const wasUsed = worker.jobsDone > 0;
        const { outcome, crashed } = await worker.run(call);
        giveBack(worker);
        // An earlier job may have crashed the child: only a new child shows whether this one did.
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
