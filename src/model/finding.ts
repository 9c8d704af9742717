import type { JsonValue } from './json.ts';

/** Who must keep up: callers with what is accepted, consumers with what arrives. */
export type Direction = 'input' | 'output';

export type FindingSeverity = 'error' | 'warn' | 'info';

/** `practical`: the documented severities; `formal`: the subset rule alone; `lenient`: only removing, renaming and retyping fail. */
export type ContractPolicy = 'practical' | 'formal' | 'lenient';

/** One difference between two contracts and what it means for the other side. */
export interface Finding {
  /** Stable and documented. */
  readonly ruleId: string;
  readonly direction: Direction;
  readonly severity: FindingSeverity;
  /** JSON Pointer into the schema or the prompt's description; '' is the root. */
  readonly path: string;
  /** Null where the old contract said nothing. */
  readonly old: JsonValue;
  /** Null where the new contract says nothing. */
  readonly new: JsonValue;
  readonly message: string;
  /** 12 hex digits; the same as long as this very difference is, whatever else changes. */
  readonly fingerprint: string;
  /** Set where the suite lets this finding through. */
  readonly approved?: true;
}
