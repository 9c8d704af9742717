import type { CodeOutcome } from '../model/own-code.ts';
import { ModuleWorker } from './module-worker.ts';
import { selectEnv } from './run-program.ts';

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
