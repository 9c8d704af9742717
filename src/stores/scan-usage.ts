import type { Buffer } from 'node:buffer';

/**
 * The text of a row's own `usage` in `bytes[start, end)`, which begins inside the row's object; undefined where it has
 * none, or where it is more than a flat object. The usages of its calls lie deeper and are passed over.
 */
export function scanUsage(bytes: Buffer, start: number, end: number): string | undefined {
  let depth = 1;
  let place = start;
  while (place < end) {
    const byte = bytes[place];
    if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) depth -= 1;
    if (byte !== quote) {
      place += 1;
      continue;
    }
    const first = place + 1;
    place = findTextEnd(bytes, first, end) + 1;
    if (depth === 1 && isUsageKey(bytes, first)) return flatObject(bytes, first + usageKey.length, end);
  }
  return undefined;
}

/** A colon behind a quote is what tells a key from a text. */
const usageKey = Uint8Array.from('usage":', (letter) => letter.charCodeAt(0));
const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

function isUsageKey(bytes: Buffer, first: number): boolean {
  for (let index = 0; index < usageKey.length; index += 1) if (bytes[first + index] !== usageKey[index]) return false;
  return true;
}

function findTextEnd(bytes: Buffer, first: number, end: number): number {
  let place = first;
  while (place < end && bytes[place] !== quote) place += bytes[place] === backslash ? 2 : 1;
  return place;
}

function flatObject(bytes: Buffer, start: number, end: number): string | undefined {
  if (bytes[start] !== openBrace) return undefined;
  let place = start + 1;
  while (place < end && bytes[place] !== closeBrace) {
    if (bytes[place] === openBrace || bytes[place] === openBracket) return undefined;
    place += 1;
  }
  return place < end ? bytes.toString('latin1', start, place + 1) : undefined;
}
