import type { FinishReason, ToolCall, Usage } from './completion.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { RecordedCheck } from './record.ts';
import type { WrittenMessage } from './suite.ts';

export const baselineFormat = 1;

/** One line a variant: what was accepted with its answers. */
export interface BaselineVariant {
  readonly type: 'variant';
  readonly prompt: string;
  readonly provider: string;
  readonly adapter: string;
  readonly model: string;
  readonly baseUrl?: string;
  readonly params: JsonObject;
  readonly messages: readonly WrittenMessage[];
  readonly replaces?: string;
  readonly contract: { readonly input?: JsonValue; readonly output?: JsonValue };
  /** Model snapshots as the API answered them, sorted. */
  readonly models: readonly string[];
}

export interface BaselineTrial {
  readonly trial: number;
  readonly status: 'passed' | 'failed' | 'errored' | 'skipped';
  readonly score?: number;
  readonly checks: readonly RecordedCheck[];
  /** Costs are computed from usage when compared, both sides by one price table. */
  readonly usage?: Usage;
  readonly latencyMs?: number;
  readonly finishReason?: FinishReason;
  /** Left out beyond 64 KiB or under `baseline: {outputs: hash}`. */
  readonly output?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly reasoning?: string;
  readonly refusal?: string;
  /** Of text and tool calls; absent where there was no answer. */
  readonly answerHash?: string;
}

/** One line a case × variant. */
export interface BaselineCase {
  readonly type: 'case';
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
  readonly stamp: string;
  readonly mustPass?: true;
  readonly trials: readonly BaselineTrial[];
  /** Fresh trials after the planned ones, where some were made. */
  readonly confirmations?: readonly BaselineTrial[];
}

/** A baseline file as read. */
export interface Baseline {
  readonly suite: string;
  readonly variants: readonly BaselineVariant[];
  readonly cases: readonly BaselineCase[];
}
