import { relative } from 'node:path';
import type { CompletionView } from '../assertions/define.ts';
import { readCases } from '../baseline/baseline-cases.ts';
import { openBaselineBeside } from '../baseline/open-baseline.ts';
import { readRecordings } from '../cache/recordings.ts';
import { defined } from '../json/defined.ts';
import type { Completion } from '../model/run/completion.ts';
import type { CellRow } from '../model/run/record.ts';
import type { RecordedCheck } from '../model/run/verdict.ts';
import type { Suite } from '../model/suite/suite.ts';
import { findStoredRun, listStoredRuns } from '../project/stored-runs.ts';
import { openStoredRecord, readRunHeader } from '../record/read-run-record.ts';

/** Sources of answers. `auto` uses the first that contains the suite. */
const answerSources = ['auto', 'run', 'baseline', 'recordings'] as const;

export type AnswerSource = (typeof answerSources)[number];

/** A stored answer to a case, passed or failed. */
export interface KnownAnswer {
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
  readonly trial: number;
  readonly completion: Completion & Pick<CompletionView, 'steps' | 'state'>;
  /** All recorded answers of the conversation up to and including this one, if it comes from recordings. */
  readonly recorded?: readonly Completion[];
  /** Checks of the answer; empty if only the answer is stored. */
  readonly checks: readonly RecordedCheck[];
  /** Undefined if the cost must be computed from the usage. */
  readonly costUsd?: number;
}

export interface KnownAnswers {
  /** Name in reports: a run id or file. */
  readonly source: string;
  readonly answers: readonly KnownAnswer[];
}

export interface KnownAnswersOptions {
  readonly root: string;
  readonly cwd: string;
  readonly from: AnswerSource;
  /** Run id or record file. Undefined: the latest run that contains the suite. */
  readonly run?: string;
}

/** Finds the stored answers of a suite; undefined if there are none. Sends nothing. */
export function findKnownAnswers(suite: Suite, options: KnownAnswersOptions): KnownAnswers | undefined {
  const { from } = options;
  const finders = { run: fromRun, baseline: fromBaseline, recordings: fromRecordings };
  const order = from === 'auto' ? (['run', 'baseline', 'recordings'] as const) : [from];
  for (const name of order) {
    const found = finders[name](suite, options);
    if (found !== undefined && found.answers.length > 0) return found;
  }
  return undefined;
}

function fromRun(suite: Suite, { root, cwd, run }: KnownAnswersOptions): KnownAnswers | undefined {
  const stored =
    run === undefined
      ? listStoredRuns({ root }).find(({ path }) =>
          readRunHeader(path).suites.some((other) => other.suite === suite.id),
        )
      : findStoredRun({ root }, run, cwd);
  if (stored === undefined) return undefined;
  const record = openStoredRecord(stored.path, cwd);
  const found = record.summary.suites.find(({ recorded }) => recorded.suite === suite.id);
  const rows = (found?.variants ?? []).flatMap(({ cases }) =>
    [...cases.values()].flatMap(({ trials }) => trials.map(({ rowIndex }) => record.readRow(rowIndex))),
  );
  return { source: `run ${stored.id}`, answers: rows.flatMap((row) => toKnown(row, row)) };
}

function fromBaseline(suite: Suite, options: KnownAnswersOptions): KnownAnswers | undefined {
  const { file, baseline } = openBaselineBeside(suite, options);
  if (baseline === undefined) return undefined;
  return {
    source: file,
    answers: [...readCases(baseline)].flatMap((row) =>
      row.trials.flatMap((trial) => toKnown({ ...row, trial: trial.trial }, trial)),
    ),
  };
}

function fromRecordings({ recordings }: Suite, { cwd }: KnownAnswersOptions): KnownAnswers | undefined {
  if (recordings === undefined) return undefined;
  const file = relative(cwd, recordings);
  // The lines of a conversation are consecutive; its last answer is checked.
  const last = new Map<string, KnownAnswer>();
  for (const { prompt, provider, caseId, trial, completion } of readRecordings(recordings, file).lines) {
    const key = JSON.stringify([prompt, provider, caseId, trial]);
    const recorded = [...(last.get(key)?.recorded ?? []), completion];
    last.set(key, { prompt, provider, caseId, trial, completion, recorded, checks: [] });
  }
  return { source: file, answers: [...last.values()] };
}

/** Fields of a row or of a baseline's trial. */
type Stored = Pick<
  CellRow,
  | 'checks'
  | 'output'
  | 'toolCalls'
  | 'trajectory'
  | 'state'
  | 'finishReason'
  | 'usage'
  | 'latencyMs'
  | 'firstTokenMs'
  | 'reasoning'
  | 'refusal'
  | 'costUsd'
>;

function toKnown(
  { prompt, provider, caseId, trial }: Omit<KnownAnswer, 'completion' | 'checks' | 'costUsd'>,
  stored: Partial<Stored>,
): readonly KnownAnswer[] {
  const { output, checks = [], toolCalls = [], trajectory: steps, state } = stored;
  const { finishReason, usage, latencyMs, firstTokenMs, reasoning, refusal, costUsd } = stored;
  if (output === undefined) return [];
  const completion: KnownAnswer['completion'] = {
    text: output,
    toolCalls,
    ...defined({ finishReason, latencyMs, firstTokenMs, usage, reasoning, refusal, steps, state }),
  };
  const cost = costUsd === undefined || costUsd === null ? {} : { costUsd };
  return [{ prompt, provider, caseId, trial, completion, checks, ...cost }];
}
