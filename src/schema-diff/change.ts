import type { JsonValue } from '../json/json.ts';
import { type RuleKey, ruleFor } from './rules.ts';

/** A difference as found, before it is graded for a direction and a policy. */
export interface Change {
  readonly rule: RuleKey;
  readonly path: string;
  readonly old: JsonValue;
  readonly new: JsonValue;
  readonly message: string;
  /** The thing removed is named in a tombstone list. */
  readonly announced?: true;
}

/** True where a value that was accepted may be refused. */
export function hasNarrowing(changes: readonly Change[]): boolean {
  return changes.some((change) => ruleFor(change.rule).narrows);
}

/** True where a value that was refused may be accepted. */
export function hasWidening(changes: readonly Change[]): boolean {
  return changes.some((change) => ruleFor(change.rule).widens);
}

/** False where the two sides accept the same values. */
export function hasEffect(changes: readonly Change[]): boolean {
  return hasNarrowing(changes) || hasWidening(changes);
}
