import type { JsonValue } from '../json/json.ts';
import { SpelledNumber } from '../text/exact-numbers.ts';

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
