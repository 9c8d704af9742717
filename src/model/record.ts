import type { JsonObject, JsonValue } from '../json/json.ts';
import type { CellKey, CellStatus, SkipReason, StopReason } from './cell.ts';
import type { ClassPolicy, RowClass } from './classes.ts';
import type { AgentStep, FailureKind, FinishReason, ToolCall, Usage } from './completion.ts';
import type { Contract, EmptySelection, GatePolicy, Price, WrittenMessage } from './suite.ts';
import type { Verdict } from './verdict.ts';

/**
 * Grows when a field changes meaning or a new one is required. New optional fields do not count: older records lack them.
 * A reader refuses a number that it does not know.
 */
export const recordFormat = 1;

/** What one variant of a suite was, as far as a later comparison or report needs it. */
export interface RecordedVariant {
  readonly prompt: string;
  readonly provider: string;
  readonly adapter: string;
  readonly model: string;
  /** After the environment and defaults; absent if no address is called, and in older records where it was a default. */
  readonly baseUrl?: string;
  /** The version of the adapter, which includes the project's own code or template. Absent in older records. */
  readonly adapterVersion?: string;
  /** The provider's own price and its name in the price table, so that a stored answer can be priced again. */
  readonly price?: Price;
  readonly priceProvider?: string;
  readonly params: JsonObject;
  /** Further settings of the provider that change what is sent, headers as hashes; absent if it has none. */
  readonly options?: JsonObject;
  /** The prompt's messages as templates, unrendered. */
  readonly messages: readonly WrittenMessage[];
  readonly replaces?: string;
  /** The provider whose answers it is compared with, by `replaces` of the provider or by `--swap`. */
  readonly replacesProvider?: string;
  /** The prompt version that this one was the baseline of, where it runs again beside it. */
  readonly baselineOf?: string;
  readonly contract: { readonly input?: JsonValue; readonly output?: JsonValue } & Omit<Contract, 'input' | 'output'>;
  /** Cells planned, those under `observe` not counted. */
  readonly planned: number;
  readonly observed: number;
  /** What the run knew of the prompt that was accepted; absent if nothing was, and in older records. */
  readonly acceptedPrompt?: AcceptedPromptState;
}

/** Whether a run can ask the accepted prompt again, beside the candidate. */
export type AcceptedPromptState = (
  | { /** Nothing that is sent has changed, nor where it is sent. */ readonly is: 'unchanged' }
  | { readonly is: 'askable' }
  | {
      readonly is: 'unavailable';
      readonly why: string;
      /** Set if cases were accepted with several prompts or settings. Then it is unknown what each was sent with. */
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
  /** What is known of its judges, one entry for each criterion; absent if no judge is asked. */
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

/** What was checked out where a run was made, as far as its environment says. */
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
  /** The paths and flags that chose what runs, for `--resume`. */
  readonly invocation?: JsonObject;
  readonly suites: readonly RecordedSuite[];
}

export const cacheModes = ['use', 'refresh', 'replay', 'off'] as const;

export type CacheMode = (typeof cacheModes)[number];

/** The settings that the decision needs, so that a record can be judged again from itself. */
export interface RunSettings {
  readonly cacheMode: CacheMode;
  /** A count, or a fraction of the planned cells. */
  readonly maxErrors: { readonly count: number } | { readonly fraction: number };
  readonly allowEmpty: boolean;
  readonly requireConclusive: boolean;
  /** What the run is compared with: `auto` is the file beside the suite. Absent in records of before comparisons. */
  readonly baseline?: 'auto' | 'none' | { readonly source: string };
  /** Two or more prompt versions compared within the run; the first is the baseline. */
  readonly compare?: readonly string[];
  /** Providers that are compared within the run, and nothing else: `--swap`, or `--compare` of providers. */
  readonly swap?: readonly ProviderSwap[];
  readonly maxCostUsd?: number;
  readonly shard?: RecordedShard;
  /** Shards that were merged into this run. */
  readonly mergedShards?: number;
  /** A run that looks for drift: cases that fail although nothing that is sent has changed fail it. */
  readonly drift?: true;
  /** A run that may end before its plan (`--early`). `order` is what the random order of its cases is drawn by. */
  readonly early?: { readonly order: string };
  /** Absent if every selected path brings a case. */
  readonly emptySelections?: readonly EmptySelection[];
  /** The ref in words, where only the suites that changed since it were taken. */
  readonly changedSince?: string;
  /** What the change loosens against the commit that it is compared with; absent if it loosens nothing. */
  readonly loosened?: readonly Loosened[];
}

/** A provider, and what could take its place. */
export interface ProviderSwap {
  readonly provider: string;
  /** Ids of providers. */
  readonly candidates: readonly string[];
}

/** A setting that lets more through than before. Values are as written, `none` if there is no limit. */
export interface Loosened {
  /** Absent if it is one of the config. */
  readonly suite?: string;
  readonly key: string;
  readonly old: string;
  readonly new: string;
  /** The cases concerned, if the key is one of `loosenedCases`. */
  readonly cases?: readonly string[];
}

/** What a change may take from cases. `removed`: they must pass. */
export const loosenedCases = ['removed', 'mustPass', 'observe', 'skip', 'trials'] as const;
export type LoosenedCases = (typeof loosenedCases)[number];

/** Which part of a run a record holds. */
export interface RecordedShard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  /** Hash of every case that all shards together run, with its own hash: shards of another state do not belong. Absent in older records. */
  readonly selection?: string;
  /** Hash of the whole run's suites, variants and trials: shards of another plan do not belong. Absent in older records. */
  readonly plan?: string;
  /** True if more than the shard left cells out. */
  readonly filtered?: boolean;
  /** Cases that the other shards judge, by suite: false alarms are bounded over the whole run. */
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
  /** Only in conversations, where `output` is only the last answer. */
  readonly text?: string;
}

