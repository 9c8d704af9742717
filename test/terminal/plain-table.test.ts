import { expect, it } from 'vitest';
import { renderPlainTable } from '../../src/terminal/plain-table.ts';

const rows = [
  ['a', 'b', '1'],
  ['aaa', 'bb', '22'],
];

it.each<[string, Parameters<typeof renderPlainTable>[1], readonly string[]]>([
  ['all columns to the left by default', {}, ['a  b 1', 'aaabb22']],
  ['a gap between columns, never at the end', { gap: ' | ' }, ['a   | b  | 1', 'aaa | bb | 22']],
  ['the first columns to the left, the others to the right', { gap: ' ', leading: 1 }, ['a    b  1', 'aaa bb 22']],
  ['padding around each cell', { padding: { left: 1, right: 2 } }, [' a     b    1', ' aaa   bb   22']],
])('aligns %s', (_, style, lines) => {
  expect(renderPlainTable(rows, style)).toEqual(lines);
});

it('has no line for what is empty, and several for a cell of several', () => {
  expect(renderPlainTable([], {})).toEqual([]);
  expect(renderPlainTable([['a'], [''], ['b']], {})).toEqual(['a', 'b']);
  expect(renderPlainTable([['one\ntwo', 'x']], { gap: ' ' })).toEqual(['one x', 'two']);
});
