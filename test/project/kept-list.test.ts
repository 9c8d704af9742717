import { expect, test } from 'vitest';
import * as z from 'zod';
import { defineKeptList } from '../../src/project/kept-list.ts';
import { openTempProject } from '../support/temp-project.ts';

const list = defineKeptList({
  name: 'notes',
  format: 2,
  row: z.object({ id: z.string(), part: z.string() }),
  keyOf: ({ id, part }) => [id, part],
  lack: 'holds no notes',
  command: 'llmcheck note',
});

test('rows are kept sorted by their keys, and a file is written only where it changes', () => {
  const project = openTempProject();
  const path = project.path('a.json');
  expect(list.read(path, 'a.json')).toEqual([]);
  const rows = [
    { id: 'b', part: 'a' },
    { id: 'ab', part: 'c' },
    { id: 'a', part: 'd' },
    { id: 'a', part: 'c' },
  ];
  expect(list.write(path, rows)).toBe(true);
  const sorted = [rows[3], rows[2], rows[1], rows[0]];
  expect(project.read('a.json')).toBe(`${JSON.stringify({ format: 2, notes: sorted }, undefined, 2)}\n`);
  expect([list.write(path, rows.toReversed()), list.read(path, 'a.json')]).toEqual([false, sorted]);
});

test.each([
  ['{', 'a.json holds no notes: it is no JSON: it ends in the middle of a value'],
  ['{"format":1,"notes":[]}', 'a.json holds no notes: format: Invalid input: expected 2'],
  [
    '{"format":2,"notes":[{"id":3}]}',
    'a.json holds no notes: notes.0.id: Invalid input: expected string, received number',
  ],
  ['[]', 'a.json holds no notes: Invalid input: expected object, received array'],
])('the damaged file %s is refused', (text, message) => {
  const project = openTempProject();
  project.write('a.json', text);
  const hint = 'restore it, or remove it and run llmcheck note';
  const problem = { code: 'record', severity: 'error', message, hint };
  expect(() => list.read(project.path('a.json'), 'a.json')).toThrow(expect.objectContaining({ problems: [problem] }));
});
