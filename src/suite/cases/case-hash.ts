import { canonicalJson } from '../../json/canonical-json.ts';
import type { JsonValue } from '../../json/json.ts';
import type { Case } from '../../model/suite.ts';
import type { CheckSpec } from '../../model/verdict.ts';
import { SpelledNumber } from '../../text/exact-numbers.ts';
import { sha256Hex } from '../../text/sha256.ts';

/** A case but for its stamp, which is hashed when it is asked for. */
export type BuiltCase = Omit<Case, 'stamp'>;

/**
 * The stamp of a case, `inputs.checks`: what must be the same for two results of it to be comparable. Where only the
 * second part differs, a stored answer can be judged again by the new checks. Checks of a turn count as inputs, since
 * a store keeps the last answer of a conversation alone.
 */
export function createStamper(): (built: BuiltCase) => string {
  // Neighbours often share their checks.
  let known:
    | { readonly checks: readonly CheckSpec[]; readonly threshold: number | undefined; readonly hash: string }
    | undefined;
  const hashChecks = (checks: readonly CheckSpec[], threshold: number | undefined): string => {
    if (known?.checks !== checks || known.threshold !== threshold) {
      const hash = sha256Hex(`${threshold ?? ''}\n${canonicalJson(checks.map(({ source }) => source))}`).slice(0, 12);
      known = { checks, threshold, hash };
    }
    return known.hash;
  };
  return ({ vars, turns, checks, threshold }) => {
    const said = turns.map((turn) =>
      turn.kind === 'user' ? { user: turn.content, assert: turn.checks.map(({ source }) => source) } : turn,
    );
    // In the order of canonical JSON, which is then written at once.
    const inputs = sha256Hex(canonicalJson({ turns: said, vars: markSpelling(vars) })).slice(0, 12);
    return `${inputs}.${hashChecks(checks, threshold)}`;
  };
}

/** Plain JSON in which a spelled number differs from its plain one, so that 1.0 and 1 give different hashes. */
export function markSpelling(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (value instanceof SpelledNumber) return { $number: value.source };
  if (Array.isArray(value)) return value.map(markSpelling);
  if (typeof value !== 'object') return null;
  if (isFlatText(value)) return value;
  // A plain loop: this runs for every variable of every case.
  const marked: Record<string, JsonValue> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    if (key === '__proto__') Object.defineProperty(marked, key, { value: markSpelling(item), enumerable: true });
    else marked[key] = markSpelling(item);
  }
  return marked;
}

/** Texts alone, as the variables of most cases are, hold nothing to mark. */
function isFlatText(value: object): value is Record<string, string> {
  for (const item of Object.values(value)) if (typeof item !== 'string') return false;
  return true;
}
