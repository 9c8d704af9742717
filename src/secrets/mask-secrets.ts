import { SpelledNumber } from '../text/yaml/exact-numbers.ts';
import { buildForms, type Forms, findForms, joinSpaces, lowerCase, maxLevels, plainBase64 } from './secret-forms.ts';
import {
  decodeBase64Runs,
  decodeOnce,
  decodeWrittenOnce,
  joinHex,
  joinLines,
  type Place,
  type View,
  viewOf,
} from './text-views.ts';

export type Mask = (text: string) => string;

/**
 * Replaces each secret by `***`. It finds the secret as written, and in up to three levels of escapes for JSON, a URL, a
 * form, HTML or XML, also if each character is escaped or invisible characters are between them. It also finds it in
 * hexadecimal and in base64, alone or within a longer text such as `user:key`, wrapped or encoded twice. A long secret
 * is found in any letter case, since servers and URLs change it. If a text was shortened (`…`) within a secret, the rest
 * of the secret is replaced. The time is linear in the text's length.
 */
export function createMask(values: readonly string[]): Mask {
  const forms = buildForms(values);
  if (forms.hex.length === 0) return (text) => text;
  return (text) => {
    const places: Place[] = [];
    let view: View | undefined = viewOf(text);
    for (let level = 0; view !== undefined && level <= maxLevels; level += 1) {
      for (const place of findSecretsIn(view, forms)) places.push(place);
      view = decodeOnce(view);
    }
    return replacePlaces(text, places);
  };
}

function* findSecretsIn(view: View, forms: Forms): Iterable<Place> {
  const lines = joinLines(view);
  yield* findSpelled(view, forms);
  yield* findEncoded(lines, forms);
  for (const decoded of decodeBase64Runs(lines)) {
    yield* findEncoded(joinLines(decoded), forms);
    // A password is often escaped for a URL before it becomes a part of a header.
    let unescaped = decodeWrittenOnce(decoded);
    for (let level = 1; unescaped !== undefined && level <= maxLevels; level += 1) {
      yield* findSpelled(unescaped, forms);
      unescaped = decodeWrittenOnce(unescaped);
    }
  }
}

function* findSpelled(view: View, forms: Forms): Iterable<Place> {
  const written = joinSpaces(view.text);
  yield* findForms(view, written, forms.asWritten);
  yield* findForms(view, lowerCase(written), forms.caseless);
}

/** Finds secrets in base64, without line breaks, and in hexadecimal. */
function* findEncoded(view: View, forms: Forms): Iterable<Place> {
  const hex = joinHex(view);
  yield* findForms(view, plainBase64(view.text), forms.base64);
  yield* findForms(hex, lowerCase(hex.text), forms.hex);
}

/** Secrets may overlap one another, so all places are found before any is replaced. */
function replacePlaces(text: string, places: Place[]): string {
  places.sort((a, b) => a.start - b.start);
  let masked = '';
  let end = 0;
  for (const place of places) {
    if (place.start >= end) masked += `${text.slice(end, place.start)}***`;
    end = Math.max(end, place.end);
  }
  return masked + text.slice(end);
}

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

const secretName = /(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)/i;

/** Masks variables that are named like secrets, for output before the project is loaded. */
export function maskByName(env: Readonly<Record<string, string | undefined>>): Mask {
  return createMask(Object.entries(env).flatMap(([name, value]) => (secretName.test(name) ? (value ?? []) : [])));
}
