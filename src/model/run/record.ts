import type { JsonObject, JsonValue } from '../../json/json.ts';
import type { ClassPolicy, RowClass } from '../suite/classes.ts';
import type { Contract, EmptySelection, GatePolicy, Price, WrittenMessage } from '../suite/suite.ts';
import type { CellKey, CellStatus, SkipReason, StopReason } from './cell.ts';
import type { AgentStep, FailureKind, FinishReason, ToolCall, Usage } from './completion.ts';
import type { Verdict } from './verdict.ts';

/**
 * Grows when a field changes meaning or a new one is required. New optional fields do not count: older records lack them.
 * A reader refuses a number that it does not know.
 */
export const recordFormat = 1;

/** The data of one variant that later comparisons and reports need. */
export interface RecordedVariant {
  readonly prompt: string;
  readonly provider: string;
  readonly adapter: string;
  readonly model: string;
  /**
   * The address after the environment and defaults. Absent if none is called, and in older records that used a default.
   */
  readonly baseUrl?: string;
  /** The version of the adapter, which includes the project's own code or template. Absent in older records. */
  readonly adapterVersion?: string;
  /**
   * Set if own code of its provider, or of a check or prompt of its suite, reads what can't be followed. An equal
   * adapterVersion or case hash then does not show that nothing changed.
   */
  readonly isContentUnknown?: true;
  /** The provider's own price and its name in the price table, so that a stored answer can be priced again. */
  readonly price?: Price;
  readonly priceProvider?: string;
  readonly params: JsonObject;
  /** Other provider settings that change the request, with headers as hashes; absent if it has none. */
  readonly options?: JsonObject;
  /** The prompt's messages as templates, unrendered. */
  readonly messages: readonly WrittenMessage[];
  readonly replaces?: string;
  /** The provider whose answers it is compared with, by `replaces` of the provider or by `--swap`. */
  readonly replacesProvider?: string;
  /** The prompt version whose baseline this one is, if it runs again beside that version. */
  readonly baselineOf?: string;
  readonly contract: { readonly input?: JsonValue; readonly output?: JsonValue } & Omit<Contract, 'input' | 'output'>;
  /** Planned cells, without cells under `observe`. */
  readonly planned: number;
  readonly observed: number;
  /** The state of the accepted prompt in the run; absent if none was accepted, and in older records. */
  readonly acceptedPrompt?: AcceptedPromptState;
}

/** Whether a run can ask the accepted prompt again, beside the candidate. */
export type AcceptedPromptState = (
  | { /** Nothing that is sent has changed, nor where it is sent. */ readonly is: 'unchanged' }
  | { readonly is: 'askable' }
  | {
      readonly is: 'unavailable';
      readonly why: string;
      /** Set if cases were accepted with several prompts or settings, so that the ones of each case are unknown. */
      readonly isOfSeveral?: true;
    }
) & {
  /** Names the accepted prompt with its settings (compare/variant-differences.ts); absent in older records. */
  readonly of?: string;
};

export interface RecordedSuite {
  readonly suite: string;
  /** Relative to the project root, with forward slashes. */
  readonly path: string;
  readonly gate: GatePolicy;
  /** Absent if the suite classifies nothing, and in older records. */
  readonly classes?: ClassPolicy;
  readonly outputs: 'full' | 'hash';
  readonly variants: readonly RecordedVariant[];
  /** Why judges of the suite may not decide, one sentence each; absent if all may. */
  readonly unvalidated?: readonly string[];
  /** Measurements of its judges, one entry for each criterion; absent if no judge is asked. */
  readonly judges?: readonly RecordedJudge[];
  /** True if a filter, tag, sample, shard or restriction left cells out. */
  readonly filtered: boolean;
  /** Set if only recordings or the cache answer, so that asking again gives the same answer. */
  readonly replayed?: true;
}

/** How well a judge was measured against labels on one criterion when the run began. */
export interface RecordedJudge {
  readonly judge: string;
  readonly assertion: string;
  readonly name?: string;
  /** Absent if it was never measured, or before judge, criterion or labels changed. */
  readonly measured?: { readonly labels: number; readonly youdenLow: number };
}

/** The commit, branch and pull request of a run, as far as its environment tells them. */
export interface RunProvenance {
  readonly commit?: string;
  readonly branch?: string;
  readonly pullRequest?: number;
}

