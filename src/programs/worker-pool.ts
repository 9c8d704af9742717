import { availableParallelism } from 'node:os';
import type { CodeOutcome, ModuleJob } from '../model/own-code.ts';
import { type ModuleWorker, startModuleWorker } from './module-worker.ts';

export const stopped: CodeOutcome = { fault: 'was stopped with the run' };

export interface WorkerPool {
  run(call: ModuleJob): Promise<CodeOutcome>;
  close(): void;
}

/**
 * Children of one module, at most `limit` (default: as many as can work at once); a call that finds none free waits
 * outside of its deadline.
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
    // Whoever gives one back hands its place on, so that nobody overtakes those who wait.
    if (busy < limit) busy += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    if (isClosed) return undefined;
    for (let known = idle.pop(); known !== undefined; known = idle.pop()) {
      if (known.isAlive()) return known;
      all.delete(known);
    }
    const worker = startModuleWorker(module, env);
    all.add(worker);
    return worker;
  }

  function giveBack(worker: ModuleWorker): void {
    if (worker.isAlive()) idle.push(worker);
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
        // A signal that came before the job would not be heard by it.
        if (call.signal?.aborted === true) {
          giveBack(worker);
          return stopped;
        }
        const wasUsed = worker.jobsDone() > 0;
        const { outcome, crashed } = await worker.run(call);
        giveBack(worker);
        // What an earlier job left behind may have ended the child: a fresh one tells.
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
