import type { Mask } from '../secrets/mask-secrets.ts';
import { SpelledNumber } from '../text/spelled-number.ts';

/** Masks every string of a JSON value, keys included; numbers and structure stay. A value without a secret is returned as it is. */
export function maskJson<T>(value: T, mask: Mask): T {
  if (typeof value === 'string') return mask(value) as T & string;
  if (typeof value !== 'object' || value === null || value instanceof SpelledNumber) return value;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const masked = items.map((item) => maskJson(item, mask));
    return masked.every((item, index) => item === items[index]) ? value : (masked as T & unknown[]);
  }
  let isChanged = false;
  const entries = Object.entries(value).map(([key, item]: [string, unknown]) => {
    const entry = [mask(key), maskJson(item, mask)] as const;
    if (entry[0] !== key || entry[1] !== item) isChanged = true;
    return entry;
  });
  return isChanged ? (Object.fromEntries(entries) as T & object) : value;
}
