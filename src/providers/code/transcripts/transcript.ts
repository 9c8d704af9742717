import type { JsonValue } from '../../../json/json.ts';
import type { AgentStep, FailureKind, FinishReason, ProviderFailure, Usage } from '../../../model/completion.ts';

/** What an agent's own record of its work says. */
export interface Transcript {
  readonly steps: readonly AgentStep[];
  /** The answer, where the record holds one beside the text of its last step. */
  readonly text?: string;
  readonly usage?: Usage;
  readonly model?: string;
  readonly finishReason?: FinishReason;
}

/**
 * Thrown where a record can't be read as a whole. A part that is skipped in silence could be the call that a check
 * forbids. The message continues a sentence about the program: "wrote messages, but …".
 */
export class TranscriptFault extends Error {
  readonly kind: FailureKind;
  readonly usage: Usage | undefined;

  constructor(message: string, kind: FailureKind = 'malformed', usage?: Usage) {
    super(message);
    this.name = 'TranscriptFault';
    this.kind = kind;
    this.usage = usage;
  }

  toFailure(): ProviderFailure {
    const { kind, message, usage } = this;
    // What an agent did wrong once, it may well do again, and each attempt is as long as the first.
    return { kind, message, retryable: false, ...(usage === undefined ? {} : { usage }) };
  }
}

/** Sums usage; undefined as soon as one part is unknown, since the sum of the others would read as the whole. */
export function addUsages(usages: readonly (Usage | undefined)[]): Usage | undefined {
  const known = usages.filter((usage) => usage !== undefined);
  if (known.length === 0 || known.length < usages.length) return undefined;
  const sum: Record<string, number> = {};
  for (const usage of known) {
    for (const [field, value] of Object.entries(usage)) sum[field] = (sum[field] ?? 0) + (value as number);
  }
  const { inputTokens = 0, outputTokens = 0, costUsd, ...parts } = sum;
  const isPriced = known.every((usage) => usage.costUsd !== undefined);
  return { inputTokens, outputTokens, ...parts, ...(isPriced && costUsd !== undefined ? { costUsd } : {}) };
}

export function describeType(value: JsonValue | undefined): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (value === undefined) return 'missing';
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
