import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import type { CellRow, EndRow, ResumeRow, RunHeader } from '../../src/model/run/record.ts';

export function buildHeader(changes: Partial<RunHeader> = {}): RunHeader {
  return {
    type: 'run',
    format: 1,
    id: '20261124-153012-a1b2',
    startedAt: '2026-11-24T15:30:12.000Z',
    tool: { name: 'llmcheck', version: '0.1.0' },
    settings: { cacheMode: 'use', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false },
    suites: [],
    ...changes,
  };
}

export function buildRow(caseId: string, changes: Partial<CellRow> = {}): CellRow {
  return {
    type: 'cell',
    suite: 'support',
    prompt: 'v1',
    provider: 'openai:small',
    caseId,
    trial: 0,
    cellHash: 'i',
    caseHash: 's',
    status: 'passed',
    at: { file: 'evals/support.eval.yaml', line: 3, column: 5 },
    score: 1,
    output: `answer to ${caseId} – ünïcode`,
    checks: [{ assertion: 'equals', pass: true, score: 1, reason: 'equal' }],
    cached: false,
    attempts: 1,
    calls: [],
    ...changes,
  };
}

export const endRow: EndRow = { type: 'end', durationMs: 1200, notes: ['a note'] };

export const resumeRow: ResumeRow = { type: 'resume', startedAt: '2026-11-24T16:00:00.000Z' };

/** A folder that goes away with the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function catchUserError(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
