import { SpelledNumber } from '../text/exact-numbers.ts';
import { quote } from '../text/shorten.ts';
import { writeJson } from './canonical-json.ts';

/** A JSON value in a few words or letters: `the string "a"`, `an object with the keys a, b`. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `the string ${quote(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`;
  if (value instanceof SpelledNumber) return `the number ${value.source}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const json = shortJson(value);
  if (json !== undefined) return json;
  if (Array.isArray(value)) return `a list of ${value.length} items`;
  const keys = Object.keys(value);
  return `an object with ${keys.length} keys, the first ${quote(keys[0] ?? '')}`;
}

const maxShortNodes = 20;
const maxShortLength = 120;

// Measured before it is written: a hostile value may be megabytes long.
function shortJson(value: object): string | undefined {
  const pending: unknown[] = [value];
  let nodes = 0;
  let length = 0;
  while (pending.length > 0) {
    const next = pending.pop();
    nodes += 1;
    if (typeof next === 'string') length += next.length;
    if (nodes > maxShortNodes || length > maxShortLength) return undefined;
    if (typeof next !== 'object' || next === null || next instanceof SpelledNumber) continue;
    const entries: readonly unknown[] = Array.isArray(next) ? next : Object.entries(next).flat();
    if (entries.length > 2 * maxShortNodes) return undefined;
    for (const entry of entries) pending.push(entry);
  }
  const json = writeJson(value) ?? '';
  return json.length > maxShortLength * 2 ? undefined : json;
}
