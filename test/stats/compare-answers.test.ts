import { describe, expect, test } from 'vitest';
import { compareSamples } from '../../src/stats/compare-answers.ts';
import fc from '../support/property.ts';

/** Two samples of answers that are points, with tokens. */
interface Answers {
  readonly first: readonly Answer[];
  readonly second: readonly Answer[];
}

interface Answer {
  readonly at: number;
  readonly tokens: readonly string[];
}

function compare({ first, second }: Answers): number {
  const all = [...first, ...second];
  return compareSamples({
    tokens: all.map(({ tokens }) => new Set(tokens)),
    distances: all.map((one) => all.map((other) => Math.abs(one.at - other.at))),
    size: first.length,
  });
}

/** The same test as its definition says it, over every subset of the answers. */
function compareByDefinition({ first, second }: Answers): number {
  const all = [...first, ...second];
  const size = first.length;
  const own = 2 ** size - 1;
  const subsets = Array.from({ length: 2 ** all.length }, (_, bits) => bits).filter(
    (bits) => all.filter((_, index) => hasBit(bits, index)).length === size,
  );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const statistics = subsets.map((bits) => {
    const [chosen, others] = [
      all.filter((_, index) => hasBit(bits, index)),
      all.filter((_, index) => !hasBit(bits, index)),
    ];
    const apart = (a: readonly Answer[], b: readonly Answer[]) =>
      mean(a.flatMap((x) => b.map((y) => Math.abs(x.at - y.at))));
    const energy = 2 * apart(chosen, others) - apart(chosen, chosen) - apart(others, others);
    const share = (part: readonly Answer[], token: string) =>
      part.filter(({ tokens }) => tokens.includes(token)).length / part.length;
    const gaps = [...new Set(all.flatMap(({ tokens }) => tokens))]
      .filter((token) => {
        const holders = all.filter(({ tokens }) => tokens.includes(token)).length;
        return holders > 1 && holders < all.length;
      })
      .map((token) => Math.abs(share(chosen, token) - share(others, token)));
    return { bits, energy, gap: Math.max(0, ...gaps) };
  });
  const standard = (values: readonly number[]) => {
    const deviation = Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)));
    return values.map((value) => (deviation < 1e-12 ? 0 : (value - mean(values)) / deviation));
  };
  const [energies, gaps] = [standard(statistics.map((one) => one.energy)), standard(statistics.map((one) => one.gap))];
  const values = energies.map((energy, index) => Math.max(energy, gaps[index] ?? 0));
  const seen = values[statistics.findIndex(({ bits }) => bits === own)] ?? 0;
  return values.filter((value) => value >= seen - 1e-9).length / values.length;
}

function hasBit(bits: number, index: number): boolean {
  return Math.floor(bits / 2 ** index) % 2 === 1;
}

const same = (count: number, at: number, ...tokens: readonly string[]) =>
  Array.from({ length: count }, () => ({ at, tokens }));

describe('two samples of answers', () => {
  test.each([
    ['the same answers', same(3, 0, 'a'), same(3, 0, 'a'), 1],
    ['other answers: as large only for the split as it is, and its mirror', same(3, 0), same(3, 1), 2 / 20],
    ['other answers of samples of two sizes, which have no mirror', same(2, 0), same(3, 1), 1 / 10],
    ['a token that comes', same(3, 0), same(3, 0, 'a'), 2 / 20],
    ['a token that goes', same(3, 0, 'a', 'b'), same(3, 0, 'b'), 2 / 20],
    ['a token of a single answer', [...same(2, 0), ...same(1, 0, 'a')], same(3, 0), 1],
    ['as many splits as are counted', same(4, 0), same(9, 1), 1 / 715],
  ])('%s', (_, first, second, p) => {
    expect(compare({ first, second })).toBeCloseTo(p, 12);
  });

  test('more splits than can be counted are drawn, the same ones each time', { tags: ['slow'] }, () => {
    const far = { first: same(4, 0), second: same(10, 1) };
    const drawn = compare(far) * 5000;
    expect(drawn).toBeCloseTo(Math.round(drawn), 9);
    expect(drawn).toBeGreaterThan(0.5);
    expect(drawn).toBeLessThan(20);
    expect(compare(far) * 5000).toBe(drawn);
    expect(compare({ first: same(8, 0), second: same(8, 1) })).toBeLessThan(0.005);
    const mixed = [...same(4, 0), ...same(4, 1)];
    expect(compare({ first: mixed, second: mixed })).toBeGreaterThan(0.9);
  });

  test.each([
    [1, 5],
    [5, 1],
    [0, 4],
  ])('of %i and %i answers are too small', (first, second) => {
    const said = `samples of ${first} and ${second} are too small`;
    expect(() => compare({ first: same(first, 0), second: same(second, 0) })).toThrow(new RangeError(said));
  });

  test('are compared as the definition says', () => {
    const answer = fc.record({ at: fc.nat(4), tokens: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')) });
    const sample = fc.array(answer, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.record({ first: sample, second: sample }), (answers) => {
        expect(compare(answers)).toBeCloseTo(compareByDefinition(answers), 9);
      }),
      { numRuns: 40 },
    );
  });
});
