import { expect, test } from 'vitest';
import { type CellDetail, CellDetails } from '../../src/pipeline/cell-details.ts';
import fc from '../support/property.ts';

const detail = fc.record(
  {
    at: fc.record({ file: fc.constantFrom('a.yaml', 'b.jsonl'), line: fc.nat(), column: fc.nat() }),
    tags: fc.array(fc.constantFrom('x', 'y","z'), { maxLength: 3 }),
    description: fc.string(),
  },
  { requiredKeys: ['at'] },
) as fc.Arbitrary<CellDetail>;

test('details come back as they were, also where trials of a case share them', () => {
  fc.assert(
    fc.property(fc.array(detail), (found) => {
      const details = new CellDetails();
      const given = found.flatMap((one) => [one, { ...one }]);
      const numbers = given.map((one) => details.add(one));
      expect(numbers.map((number) => details.at(number))).toEqual(given);
      expect(new Set(numbers).size).toBe(found.length);
    }),
  );
});
