import { expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { cellText, printRows } from '../../../src/cli/output/table.ts';

function print(rows: Parameters<typeof printRows>[0], json: boolean): readonly [string, string] {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  printRows(rows, { json, noun: 'runs' }, { stdout: sink('stdout'), stderr: sink('stderr') } as unknown as Io);
  return [written.stdout, written.stderr];
}

test('a list is a table, JSON, or a word that there is none', () => {
  const rows = [
    { run: 'a', cases: 3, tags: ['x', 'y'], cost: null },
    { run: 'long', cases: 10, tags: [], cost: 0.5 },
  ];
  expect(print(rows, false)).toEqual([
    ' run     cases    tags    cost\n a       3        x, y    –\n long    10               0.5\n',
    '',
  ]);
  expect(print(rows.slice(0, 1), true)).toEqual([`${JSON.stringify(rows.slice(0, 1), undefined, 2)}\n`, '']);
  expect(print([], false)).toEqual(['', 'no runs\n']);
  expect(print([], true)).toEqual(['[]\n', '']);
});

test.each([
  [undefined, '–'],
  [null, '–'],
  ['', ''],
  [0, '0'],
  [['a', 'b'], 'a, b'],
  ['one\ntwo', 'one␊two'],
])('the value %j is shown as %j', (value, text) => {
  expect(cellText(value)).toBe(text);
});
