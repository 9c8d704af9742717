import { describe, expect, test } from 'vitest';
import { createLineRows } from '../../src/cache/line-rows.ts';
import { addToTable, createLineTable, findInTable, findNextInTable, roomOf } from '../../src/cache/line-table.ts';
import fc from '../support/property.ts';

/** Few enough starts that hashes meet, and keys that differ late. */
const key = fc
  .tuple(fc.constantFrom('00000000', '00000002', '7fffffff', 'ffffffff', 'fffffffe'), fc.nat(300))
  .map(([start, number]) => `${start}${number.toString(16).padStart(8, '0')}${'0'.repeat(48)}`);
const line = fc.record({ segment: fc.nat(3), offset: fc.nat(2 ** 40), createdAtMs: fc.nat() });

describe('rows of lines', () => {
  test('hold what a map would hold', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, line), { maxLength: 400 }), fc.array(key), (sets, asked) => {
        const rows = createLineRows();
        const expected = new Map<string, (typeof sets)[number][1]>();
        for (const [name, value] of sets) {
          rows.setKey(name, value);
          expected.set(name, value);
        }
        const found = (name: string) => {
          const row = rows.find(name);
          return row === undefined ? undefined : rows.rowAt(row);
        };
        expect(rows.size).toBe(expected.size);
        for (const name of [...asked, ...expected.keys()]) expect(found(name)).toEqual(expected.get(name));
        rows.remove(1);
        for (const [name, { segment }] of expected) if (segment === 1) expected.delete(name);
        expect(rows.size).toBe(expected.size);
        for (const name of [...asked, ...expected.keys()]) expect(found(name)).toEqual(expected.get(name));
      }),
    );
  });

  test('come in the order of their keys, as far as the hash goes, each once', () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 300 }), (keys) => {
        const rows = createLineRows();
        for (const [offset, name] of keys.entries()) rows.setKey(name, { segment: 0, offset, createdAtMs: 0 });
        const sorted = rows.sorted();
        const names = Array.from(sorted.rows, (row) => keys[rows.rowAt(row).offset] ?? '');
        const starts = names.map((name) => name.slice(0, 8));
        expect(starts).toEqual(starts.toSorted());
        expect(names.toSorted()).toEqual(keys.toSorted());
        expect([...sorted.hashes]).toEqual(starts.map((start) => Number.parseInt(start, 16) || 1));
      }),
    );
  });

  test('make a table of the offsets of one segment', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.nat(1), fc.nat(2 ** 32 - 1)), { maxLength: 300 }), (sets) => {
        const rows = createLineRows();
        const expected = new Map<string, { segment: number; offset: number }>();
        for (const [name, segment, offset] of sets) {
          rows.setKey(name, { segment, offset, createdAtMs: 0 });
          expected.set(name, { segment, offset });
        }
        const table = rows.tableOf(1);
        const own = [...expected].filter(([, { segment }]) => segment === 1);
        const pairs = own.map(([name, { offset }]) => [Number.parseInt(name.slice(0, 8), 16) || 1, offset] as const);
        expect(table.filter((value, at) => at % 2 === 0 && value !== 0)).toHaveLength(pairs.length);
        for (const [hash, offset] of pairs) expect(valuesOf(table, hash)).toContain(offset);
      }),
    );
  });

  test('take no key that is none', () => {
    const rows = createLineRows();
    for (const name of ['', 'short', 'G'.repeat(64), 'A'.repeat(64), '\u0130'.repeat(64)]) {
      expect(rows.setKey(name, { segment: 0, offset: 0, createdAtMs: 0 })).toBeUndefined();
      expect(rows.find(name)).toBeUndefined();
    }
    expect(rows.size).toBe(0);
  });
});

test('a table keeps every value of a hash, the largest and the smallest hash included', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(1, 2, 2 ** 31, 2 ** 32 - 1), fc.nat()), { maxLength: 60 }),
      (pairs) => {
        const table = createLineTable(pairs.length);
        expect(roomOf(table)).toBeGreaterThanOrEqual(pairs.length);
        for (const [hash, value] of pairs) addToTable(table, hash, value);
        for (const hash of [1, 2, 3, 2 ** 31, 2 ** 32 - 1]) {
          const values = pairs.filter(([own]) => own === hash).map(([, value]) => value);
          expect(inOrder(valuesOf(table, hash))).toEqual(inOrder(values));
        }
      },
    ),
  );
});

function valuesOf(table: Uint32Array, hash: number): number[] {
  const values: number[] = [];
  for (let at = findInTable(table, hash); at !== -1; at = findNextInTable(table, hash, at))
    values.push(table[at + 1] ?? 0);
  return values;
}

function inOrder(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}
