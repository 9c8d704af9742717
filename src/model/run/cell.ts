import type { JsonValue } from '../../json/json.ts';
import type { SourceLocation } from '../problem.ts';
import type { AgentSettings } from '../suite/agent.ts';
import type { ClassPolicy, RowClass } from '../suite/classes.ts';
import type { Turn, Vars } from '../suite/suite.ts';
import type {
  AgentStep,
  Completion,
  CompletionRequest,
  Message,
  ProviderFailure,
  RequestOrigin,
} from './completion.ts';
import type { CheckSpec, Verdict } from './verdict.ts';

export interface CellKey extends RequestOrigin {
  /** 0-based. */
  readonly trial: number;
}

/** Names a variant in its suite. */
export function variantKey({ prompt, provider }: Pick<RequestOrigin, 'prompt' | 'provider'>): string {
  return JSON.stringify([prompt, provider]);
}

/** Names a variant in its run. */
export function suiteVariantKey({ suite, prompt, provider }: Omit<RequestOrigin, 'caseId'>): string {
  return JSON.stringify([suite, prompt, provider]);
}

/** Names a case on a variant in its run. */
export function caseKey({ suite, prompt, provider, caseId }: RequestOrigin): string {
  return JSON.stringify([suite, prompt, provider, caseId]);
}

/** The most trials of a case in a run. */
export const maxTrials = 10_000;

/** Trial numbers of fresh trials begin here: those that ask again what looks worse. Planned trials have smaller numbers. */
export const firstFreshTrial = 0x2000_0000;

/** Fresh trials of the accepted prompt begin here. Trials of a candidate or baseline never have such numbers. */
export const firstAcceptedTrial = 0x8000_0000;

/**
 * Trial numbers of edited prompts begin here. A case that was chosen by a run's answers is thus tested with new
 * answers.
 */
export const firstProbeTrial = 0x4000_0000;

/** The unit of execution: one trial of a case on a variant, rendered and ready to send. */
export interface Cell {
  readonly key: CellKey;
  readonly request: CompletionRequest;
  /** The case's variables, as a judge is shown them. */
  readonly vars: Vars;
  readonly turns: readonly Turn[];
  /** Set if the case answers the model's tool calls. */
  readonly agent?: AgentSettings;
  /** The number of the request's messages that come from the prompt, if the first turn's message follows them. */
  readonly promptMessages?: number;
  /** The tags of the case, for the readers of a report. */
  readonly tags?: readonly string[];
  readonly description?: string;
  readonly checks: readonly CheckSpec[];
  readonly threshold?: number;
  /** The group of the case. Cases of one group are not independent evidence. */
  readonly group?: string;
  /** The gated slices that the case is in; absent if it is in none. */
  readonly slices?: readonly string[];
  /** The class of the case, and the selection of an answer's class; absent if the suite has no classes. */
  readonly classes?: CellClasses;
  readonly mustPass: boolean;
  readonly observe: boolean;
  readonly skip?: string;
  /**
   * Two results with the same hash are comparable. It covers the case hash (model/suite/suite.ts), and inputs of judges and
   * programs from outside the suite.
   */
  readonly caseHash: string;
  /** Hash of request, turns, checks and threshold, which `--resume` compares. */
  readonly cellHash: string;
  /** The place of the case in its file, without an excerpt. */
  readonly at: SourceLocation;
  /** A fresh trial after the planned ones. */
  readonly confirmation?: true;
  /** Set if the cell asks the accepted prompt again, beside the candidate. */
  readonly side?: 'accepted';
}

export interface CellClasses extends Pick<RowClass, 'truth' | 'by'>, Pick<ClassPolicy, 'found'> {}

/** One call of a cell. A conversation has several. */
export interface CallRecord {
  /** The cache key. */
  readonly requestHash: string;
  readonly completion: Completion;
  readonly cached: boolean;
  readonly attempts: number;
  /** The price of a live call; undefined if no price is known, never 0. */
  readonly costUsd: number | undefined;
  /** The billed cost if it differs, as in a batch. Its `costUsd` is undefined if that price is not known. */
  readonly billed?: { readonly costUsd: number | undefined };
}

export const cellStatuses = ['passed', 'failed', 'errored', 'skipped'] as const;

export type CellStatus = (typeof cellStatuses)[number];

/** The status of a case over its trials. */
export type CaseStatus = CellStatus | 'flaky';

/** The cost of an answer that arrived but could not be used; undefined if unknown. */
export interface UnusableCost {
  /** The price of a live call. */
  readonly costUsd: number | undefined;
  readonly billedUsd: number | undefined;
}

