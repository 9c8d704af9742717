import type { EndRow, RecordedSuite, RecordedVariant, RunHeader, RunSettings } from '../../src/model/run/record.ts';
import type { RowSummary, RunSummary } from '../../src/model/run/summary.ts';
import type { GatePolicy } from '../../src/model/suite/gate-policy.ts';
import type { StoredRecord } from '../../src/record/read-run-record.ts';
import { summarizeRun } from '../../src/record/summarize-run.ts';
import { openGate } from './build-case.ts';

export const settings: RunSettings = {
  cacheMode: 'use',
  maxErrors: { count: 0 },
  allowEmpty: false,
  requireConclusive: false,
};

export const end: EndRow = { type: 'end', durationMs: 1000, notes: [] };

export function buildVariant(planned: number, overrides: Partial<RecordedVariant> = {}): RecordedVariant {
  return {
    prompt: 'v1',
    provider: 'p',
    adapter: 'openai',
    adapterVersion: 'chat-1',
    model: 'gpt-4o-mini',
    params: {},
    messages: [{ role: 'user', content: 'Route: {{ email }}' }],
    contract: {},
    planned,
    observed: 0,
    ...overrides,
  };
}

export function buildRecordedSuite(
  variants: readonly RecordedVariant[],
  gate: Partial<GatePolicy> = {},
  overrides: Partial<RecordedSuite> = {},
): RecordedSuite {
  return {
    suite: 'triage',
    path: 'evals/triage.eval.yaml',
    gate: { ...openGate, ...gate },
    outputs: 'full',
    variants,
    filtered: false,
    ...overrides,
  };
}

export function buildHeader(suites: readonly RecordedSuite[]): RunHeader {
  return {
    type: 'run',
    format: 1,
    id: '20261124-153012-a1b2c3',
    startedAt: '2026-11-24T15:30:12.000Z',
    tool: { name: 'llmcheck', version: '0.1.0' },
    settings,
    suites,
  };
}

/** A stored record of these rows, whose answers nobody may read. */
export function buildRecord(header: RunHeader, rows: readonly RowSummary[], ending: EndRow = end): StoredRecord {
  return {
    path: 'run',
    shownPath: 'run',
    header,
    end: ending,
    summary: summarizeRun(header, rows, ending),
    warnings: [],
    sides: undefined,
    checksOf: () => undefined,
    judged: [],
    readRow: () => {
      throw new Error('no row is read');
    },
  };
}

/** A finished cell: by default a passed one. */
export function buildRowSummary(overrides: Partial<RowSummary> = {}): RowSummary {
  const { status = 'passed' } = overrides;
  const isJudged = status === 'passed' || status === 'failed';
  return {
    suite: 'triage',
    prompt: 'v1',
    provider: 'p',
    caseId: 'refund',
    trial: 0,
    caseHash: 'caseHash',
    status,
    observe: false,
    mustPass: false,
    group: undefined,
    confirmation: false,
    side: undefined,
    cached: false,
    score: isJudged ? (status === 'passed' ? 1 : 0) : undefined,
    latencyMs: isJudged ? 100 : undefined,
    costUsd: isJudged ? 0.001 : undefined,
    spentUsd: isJudged ? 0.001 : undefined,
    judgeCostUsd: undefined,
    usage: undefined,
    skipReason: undefined,
    answerHash: isJudged ? 'answer' : undefined,
    answerId: undefined,
    model: isJudged ? 'gpt-4o-mini-2024-07-18' : undefined,
    rowIndex: 0,
    ...overrides,
  };
}

const letters = { p: 'passed', f: 'failed', e: 'errored', s: 'skipped', c: 'skipped' } as const;

/** One case a word, one trial a letter: passed, failed, errored, skipped by the run, skipped by its case. */
export function rowsOf(outcomes: string, overrides: Partial<RowSummary> = {}): RowSummary[] {
  return outcomes
    .split(' ')
    .filter((word) => word !== '')
    .flatMap((word, index) =>
      word.split('').map((letter, trial) => {
        const status = letters[letter as keyof typeof letters];
        const skipReason = letter === 's' ? 'budget' : letter === 'c' ? 'case' : undefined;
        return buildRowSummary({ caseId: `case-${index}`, trial, status, skipReason, ...overrides });
      }),
    );
}

export interface SummaryOptions {
  readonly gate?: Partial<GatePolicy>;
  /** More cells than there are rows: the rest was not reached. */
  readonly planned?: number;
  readonly end?: EndRow;
  readonly suite?: Partial<RecordedSuite>;
}

/** The summary of a run of one variant. */
export function summarize(rows: readonly RowSummary[], options: SummaryOptions = {}): RunSummary {
  const gated = rows.filter(({ observe, confirmation }) => !observe && !confirmation);
  const observed = rows.filter(({ observe }) => observe).length;
  const variant = buildVariant(options.planned ?? gated.length, { observed });
  const suite = buildRecordedSuite([variant], options.gate, options.suite);
  return summarizeRun(buildHeader([suite]), rows, options.end ?? end);
}
