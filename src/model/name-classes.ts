import { canonicalJson, spell } from '../json/canonical-json.ts';
import { SpelledNumber } from '../text/exact-numbers.ts';
import { sha256Hex } from '../text/sha256.ts';
import type { SelectSpec } from './verdict.ts';

/** The name of a class from a value; undefined for what is none: nothing, an empty text, a list, an object. */
export function nameClass(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object' && !(value instanceof SpelledNumber)) return undefined;
  const name = spell(value).trim();
  return name === '' ? undefined : name;
}

/** Names a selection, by hash. */
export function selectionId(found: SelectSpec): string {
  return sha256Hex(canonicalJson(found)).slice(0, 12);
}
