import type { LineTable } from './line-table.ts';
import { addToTable, checkKey, createLineTable, findInTable, findNextInTable, hashKey, roomOf } from './line-table.ts';

/** Where a line stands, and how old its entry is. */
export interface LineRow {
  /** A number that its owner gave the segment. */
  readonly segment: number;
  readonly offset: number;
  readonly createdAtMs: number;
}

/** One line for each key, as numbers in typed arrays: 40 bytes a line, where objects and texts take 250. */
export interface LineRows {
  readonly size: number;
  /** The number of a key's row; undefined where there is none. */
  find(key: string): number | undefined;
  rowAt(row: number): LineRow;
  /** Replaces what is known of the key, and says in which row; undefined for what is no key: nobody asks for it. */
  setKey(key: string, line: LineRow): number | undefined;
  /** The rows in the order of keys, as far as those differ in their first 32 bits, with these. */
  sorted(): { readonly hashes: Uint32Array; readonly rows: Uint32Array };
  /** A table of the offsets of a segment's lines. */
  tableOf(segment: number): LineTable;
  /** Forgets a segment's rows; the others have other numbers then. */
  remove(segment: number): void;
}

export function createLineRows(): LineRows {
  let table = createLineTable(firstRoom);
  let segments = new Uint32Array(firstRoom);
  let checks = new Uint32Array(firstRoom);
  let offsets = new Float64Array(firstRoom);
  let times = new Float64Array(firstRoom);
  let size = 0;

  return {
    get size() {
      return size;
    },
    find: (key) => findRow(hashKey(key), checkKey(key)),
    rowAt,
    setKey,
    sorted,
    tableOf,
    remove,
  };

  function findRow(hash: number, check: number): number | undefined {
    if (hash === 0) return undefined;
    for (let at = findInTable(table, hash); at !== -1; at = findNextInTable(table, hash, at)) {
      const row = table[at + 1] ?? 0;
      if (checks[row] === check) return row;
    }
    return undefined;
  }

  function rowAt(row: number): LineRow {
    return { segment: segments[row] ?? 0, offset: offsets[row] ?? 0, createdAtMs: times[row] ?? 0 };
  }

  function setKey(key: string, line: LineRow): number | undefined {
    const hash = hashKey(key);
    return hash === 0 ? undefined : set(hash, checkKey(key), line);
  }

  function set(hash: number, check: number, { segment, offset, createdAtMs }: LineRow): number {
    let row = findRow(hash, check);
    if (row === undefined) {
      row = size;
      if (row === segments.length || row >= roomOf(table)) grow();
      addToTable(table, hash, row);
      checks[row] = check;
      size += 1;
    }
    segments[row] = segment;
    offsets[row] = offset;
    times[row] = createdAtMs;
    return row;
  }

  function grow(): void {
    const room = Math.ceil(segments.length * growth);
    const grown = createLineTable(room);
    for (let at = 0; at < table.length; at += 2) {
      const hash = table[at] ?? 0;
      if (hash !== 0) addToTable(grown, hash, table[at + 1] ?? 0);
    }
    table = grown;
    segments = copyInto(new Uint32Array(room), segments);
    checks = copyInto(new Uint32Array(room), checks);
    offsets = copyInto(new Float64Array(room), offsets);
    times = copyInto(new Float64Array(room), times);
  }

  function sorted() {
    // Pairs as 64-bit numbers, which the engine sorts without a call for each comparison.
    const pairs = new BigUint64Array(size);
    const halves = new Uint32Array(pairs.buffer);
    let at = 0;
    for (let cell = 0; cell < table.length; cell += 2) {
      const hash = table[cell] ?? 0;
      if (hash === 0) continue;
      halves[at + highHalf] = hash;
      halves[at + 1 - highHalf] = table[cell + 1] ?? 0;
      at += 2;
    }
    pairs.sort();
    const [hashes, rows] = [new Uint32Array(size), new Uint32Array(size)];
    for (let index = 0; index < size; index += 1) {
      hashes[index] = halves[2 * index + highHalf] ?? 0;
      rows[index] = halves[2 * index + 1 - highHalf] ?? 0;
    }
    return { hashes, rows };
  }

  function tableOf(segment: number): LineTable {
    let count = 0;
    for (let row = 0; row < size; row += 1) count += segments[row] === segment ? 1 : 0;
    const own = createLineTable(count);
    for (let at = 0; at < table.length; at += 2) {
      const [hash = 0, row = 0] = [table[at], table[at + 1]];
      if (hash !== 0 && segments[row] === segment) addToTable(own, hash, offsets[row] ?? 0);
    }
    return own;
  }

  function remove(segment: number): void {
    const old = { table, segments, checks, offsets, times };
    table = createLineTable(firstRoom);
    segments = new Uint32Array(firstRoom);
    checks = new Uint32Array(firstRoom);
    offsets = new Float64Array(firstRoom);
    times = new Float64Array(firstRoom);
    size = 0;
    for (let at = 0; at < old.table.length; at += 2) {
      const [hash = 0, row = 0] = [old.table[at], old.table[at + 1]];
      const owner = old.segments[row] ?? 0;
      if (hash === 0 || owner === segment) continue;
      const line = { segment: owner, offset: old.offsets[row] ?? 0, createdAtMs: old.times[row] ?? 0 };
      set(hash, old.checks[row] ?? 0, line);
    }
  }
}

const firstRoom = 64;
const growth = 1.6;
// Which of the two 32-bit halves of a 64-bit number is the higher one depends on the processor.
const highHalf = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

function copyInto<T extends Uint32Array | Float64Array>(grown: T, values: T): T {
  grown.set(values);
  return grown;
}
