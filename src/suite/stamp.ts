import { canonicalJson } from '../lib/canonical-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { CheckSpec } from '../model/verdict.ts';
import type { BuiltCase } from './cases.ts';
import { markSpelling } from './spelling.ts';

/**
 * The stamp of a case, `inputs.checks`: what must be the same for two results of it to be comparable. Where only the
 * second part differs, a stored answer can be judged again by the new checks. Checks of a turn count as inputs, since
 * a store keeps the last answer of a conversation alone.
 */
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
    const inputs = sha256Hex(canonicalJson({ vars: markSpelling(vars), turns: said })).slice(0, 12);
    return `${inputs}.${sha256Hex(`${threshold ?? ''}\n${textOf(checks)}`).slice(0, 12)}`;
  };
}