/** The first line of a run record. */
export interface RunHeader {
  readonly type: 'run';
  readonly format: typeof recordFormat;
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly tool: { readonly name: 'llmcheck'; readonly version: string };
  readonly settings: RunSettings;
  /** Absent if nothing is known, and in older records. */
  readonly provenance?: RunProvenance;
  /** The paths and flags that selected the cells, for `--resume`. */
  readonly invocation?: JsonObject;
  readonly suites: readonly RecordedSuite[];
}

export const cacheModes = ['use', 'refresh', 'replay', 'off'] as const;

export type CacheMode = (typeof cacheModes)[number];

/** The settings for the decision. With them, a record can be judged again without the project. */
export interface RunSettings {
  readonly cacheMode: CacheMode;
  /** A count, or a fraction of the planned cells. */
  readonly maxErrors: { readonly count: number } | { readonly fraction: number };
  readonly allowEmpty: boolean;
  readonly requireConclusive: boolean;
  /**
   * The other side of the comparison: `auto` is the file beside the suite. Absent in records from before comparisons
   * existed.
   */
  readonly baseline?: 'auto' | 'none' | { readonly source: string };
  /** Two or more prompt versions compared within the run; the first is the baseline. */
  readonly compare?: readonly string[];
  /** Providers that this run only compares with each other: `--swap`, or `--compare` of providers. */
  readonly swap?: readonly ProviderSwap[];
  readonly maxCostUsd?: number;
  readonly shard?: RecordedShard;
  /** Shards that were merged into this run. */
  readonly mergedShards?: number;
  /** Set for a run that looks for drift. It fails if a case fails although its request has not changed. */
  readonly drift?: true;
  /** Set for a run that may end before its plan (`--early`). `order` seeds the random order of its cases. */
  readonly early?: { readonly order: string };
  /** Absent if every selected path has a case. */
  readonly emptySelections?: readonly EmptySelection[];
  /** The ref in words, if the run took only suites that changed since that ref. */
  readonly changedSince?: string;
  /** Set if the record holds all that its decision needs; absent in older records. */
  readonly isSelfContained?: true;
  /** Settings that the change loosens against the compared commit; absent if it loosens none. */
  readonly loosened?: readonly Loosened[];
}

/** A provider and its possible replacements. */
export interface ProviderSwap {
  readonly provider: string;
  /** Ids of providers. */
  readonly candidates: readonly string[];
}

/** A setting that became less strict. Values are as written, `none` if there is no limit. */
export interface Loosened {
  /** Absent for a setting of the config. */
  readonly suite?: string;
  readonly key: string;
  readonly old: string;
  readonly new: string;
  /** The affected cases, if the key is one of `loosenedCases`. */
  readonly cases?: readonly string[];
}

/** The ways in which a change can loosen cases. `removed` counts only must-pass cases. */
export const loosenedCases = ['removed', 'mustPass', 'observe', 'skip', 'trials'] as const;
export type LoosenedCases = (typeof loosenedCases)[number];

/** The part of a run that a record holds. */
export interface RecordedShard {
  /** The number of the shard, from 1. */
  readonly index: number;
  readonly count: number;
  /**
   * Hash of all cases of all shards and their case hashes. Shards with another value are not merged. Absent in older
   * records.
   */
  readonly selection?: string;
  /**
   * Hash of the whole run's suites, variants and trials. Shards with another value are not merged. Absent in older
   * records.
   */
  readonly plan?: string;
  /** True if another selection besides the shard left cells out. */
  readonly filtered?: boolean;
  /** Number of cases in the other shards, by suite. The bound on false alarms covers the whole run. */
  readonly otherCases?: Readonly<Record<string, number>>;
}

export interface RecordedCheck extends Omit<Verdict, 'weight' | 'required'> {
  /** Left out if 1. */
  readonly weight?: number;
  readonly required?: boolean;
}

export interface RecordedCall {
  readonly requestHash: string;
  readonly cached: boolean;
  readonly attempts: number;
  /** Absent if it was not measured. */
  readonly latencyMs?: number;
  readonly costUsd: number | null;
  readonly usage?: Usage;
  /** Only in conversations, because `output` has only the last answer. */
  readonly text?: string;
}

/** The input of a case, for people to read. A text beyond the limit is cut. */
export interface AskedCase {
  readonly messages: readonly AskedMessage[];
  readonly turns?: readonly AskedTurn[];
  readonly tags?: readonly string[];
  readonly description?: string;
}

export interface AskedMessage {
  readonly role: string;
  readonly content: string;
  /** Length of the whole text in characters, if `content` is cut. */
  readonly ofChars?: number;
  /** Paths of attached files. */
  readonly attach?: readonly string[];
}

