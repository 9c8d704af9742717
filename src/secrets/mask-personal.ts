import { SpelledNumber } from '../text/exact-numbers.ts';
import { findPii, piiKinds } from './find-pii.ts';
import { findSecrets } from './find-secrets.ts';

/** From the first line of a key to its last, or to the end of a text that was cut. */
const keyBlock =
  /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g;

const everything = { ignore: new Set<string>(), limit: Number.POSITIVE_INFINITY };

/** Replaces keys and tokens by `***`, and personal data by its kind, such as `[email]`. */
export function maskPersonal(text: string): string {
  const keys = Array.from(text.matchAll(keyBlock), (match) => ({ index: match.index, text: match[0], shown: '***' }));
  const secrets = findSecrets(text, { ...everything, entropy: true }).map((found) => ({ ...found, shown: '***' }));
  const personal = findPii(text, { ...everything, kinds: piiKinds }).map((found) => ({
    ...found,
    shown: `[${found.kind}]`,
  }));
  const places = [...keys, ...secrets, ...personal].sort((a, b) => a.index - b.index || b.text.length - a.text.length);
  let masked = '';
  let end = 0;
  for (const place of places) {
    if (place.index >= end) masked += text.slice(end, place.index) + place.shown;
    end = Math.max(end, place.index + place.text.length);
  }
  return masked + text.slice(end);
}

/** The same for every text of a JSON value, its keys and numbers included. */
export function maskPersonalJson(value: unknown): unknown {
  if (typeof value === 'string') return maskPersonal(value);
  if (typeof value === 'number' || value instanceof SpelledNumber) {
    const spelled = value instanceof SpelledNumber ? value.source : String(value);
    const masked = maskPersonal(spelled);
    return masked === spelled ? value : masked;
  }
  if (Array.isArray(value)) return value.map(maskPersonalJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [maskPersonal(key), maskPersonalJson(item)]));
}
