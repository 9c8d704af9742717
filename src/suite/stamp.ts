import { canonicalJson } from '../lib/canonical-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { CheckSpec } from '../model/verdict.ts';
import type { BuiltCase } from './cases.ts';
import { markSpelling } from './spelling.ts';

/** The stamp of a case: what must be the same for two results of it to be comparable. */
export function createStamper(): (built: BuiltCase) => string {
  const texts = new WeakMap<readonly CheckSpec[], string>();
  const textOf = (checks: readonly CheckSpec[]): string => {
    const known = texts.get(checks);
    if (known !== undefined) return known;
    const text = canonicalJson(checks.map(({ source }) => source));
    texts.set(checks, text);
    return text;
  };
  return ({ vars, turns, checks, threshold }) => {
    const said = turns.map((turn) =>
      turn.kind === 'user' ? { user: turn.content, assert: turn.checks.map(({ source }) => source) } : turn,
    );
    return sha256Hex(`${canonicalJson({ vars: markSpelling(vars), turns: said, threshold })}\n${textOf(checks)}`).slice(
      0,
      16,
    );
  };
}
