import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { checkReference, parseReference } from '../../scripts/stats-reference.ts';

test('the methods of the gate agree with reference values of SciPy', async () => {
  const reference = parseReference(await readFile(new URL('gate-reference.json', import.meta.url), 'utf8'));
  if (typeof reference === 'string') throw new Error(reference);
  expect(reference.length).toBeGreaterThanOrEqual(85);
  expect(checkReference(reference)).toEqual([]);
});
