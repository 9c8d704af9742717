import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Completion, CompletionOutcome } from '../../src/model/run/completion.ts';

export { answer, ask, buildEntry, buildRequest } from './build-entry.ts';

export function completed(completion: Completion): CompletionOutcome {
  return { status: 'completed', completion, cached: false, attempts: 1 };
}

/** A folder that goes away with the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const noSignal = new AbortController().signal;
