/**
 * A multimap of numbers by the first 32 bits of keys, in one typed array: pairs of hash and value, a hash of 0 being an
 * empty slot. Keys are SHA-256 in hexadecimal, so their bits are as good as random and serve as they are.
 */
export type LineTable = Uint32Array;

/** With room for so many values, filled to three quarters by them. */
export function createLineTable(count: number): LineTable {
  return new Uint32Array(2 * Math.ceil((count + 1) / maxLoad));
}

/** The values that fit before a table should grow. */
export function roomOf(table: LineTable): number {
  return Math.floor((table.length / 2) * maxLoad);
}

export function addToTable(table: LineTable, hash: number, value: number): void {
  let at = homeOf(table, hash);
  while (table[at] !== 0) at = at + 2 === table.length ? 0 : at + 2;
  table[at] = hash;
  table[at + 1] = value;
}

/** The index of a pair with this hash, at which its value follows; -1 where there is none. */
export function findInTable(table: LineTable, hash: number): number {
  return probe(table, hash, homeOf(table, hash));
}

/** The next pair with the same hash. */
export function findNextInTable(table: LineTable, hash: number, at: number): number {
  return probe(table, hash, at + 2 === table.length ? 0 : at + 2);
}

/** The first eight digits of a key; 0 where they are none, which is no key's hash. */
export function hashKey(key: string): number {
  const digits = readDigits(key, 0);
  return digits === 0 ? 1 : Math.max(0, digits);
}

/** The next eight, which tell keys of one hash apart. */
export function checkKey(key: string): number {
  return readDigits(key, 8);
}

const maxLoad = 0.75;

function homeOf(table: LineTable, hash: number): number {
  return 2 * Math.floor((hash * (table.length / 2)) / 2 ** 32);
}

function probe(table: LineTable, hash: number, from: number): number {
  for (let at = from; ; at = at + 2 === table.length ? 0 : at + 2) {
    const found = table[at];
    if (found === hash) return at;
    if (found === 0) return -1;
  }
}

/** -1 where they are none. */
function readDigits(key: string, from: number): number {
  let digits = 0;
  for (let at = from; at < from + 8; at += 1) {
    const code = key.charCodeAt(at);
    const isDigit = code >= 48 && code <= 57;
    if (!isDigit && !(code >= 97 && code <= 102)) return -1;
    digits = (digits << 4) | (isDigit ? code - 48 : code - 87);
  }
  return digits >>> 0;
}
