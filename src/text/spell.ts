import { writeJson } from '../json/canonical-json.ts';
import { plainNumbers, SpelledNumber } from './spelled-number.ts';

/** The text of a scalar as its author wrote it; an object or array becomes compact JSON. */
export function spell(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof SpelledNumber) return value.source;
  return writeJson(plainNumbers(value)) ?? '';
}