interface CellResultBase {
  readonly key: CellKey;
  readonly cellHash: string;
  readonly caseHash: string;
  readonly observe: boolean;
  readonly mustPass: boolean;
  readonly group?: string;
  readonly slices?: readonly string[];
  /** The class of the answer; absent if the suite has no classes. */
  readonly classified?: RowClass;
  readonly at: SourceLocation;
  /** Set if the last call returned an answer that could not be used. */
  readonly unusable?: UnusableCost;
  /** All answers and tool results, if the cell's tool calls were answered. */
  readonly steps?: readonly AgentStep[];
  /** The final state of the case's tools. */
  readonly state?: JsonValue;
  /** A fresh trial after the planned ones: outside `planned`. */
  readonly confirmation?: true;
  /** Set if it asked the accepted prompt again. */
  readonly side?: 'accepted';
}

export type CellResult =
  | (CellResultBase & {
      readonly status: 'judged';
      readonly passed: boolean;
      readonly score: number;
      readonly verdicts: readonly Verdict[];
      readonly calls: readonly CallRecord[];
      /**
       * Set if the provider's filter refused the answer, or the prompt was too long. The cell then failed without an
       * answer.
       */
      readonly failure?: ProviderFailure;
      readonly attempts: number;
      /** Billed by judges for this cell; undefined if unknown. */
      readonly judgeCostUsd: number | undefined;
    })
  | (CellResultBase & {
      readonly status: 'errored';
      readonly failure: ProviderFailure;
      readonly attempts: number;
      /** Calls before the error, which count for the cost. */
      readonly calls: readonly CallRecord[];
      /** The verdicts of the other checks, if a check could not be made. */
      readonly verdicts: readonly Verdict[];
      readonly judgeCostUsd: number | undefined;
    })
  | (CellResultBase & {
      readonly status: 'skipped';
      readonly reason: SkipReason;
      readonly message?: string;
      /** Calls of a stopped conversation, which count for the cost. */
      readonly calls: readonly CallRecord[];
      /** Absent if no judge was called. */
      readonly judgeCostUsd?: number | undefined;
    });

export const stopReasons = ['decided', 'budget', 'deadline', 'bail', 'storage', 'queue', 'interrupted'] as const;

/** Why a run ended before its plan. `decided`: with `--early`, the cells so far decided the run. */
export type StopReason = (typeof stopReasons)[number];

/**
 * `case`: the suite's own `skip:`. `decided`: earlier cases decided the run (`--early`). All other reasons make the run
 * incomplete.
 */
export type SkipReason = 'case' | StopReason;

/** The input of checks: the last answer, with the cost and latency of the whole conversation. */
export interface JudgedAnswer {
  readonly cell: Cell;
  readonly completion: Completion;
  /** Undefined if an answer was not timed. */
  readonly latencyMs: number | undefined;
  readonly costUsd: number | undefined;
  /** The messages between the prompt's messages and this answer. */
  readonly conversation: readonly Message[];
  /** The answers up to this one, which is the last. For checks of a turn: of that turn, else of the cell. */
  readonly steps: readonly AgentStep[];
  /** Set if a program answered without naming the tools that it may have called. */
  readonly isPathUnknown?: true;
  /** The final state of the case's tools; undefined if they have none. */
  readonly state?: JsonValue;
}

export interface JudgedChecks {
  readonly verdicts: readonly Verdict[];
  readonly judgeCostUsd: number | undefined;
  /** Set if a judge's call failed. An aborted call, or one out of budget, makes the cell skipped, not errored. */
  readonly failure?: ProviderFailure;
}

export type CellDecision =
  | { readonly status: 'decided'; readonly passed: boolean; readonly score: number }
  | { readonly status: 'errored'; readonly reason: string };

/**
 * True for a trial with a verdict. Latency figures use judged trials only: the latency of an interrupted conversation
 * covers only its beginning.
 */
export function isJudged({ status }: { readonly status: CellStatus }): boolean {
  return status === 'passed' || status === 'failed';
}

/** The value of a trial for a pass rate. */
export function passOf({ status }: { readonly status: CellStatus }): number {
  return status === 'passed' ? 1 : 0;
}

export function countStatus(rows: readonly { readonly status: CellStatus }[], status: CellStatus): number {
  return rows.filter((row) => row.status === status).length;
}

/** The latencies for figures: of judged trials only. */
export function judgedLatencies(
  trials: readonly { readonly status: CellStatus; readonly latencyMs?: number | undefined }[],
): readonly number[] {
  return trials.flatMap((trial) => (isJudged(trial) ? (trial.latencyMs ?? []) : []));
}

/** Numbers of cells by status: planned = passed + failed + errored + skipped. */
export interface CellCounts {
  readonly planned: number;
  readonly passed: number;
  readonly failed: number;
  readonly errored: number;
  readonly skipped: number;
  /** Cells under `observe`, counted apart. */
  readonly observed: number;
  /** Fresh trials of both sides, counted apart. */
  readonly confirmations: number;
  /** Planned cells that the cache answered. */
  readonly cached: number;
}

/** Finds the cell of a case, to read its checks. */
export type FindCell = (
  suite: string,
  prompt: string,
  provider: string,
  caseId: string,
) => Cell | undefined | Promise<Cell | undefined>;
