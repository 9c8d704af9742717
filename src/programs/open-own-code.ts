import { writeJson } from '../json/canonical-json.ts';
import type { CodeOutcome, CommandCall, OwnCode } from '../model/suite/own-code.ts';
import { onAbort } from '../text/deadline.ts';
import { createWorkerPool, stopped, type WorkerPool } from './module-worker.ts';
import {
  describeFailedExit,
  describeUnfinished,
  openProgramRunner,
  type ProgramResult,
  readJsonOutput,
  selectEnv,
} from './run-program.ts';

export interface OwnCodeOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Stops running calls and prevents new ones. */
  readonly signal?: AbortSignal;
}

export interface OpenOwnCode extends OwnCode {
  /** Kills every child. */
  close(): void;
}

const maxOutputBytes = 1024 * 1024;

/** Runs modules in reused children, and each command in its own. Starts nothing before the first call. */
export function openOwnCode({ env, signal }: OwnCodeOptions): OpenOwnCode {
  const pools = new Map<string, WorkerPool>();
  const programs = openProgramRunner();
  function close(): void {
    for (const pool of pools.values()) pool.close();
    programs.close();
  }
  const stopListening = signal && onAbort(signal, close);

  return {
    runModule(call) {
      if (signal?.aborted === true) return Promise.resolve(stopped);
      const { envNames = [] } = call;
      const childEnv = selectEnv(env, envNames);
      const missing = envNames.find((name) => childEnv[name] === undefined);
      if (missing !== undefined) return Promise.resolve({ fault: `needs ${missing}, which is not set` });
      const key = JSON.stringify([call.file, call.memoryMb, envNames]);
      let pool = pools.get(key);
      if (pool === undefined) {
        pool = createWorkerPool(call, childEnv);
        pools.set(key, pool);
      }
      return pool.run(call);
    },
    async runCommand(call) {
      if (signal?.aborted === true) return stopped;
      const childEnv = selectEnv(env, call.envNames);
      const missing = call.envNames.find((name) => childEnv[name] === undefined);
      if (missing !== undefined) return { fault: `needs ${missing}, which is not set` };
      const deadline = AbortSignal.timeout(call.timeoutMs);
      const result = await programs.run({
        argv: call.argv,
        cwd: call.folder,
        env: childEnv,
        input: writeJson(call.input) ?? 'null',
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
        maxOutputBytes,
        maxMemoryBytes: call.memoryMb * 1024 * 1024,
      });
      return result.status === 'aborted' && !deadline.aborted ? stopped : readResult(result, call);
    },
    close() {
      stopListening?.();
      close();
    },
  };
}

function readResult(result: ProgramResult, { timeoutMs, memoryMb }: CommandCall): CodeOutcome {
  if (result.status !== 'ended') {
    const late = `took longer than ${timeoutMs} ms`;
    return { fault: describeUnfinished(result, { late, memoryMb, maxOutputBytes }) };
  }
  if (result.exitCode !== 0) return { fault: describeFailedExit(result) };
  if (result.fault !== undefined) return { fault: `wrote a verdict that can't be read: ${result.fault}` };
  return readJsonOutput(result.stdout);
}
