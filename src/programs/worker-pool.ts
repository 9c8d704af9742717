import { availableParallelism } from 'node:os';
import type { CodeOutcome, ModuleJob } from '../model/own-code.ts';
import { ModuleWorker } from './module-worker.ts';

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
