import type { Baseline, BaselineCase, BaselineTrial } from '../model/baseline.ts';
import type { CellRow, RecordedVariant, RunHeader } from '../model/record.ts';
import type { GatePolicy } from '../model/suite.ts';
import { summarizeRow } from '../record/summarize-row.ts';
import { summarizeRun } from '../record/summarize-run.ts';
import type { StoredRecord } from './open-stored-record.ts';

export interface BaselineFile {
  readonly baseline: Baseline;
  /** Of the suite, relative to the project root. */
  readonly suitePath: string;
}

/** Baseline files read as the record of the run that they were accepted from, so that one can be a candidate. */
export function recordOfBaselines(files: readonly BaselineFile[], source: string): StoredRecord {
  const rows: CellRow[] = [];
  const header: RunHeader = {
    type: 'run',
    format: 1,
    id: source,
    startedAt: '',
    tool: { name: 'llmcheck', version: '' },
    settings: { cacheMode: 'replay', maxErrors: { count: 0 }, allowEmpty: false, requireConclusive: false },
    suites: files.map(({ baseline, suitePath }) => ({
      suite: baseline.suite,
      path: suitePath,
      gate: defaultGate,
      outputs: 'full',
      filtered: false,
      variants: baseline.variants.map(({ type: _type, models: _models, ...variant }): RecordedVariant => {
        const own = baseline.cases.filter(
          ({ prompt, provider }) => prompt === variant.prompt && provider === variant.provider,
        );
        for (const found of own) for (const trial of found.trials) rows.push(toRow(baseline.suite, found, trial));
        return { ...variant, planned: own.reduce((sum, { trials }) => sum + trials.length, 0), observed: 0 };
      }),
    })),
  };
  const end = { type: 'end', durationMs: 0, notes: [] } as const;
  const readRow = (rowIndex: number): CellRow => {
    const row = rows[rowIndex];
    if (row === undefined) throw new RangeError(`row ${rowIndex} of ${source}, which has ${rows.length}`);
    return row;
  };
  return {
    path: source,
    shownPath: source,
    header,
    end,
    summary: summarizeRun(
      header,
      rows.map((row, index) => summarizeRow(row, index)),
      end,
    ),
    warnings: [],
    readRow,
    readUsage: (rowIndex) => readRow(rowIndex).usage,
  };
}

/** A baseline file does not say how its suite is gated. */
const defaultGate: GatePolicy = {
  alpha: 0.05,
  scope: 'population',
  cases: { broken: 'fail', added: 'fail' },
  passRate: {},
  score: {},
  cost: {},
  latency: {},
};

function toRow(suite: string, found: BaselineCase, trial: BaselineTrial): CellRow {
  const { prompt, provider, caseId, stamp, mustPass } = found;
  const { answerHash, ...answer } = trial;
  return {
    type: 'cell',
    suite,
    prompt,
    provider,
    caseId,
    identity: '',
    stamp,
    at: { file: '', line: 0, column: 0 },
    ...(mustPass === true ? { mustPass } : {}),
    cached: true,
    attempts: 0,
    calls: [],
    // A baseline books no costs: an answer has the one that the price table gives it.
    ...(answerHash === undefined ? {} : { costUsd: null }),
    ...answer,
  };
}
