import { writeJson } from '../json/canonical-json.ts';
import { parseExactJson } from '../json/parse-json.ts';
import type { CodeOutcome, CommandCall, OwnCode } from '../model/own-code.ts';
import { lastWords, shortenText } from '../text/shorten.ts';
import { openProgramRunner, type ProgramResult, selectEnv } from './run-program.ts';
import { createWorkerPool, stopped, type WorkerPool } from './worker-pool.ts';

export interface OwnCodeOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Stops what runs, and lets nothing more start. */
  readonly signal?: AbortSignal;
}

export interface OpenOwnCode extends OwnCode {
  /** Kills every child. */
  close(): void;
}

const maxCommandOutputBytes = 1024 * 1024;

/** Runs modules in children that are kept for the next check, and commands in one child each. Starts nothing before the first call. */
export function openOwnCode({ env, signal }: OwnCodeOptions): OpenOwnCode {
  const pools = new Map<string, WorkerPool>();
  const programs = openProgramRunner();
  function close(): void {
    for (const pool of pools.values()) pool.close();
    programs.close();
  }
  signal?.addEventListener('abort', close, { once: true });

  return {
    runModule(call) {
      if (signal?.aborted === true) return Promise.resolve(stopped);
      const key = JSON.stringify([call.file, call.memoryMb]);
      let pool = pools.get(key);
      if (pool === undefined) {
        pool = createWorkerPool(call, selectEnv(env, []));
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
        maxOutputBytes: maxCommandOutputBytes,
        maxMemoryBytes: call.memoryMb * 1024 * 1024,
      });
      return result.status === 'aborted' && !deadline.aborted ? stopped : readResult(result, call);
    },
    close() {
      signal?.removeEventListener('abort', close);
      close();
    },
  };
}

function readResult(result: ProgramResult, { timeoutMs, memoryMb }: CommandCall): CodeOutcome {
  switch (result.status) {
    case 'aborted':
      return { fault: `took longer than ${timeoutMs} ms` };
    case 'too-much-memory':
      return { fault: `took more than ${memoryMb} MB of memory` };
    case 'too-much-output':
      return { fault: `wrote more than ${maxCommandOutputBytes / 1024 / 1024} MiB` };
    case 'unstartable':
      return { fault: `can't be started: ${result.message}` };
    case 'ended':
      return readOutput(result);
  }
}

function readOutput({
  exitCode,
  signalName,
  stdout,
  stderr,
  fault,
}: ProgramResult & { readonly status: 'ended' }): CodeOutcome {
  if (exitCode !== 0) {
    const how = exitCode === null ? `was ended by ${signalName}` : `ended with exit code ${exitCode}`;
    const tail = lastWords(stderr.trim(), 400);
    return { fault: `${how}${tail === '' ? ' and wrote nothing on stderr' : `: ${tail}`}` };
  }
  if (fault !== undefined) return { fault: `wrote a verdict that can't be read: ${fault}` };
  try {
    const returned: unknown = parseExactJson(stdout);
    return { returned };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { fault: `wrote no JSON but ${JSON.stringify(shortenText(stdout.trim(), 120))}` };
  }
}