/** What a case sent, for people to read. A text beyond the limit is cut. */
export interface AskedCase {
  readonly messages: readonly AskedMessage[];
  readonly turns?: readonly AskedTurn[];
  readonly tags?: readonly string[];
  readonly description?: string;
}

export interface AskedMessage {
  readonly role: string;
  readonly content: string;
  /** Characters of the whole, where `content` is its start. */
  readonly ofChars?: number;
  /** Paths of files that go along. */
  readonly attach?: readonly string[];
}

/** What followed the model's answer: a further question, or the result of the tool `name`. */
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
  /** What the case comes from: cases of one group are not independent evidence. */
  readonly group?: string | undefined;
  /** The gated slices that the case is in; absent if it is in none, and in older records. */
  readonly slices?: readonly string[] | undefined;
  /** What the answer was classified as; absent if the suite has no classes, and in older records. */
  readonly classified?: RowClass | undefined;
  readonly confirmation?: true | undefined;
  /** Set if the accepted prompt was asked again, beside the candidate. */
  readonly side?: 'accepted' | undefined;
  readonly at: { readonly file: string; readonly line: number; readonly column: number };
  /** In [0, 1]; absent if nothing was judged. */
  readonly score?: number | undefined;
  /** Of text and tool calls, by hashAnswer; absent if there was no answer, and in rows of before it was written. */
  readonly answerHash?: string | undefined;
  /** Set if text and calls of the answer are nothing, or only white space. Absent in older records. */
  readonly blank?: true | undefined;
  /** Names the very answer, by identifyAnswer: a fresh call that answers the same has another one. */
  readonly answerId?: string | undefined;
  readonly output?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly refusal?: string | undefined;
  /** The tool calls of the answer. If tools of the case answered calls, all calls that the model made. */
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** The answers of a cell whose tool calls were answered, with the results; absent for any other. */
  readonly trajectory?: readonly AgentStep[] | undefined;
  /** The final state of the case's tools. */
  readonly state?: JsonValue | undefined;
  readonly finishReason?: FinishReason | undefined;
  readonly checks: readonly RecordedCheck[];
  /** Summed over a conversation; absent if there was no answer, or none that was timed. */
  readonly latencyMs?: number | undefined;
  /** The time of the last answer; absent if it was not streamed. */
  readonly firstTokenMs?: number | undefined;
  /** How many cells of its provider began before it; absent without a latency, and in older records. */
  readonly position?: number | undefined;
  /** The cost as if nothing were cached. Null if no price is known; absent if there was no answer. */
  readonly costUsd?: number | null | undefined;
  /** Answers of the model in a cell whose tool calls were answered; absent for any other. */
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

/** The part of a row for counting, comparing and deciding. It comes first in the line, so that it can be read alone. */
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
      | 'score'
      | 'latencyMs'
      | 'firstTokenMs'
      | 'position'
      | 'costUsd'
      | 'spentUsd'
      | 'judgeCostUsd'
      | 'answerHash'
      | 'blank'
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

export type RecordRow = RunHeader | CellRow | ResumeRow | EndRow;
