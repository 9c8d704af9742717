import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { CodeOutcome, ModuleJob } from '../model/own-code.ts';
import { shortenText } from '../text/shorten.ts';
import { killGroup } from './kill-group.ts';
import { watchMemory } from './watch-memory.ts';

const workerPath = fileURLToPath(new URL('./module-worker.mjs', import.meta.url));

/** What one check may write: nobody reads it but the end of stderr, where a crash says what it was. */
const maxOutputBytes = 16 * 1024 * 1024;

const stderrTailBytes = 4096;

/** How a job ended; `crashed` where the child ended by itself, which the job need not be the cause of. */
export interface JobResult {
  readonly outcome: CodeOutcome;
  readonly crashed?: true;
}

/** A child that calls exports of modules, one job at a time, until it is killed or a job has to be stopped. */
export interface ModuleWorker {
  /** False from the moment that the child is gone. */
  readonly isAlive: () => boolean;
  /** Jobs that it has finished. */
  readonly jobsDone: () => number;
  run(call: ModuleJob): Promise<JobResult>;
  kill(): void;
}

export function startModuleWorker(
  { file, memoryMb }: Pick<ModuleJob, 'file' | 'memoryMb'>,
  env: Readonly<Record<string, string>>,
): ModuleWorker {
  // A group of its own, so that what the module starts dies with it.
  const child = spawn(execPath, [`--max-old-space-size=${memoryMb}`, workerPath], {
    cwd: dirname(file),
    env,
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let isAlive = true;
  let jobsDone = 0;
  let current: ((result: JobResult) => void) | undefined;
  let nextId = 0;
  let isReady = false;
  let onReady = () => {};
  let outputBytes = 0;
  let stderr = Buffer.alloc(0);

  const settle = (result: JobResult) => {
    const resolve = current;
    current = undefined;
    resolve?.(result);
  };
  const stop = (fault: string) => {
    isAlive = false;
    killGroup(child);
    settle({ outcome: { fault } });
  };
  const countOutput = (bytes: number) => {
    outputBytes += bytes;
    if (outputBytes > maxOutputBytes) stop(`wrote more than ${maxOutputBytes / 1024 / 1024} MiB`);
  };
  const unwatch =
    child.pid === undefined
      ? () => undefined
      : watchMemory(child.pid, (memoryMb + runtimeMb) * 1024 * 1024, () => stop(describeMemory(memoryMb)));

  child.stdout?.on('data', (chunk: Buffer) => countOutput(chunk.length));
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-stderrTailBytes);
    countOutput(chunk.length);
  });
  child.on('error', (error) => {
    isAlive = false;
    unwatch();
    settle({ outcome: { fault: `could not be started: ${error.message}` } });
  });
  child.on('exit', () => {
    isAlive = false;
    // What it started may hold its streams open.
    killGroup(child);
  });
  child.on('close', (exitCode, signalName) => {
    unwatch();
    const tail = stderr.toString('utf8');
    const fault = /heap out of memory/.test(tail)
      ? describeMemory(memoryMb)
      : `ended its process early (${exitCode === null ? signalName : `exit code ${exitCode}`})${describeTail(tail)}`;
    settle({ outcome: { fault }, crashed: true });
  });
  child.once('message', () => {
    isReady = true;
    onReady();
  });
  holdOpen(child, false);

  return {
    isAlive: () => isAlive,
    jobsDone: () => jobsDone,
    kill() {
      isAlive = false;
      killGroup(child);
      settle({ outcome: { fault: 'was stopped with the run' } });
    },
    run(call) {
      nextId += 1;
      const id = nextId;
      outputBytes = 0;
      const { file: path, exportName, input, timeoutMs, signal, noun = 'verdict', maxReturnedBytes = 64 * 1024 } = call;
      return new Promise((resolve) => {
        holdOpen(child, true);
        const abort = () => stop('was stopped');
        signal?.addEventListener('abort', abort, { once: true });
        let timer = setTimeout(() => stop('could not be started in time'), startLimitMs);
        // How long Node takes to start on a busy machine is not the check's doing.
        onReady = () => {
          clearTimeout(timer);
          timer = setTimeout(() => stop(`took longer than ${timeoutMs} ms`), timeoutMs);
        };
        if (isReady) onReady();
        const onMessage = (message: unknown) => {
          const answer = readAnswer(message, id, noun);
          if (answer !== undefined) settle({ outcome: answer });
        };
        current = (result) => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', abort);
          onReady = () => {};
          child.off('message', onMessage);
          holdOpen(child, false);
          jobsDone += 1;
          resolve(result);
        };
        if (!isAlive) {
          settle({ outcome: { fault: 'could not be started' }, crashed: true });
          return;
        }
        child.on('message', onMessage);
        // Where the channel is closed the child's end is about to be told.
        child.send(
          { id, file: path, exportName, input, noun, maxReturnedBytes, isValue: call.isValue },
          () => undefined,
        );
      });
    },
  };
}

/** Of Node itself, before the module is loaded. */
const startLimitMs = 30_000;

/** What Node itself takes beside the heap. */
const runtimeMb = 128;

function describeMemory(memoryMb: number): string {
  return `took more than ${memoryMb} MB of memory`;
}

function describeTail(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^\w*(?:Error|Exception)\b/.test(line));
  const [last = ''] = lines.slice(-1);
  return last === '' ? '' : `: ${shortenText(last, 400)}`;
}

/** An idle child must not keep the program from ending. */
function holdOpen(child: ChildProcess, isHeld: boolean): void {
  for (const handle of [child, child.channel, child.stdout, child.stderr]) {
    if (handle === null || handle === undefined) continue;
    const { ref, unref } = handle as { ref?: () => void; unref?: () => void };
    (isHeld ? ref : unref)?.call(handle);
  }
}

/** A message of another job, or of the module's own, is none. */
function readAnswer(message: unknown, id: number, noun: string): CodeOutcome | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message) || message.id !== id) return undefined;
  if ('fault' in message && typeof message.fault === 'string') return { fault: shortenText(message.fault, 1000) };
  if (!('json' in message) || typeof message.json !== 'string') return undefined;
  try {
    const returned: unknown = JSON.parse(message.json);
    return { returned };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { fault: `sent a message that is no ${noun}` };
  }
}