/** A message after the model's answer: the user's next question, or the result of the tool `name`. */
export interface AskedTurn extends Omit<AskedMessage, 'attach'> {
  readonly role: 'user' | 'tool';
  readonly name?: string;
}

/** One line a finished cell; the last line of a cell wins. Members without a value are not written. */
export interface CellRow extends CellKey {
  readonly type: 'cell';
  readonly cellHash: string;
  readonly caseHash: string;
  readonly status: CellStatus;
  readonly observe?: true | undefined;
  readonly mustPass?: true | undefined;
  /** The common source of several cases, which are not independent evidence. */
  readonly group?: string | undefined;
  /** The gated slices that the case is in; absent if it is in none, and in older records. */
  readonly slices?: readonly string[] | undefined;
  /** The class of the answer; absent if the suite has no classes, and in older records. */
  readonly classified?: RowClass | undefined;
  readonly confirmation?: true | undefined;
  /** Set if the accepted prompt was asked again, beside the candidate. */
  readonly side?: 'accepted' | undefined;
  /** The shard that the row comes from, from 1; only in a merged record. */
  readonly shard?: number | undefined;
  readonly at: { readonly file: string; readonly line: number; readonly column: number };
  /** In [0, 1]; absent if nothing was judged. */
  readonly score?: number | undefined;
  /** Hash of text and tool calls by hashAnswer; absent if there was no answer, and in older records. */
  readonly answerHash?: string | undefined;
  /** The id of this answer by identifyAnswer. A new call with the same answer gets another id. */
  readonly answerId?: string | undefined;
  readonly output?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly refusal?: string | undefined;
  /** The tool calls of the answer. If the case's tools answered calls: all calls of the model. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** All answers and tool results, if the cell's tool calls were answered; else absent. */
  readonly trajectory?: readonly AgentStep[] | undefined;
  /** The final state of the case's tools. */
  readonly state?: JsonValue | undefined;
  readonly finishReason?: FinishReason | undefined;
  readonly checks: readonly RecordedCheck[];
  /** Summed over a conversation; absent if no answer was timed. */
  readonly latencyMs?: number | undefined;
  /** The time of the last answer; absent if it was not streamed. */
  readonly firstTokenMs?: number | undefined;
  /** Number of cells of the same provider that began earlier; absent without a latency, and in older records. */
  readonly position?: number | undefined;
  /** The cost as if nothing were cached. Null if no price is known; absent if there was no answer. */
  readonly costUsd?: number | null | undefined;
  /** Number of answers, if the cell's tool calls were answered; else absent. */
  readonly steps?: number | undefined;
  /** Billed by this run. */
  readonly spentUsd?: number | null | undefined;
  readonly judgeCostUsd?: number | null | undefined;
  readonly usage?: Usage | undefined;
  /** True if every answer of the cell came without a request. */
  readonly cached: boolean;
  readonly attempts: number;
  readonly model?: string | undefined;
  readonly systemFingerprint?: string | undefined;
  readonly calls: readonly RecordedCall[];
  /** Only on the first trial: the others sent the same. */
  readonly asked?: AskedCase | undefined;
  readonly error?:
    | {
        readonly kind: FailureKind;
        readonly message: string;
        readonly status?: number;
        readonly attempts: number;
      }
    | undefined;
  readonly skip?: { readonly reason: SkipReason; readonly message?: string } | undefined;
}

/**
 * The part of a row for counting, comparing and deciding. It is at the start of the line, so that it can be read alone.
 */
export type RowHead = CellKey &
  Pick<CellRow, 'type' | 'caseHash' | 'status' | 'cached'> & {
    readonly [Key in
      | 'observe'
      | 'mustPass'
      | 'group'
      | 'slices'
      | 'classified'
      | 'confirmation'
      | 'side'
      | 'shard'
      | 'score'
      | 'latencyMs'
      | 'firstTokenMs'
      | 'position'
      | 'costUsd'
      | 'spentUsd'
      | 'judgeCostUsd'
      | 'answerHash'
      | 'answerId'
      | 'steps'
      | 'usage'
      | 'model'
      | 'skip']?: CellRow[Key] | undefined;
  };

/** Written when a run goes on in an existing record. */
export interface ResumeRow {
  readonly type: 'resume';
  readonly startedAt: string;
}

/** The last line of a run that was not killed. */
export interface EndRow {
  readonly type: 'end';
  readonly durationMs: number;
  readonly stopReason?: StopReason;
  /** Once-per-run remarks that a report repeats. */
  readonly notes: readonly string[];
}
