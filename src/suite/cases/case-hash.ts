import { canonicalJson } from '../../json/canonical-json.ts';
import type { JsonValue } from '../../json/json.ts';
import type { Case } from '../../model/suite.ts';
import { SpelledNumber } from '../../text/exact-numbers.ts';
import { sha256Hex } from '../../text/sha256.ts';

/**
 * The stamp of a case, `inputs.checks`: what must be the same for two results of it to be comparable. Where only the
 * second part differs, a stored answer can be judged again by the new checks. Checks of a turn count as inputs, since
 * records and baselines keep only the last answer of a conversation.
 */
export function hashCase({ vars, turns, checks, threshold }: Omit<Case, 'stamp'>): string {
  const sent = turns.map((turn) =>
    turn.kind === 'user' ? { user: turn.content, assert: turn.checks.map(({ source }) => source) } : turn,
  );
  const inputs = canonicalJson({ turns: sent, vars: markSpelling(vars) });
  const judged = canonicalJson(checks.map(({ source }) => source));
  return `${shortHash(inputs)}.${shortHash(`${threshold ?? ''}\n${judged}`)}`;
}

function shortHash(text: string): string {
  return sha256Hex(text).slice(0, 12);
}

/** Plain JSON in which a spelled number differs from its plain one, so that 1.0 and 1 give different hashes. */
export function markSpelling(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (value instanceof SpelledNumber) return { $number: value.source };
  if (Array.isArray(value)) return value.map(markSpelling);
  if (typeof value !== 'object') return null;
  const written = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(written.map(([key, item]) => [key, markSpelling(item)]));
}
