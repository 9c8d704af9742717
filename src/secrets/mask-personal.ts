import { Buffer, isUtf8 } from 'node:buffer';
import { SpelledNumber } from '../text/exact-numbers.ts';
import { findPii, piiKinds } from './find-pii.ts';
import { findSecrets } from './find-secrets.ts';

/** From the first line of a key to its last, or to the end of a text that was cut. */
const keyBlock =
  /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)/g;

const everything = { ignore: new Set<string>(), limit: Number.POSITIVE_INFINITY };

/** Replaces keys and tokens by `***`, and personal data by its kind, such as `[email]`. */
export function maskPersonal(text: string): string {
  let masked = '';
  let end = 0;
  for (const place of findPlaces(text)) {
    if (place.index >= end) masked += text.slice(end, place.index) + place.shown;
    end = Math.max(end, place.index + place.text.length);
  }
  return masked + text.slice(end);
}

/** The keys, tokens and personal data in a text. */
export function findPersonal(text: string): readonly string[] {
  return findPlaces(text).map((place) => place.text);
}

interface Place {
  readonly index: number;
  readonly text: string;
  readonly shown: string;
}

function findPlaces(text: string): readonly Place[] {
  return [...findPlain(text), ...findEncoded(text)].sort((a, b) => a.index - b.index || b.text.length - a.text.length);
}

function findPlain(text: string): readonly Place[] {
  const keys = Array.from(text.matchAll(keyBlock), (match) => ({ index: match.index, text: match[0], shown: '***' }));
  const secrets = findSecrets(text, { ...everything, entropy: true }).map((found) => ({ ...found, shown: '***' }));
  const personal = findPii(text, { ...everything, kinds: piiKinds }).map((found) => ({
    ...found,
    shown: `[${found.kind}]`,
  }));
  return [...keys, ...secrets, ...personal];
}

const base64Run = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/_=-])/g;
const urlRun = /(?<![\w.%+~-])[\w.%+~-]{1,80}%40[\w.%-]{4,80}/g;

/** Runs of Base64 and URL encoding that hold a key or personal data. */
function findEncoded(text: string): readonly Place[] {
  const runs = [...text.matchAll(base64Run), ...(text.includes('%40') ? text.matchAll(urlRun) : [])];
  return runs.flatMap(({ 0: run, index }) => {
    const decoded = run.includes('%') ? run.replaceAll('%40', '@') : decodeBase64(run);
    return decoded !== undefined && findPlain(decoded).length > 0 ? [{ index, text: run, shown: '***' }] : [];
  });
}

/** Undefined where a run is no Base64 of a text. */
function decodeBase64(run: string): string | undefined {
  const bytes = Buffer.from(run, 'base64');
  if (bytes.length < 10 || !isUtf8(bytes)) return undefined;
  const decoded = bytes.toString('utf8');
  return /\p{Cc}/u.test(decoded.replaceAll(/\s/g, '')) ? undefined : decoded;
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
