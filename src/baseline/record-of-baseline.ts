import { defined } from '../json/defined.ts';
import type { Baseline, BaselineCase, BaselineTrial } from '../model/baseline.ts';
import type { CellRow, RecordedVariant, RunHeader } from '../model/record.ts';
import { defaultGate } from '../model/suite.ts';
import type { RowSummary } from '../model/summary.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { summarizeRun } from '../record/summarize-run.ts';

export interface BaselineFile {
  readonly baseline: Baseline;
  /** Of the suite, relative to the project root. */
  readonly suitePath: string;
}

/** Presents baseline files as the record of a run, so that a baseline can be the candidate of a comparison. */
export function recordOfBaselines(files: readonly BaselineFile[], source: string): StoredRecord {
  const rows: RowSummary[] = [];
  /** Of each row. */
  const owners: Baseline[] = [];
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
        let planned = 0;
        for (const { trials } of baseline.casesOf(variant).values()) {
          for (const trial of trials) {
            rows.push({ ...trial, rowIndex: rows.length });
            owners.push(baseline);
          }
          planned += trials.length;
        }
        return { ...variant, planned, observed: 0 };
      }),
    })),
  };
  const end = { type: 'end', durationMs: 0, notes: [] } as const;
  return {
    path: source,
    shownPath: source,
    header,
    end,
    summary: summarizeRun(header, rows, end),
    warnings: [],
    readRow(rowIndex) {
      const [row, owner] = [rows[rowIndex], owners[rowIndex]];
      if (row === undefined || owner === undefined) {
        throw new RangeError(`row ${rowIndex} of ${source}, which has ${rows.length}`);
      }
      return readRow(owner, row);
    },
  };
}

function readRow(baseline: Baseline, row: RowSummary): CellRow {
  const { caseId, trial: index } = row;
  const found = baseline.readCase(row, caseId);
  const trial = found?.trials.find(({ trial }) => trial === index);
  if (found === undefined || trial === undefined) throw new RangeError(`trial ${index} of ${caseId} is not there`);
  return toRow(baseline.suite, found, trial);
}

function toRow(suite: string, found: BaselineCase, trial: BaselineTrial): CellRow {
  const { prompt, provider, caseId, stamp, mustPass, group } = found;
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
    ...defined({ group }),
    cached: true,
    attempts: 0,
    calls: [],
    // A baseline stores no cost: the price table gives it.
    ...(answerHash === undefined ? {} : { costUsd: null }),
    ...answer,
  };
}
