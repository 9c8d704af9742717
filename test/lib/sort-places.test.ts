import { expect, test } from 'vitest';
import { sortPlaces } from '../../src/lib/sort-places.ts';
import fc from '../support/property.ts';

test('places are sorted by what lies there, equal ones in their order', () => {
  const values = fc.array(fc.nat({ max: 20 }), { maxLength: 200 });
  fc.assert(
    fc.property(
      fc.oneof(
        values,
        values.map((all) => all.toSorted((a, b) => a - b)),
      ),
      (found) => {
        const at = (place: number) => found[place] ?? 0;
        const expected = [...found.keys()].sort((a, b) => at(a) - at(b));
        expect([...sortPlaces(found.length, (first, second) => at(first) > at(second))]).toEqual(expected);
      },
    ),
  );
});
