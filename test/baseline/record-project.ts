import { join } from 'node:path';
import { acceptBaseline } from '../../src/baseline/accept-baseline.ts';
import type { AcceptOptions } from '../../src/baseline/acceptable-record.ts';
import { UserError } from '../../src/model/problem.ts';
import type { CellRow, EndRow, RecordedSuite, RecordedVariant, RunSettings } from '../../src/model/run/record.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { readRows } from '../support/baseline-rows.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { gitEnv } from '../support/git.ts';
import { writeStoredRun } from '../support/write-run.ts';

export interface Written {
  /** Rows beyond `buildRow`, by case; a list has one for each trial. */
  readonly cases?: Readonly<Record<string, Partial<CellRow> | readonly Partial<CellRow>[]>>;
  readonly more?: readonly CellRow[];
  readonly variants?: readonly Partial<RecordedVariant>[];
  readonly suite?: Partial<RecordedSuite>;
  readonly settings?: Partial<RunSettings>;
  readonly startedAt?: string;
  /** Null where the run did not end. */
  readonly end?: Partial<EndRow> | null;
}

export const firstId = '20251101-093000-aaaa';
export const failed: Partial<CellRow> = {
  status: 'failed',
  score: 0,
  checks: [
    { assertion: 'equals', pass: true, score: 1, reason: 'equal' },
    { assertion: 'contains', pass: false, score: 0, reason: 'lacks x' },
  ],
};
export const passed: Partial<CellRow> = {};

export const rowOf = (caseId: string, change: Partial<CellRow>): CellRow =>
  buildRow(caseId, { suite: 'triage', prompt: 'v1', provider: 'p', ...change });

export const triage = { id: 'triage', path: 'evals/triage.eval.yaml' };

/** A project whose records a test writes by itself. */
export function openProject() {
  const root = makeFolder();
  let runs = 0;
  const path = (name: string): string => join(root, name);
  const write = ({
    cases = { a: passed },
    more = [],
    variants = [{}],
    suite,
    settings,
    startedAt,
    end = {},
  }: Written): string => {
    runs += 1;
    const rows = [
      ...Object.entries(cases).flatMap(([caseId, all]) =>
        [all]
          .flat()
          .map((change, trial) => rowOf(caseId, { trial, answerId: `${caseId} ${trial} ${runs}`, ...change })),
      ),
      ...more,
    ];
    const header = buildHeader({
      id: firstId.replace('01-', `0${runs}-`),
      startedAt: startedAt ?? `2025-11-0${runs}T09:30:00.000Z`,
      suites: [
        buildRecordedSuite(
          variants.map((one) => buildVariant(rows.length, one)),
          {},
          suite,
        ),
      ],
    });
    const whole = { ...header, settings: { ...header.settings, ...settings } };
    return writeStoredRun(root, whole, rows, end === null ? undefined : { ...endRow, ...end });
  };
  const place = { root, cwd: root, env: gitEnv, projectSuites: [triage] };
  const accept = async (recordPath: string, options: Partial<AcceptOptions> = {}) =>
    acceptBaseline({ ...place, recordPath, force: false, ...options });
  return { root, place, path, write, accept, rows: () => readRows(path('evals/triage.baseline.jsonl')) };
}

export async function problemsOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof UserError)) throw error;
  return error.problems.flatMap(({ message, hint }) => [message, `→ ${hint}`]);
}
