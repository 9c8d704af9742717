import { canonicalJson } from '../json/canonical-json.ts';
import type { Case } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { sha256Hex } from '../text/sha256.ts';
import { markSpelling } from './spelling.ts';

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
