import { createRandom } from '../text/random.ts';

/** Answers of two samples: each answer's tokens, the first `size` answers being the first sample. */
export interface AnswerSamples {
  readonly tokens: readonly ReadonlySet<string>[];
  /** `distances[i][j]`, at least 0. */
  readonly distances: readonly (readonly number[])[];
  readonly size: number;
}

/** The most splits to enumerate. If there are more, they are drawn at random. */
const mostSplits = 1000;
const drawnSplits = 4999;

/**
 * Computes the probability of a difference at least as large as the one seen, if both samples had one origin. It is a
 * permutation test of the larger of two standardised statistics. The energy distance detects answers that differ as a
 * whole. Source: Székely and Rizzo 2004, "Testing for equal distributions in high dimension". The largest difference in
 * how often a token occurs detects one that comes or goes. Each sample needs two answers.
 */
export function compareSamples(samples: AnswerSamples): number {
  const { tokens, size } = samples;
  const count = tokens.length;
  if (size < 2 || count - size < 2) throw new RangeError(`samples of ${size} and ${count - size} are too small`);
  const isSmall = countSplits(count, size) <= mostSplits;
  const splits = isSmall ? [...allSplits(count, size)] : [...drawSplits(count, size)];
  const occurrences = tokenOccurrences(tokens);
  const energies = standardise(splits.map((split) => energyDistance(samples.distances, split, size)));
  const gaps = standardise(splits.map((split) => largestGap(occurrences, split, size)));
  const values = energies.map((energy, index) => Math.max(energy, gaps[index] ?? 0));
  const found = values[0] ?? 0;
  const asLarge = values.filter((value) => value >= found - 1e-9).length;
  return asLarge / values.length;
}

/** True for the members of the first sample. */
type Split = readonly boolean[];

/** Twice the mean distance between the samples, without the mean distances within them. */
function energyDistance(distances: AnswerSamples['distances'], split: Split, size: number): number {
  let [between, first, second] = [0, 0, 0];
  for (const [i, row] of distances.entries()) {
    for (const [j, distance] of row.entries()) {
      if (split[i] !== split[j]) between += distance;
      else if (split[i] === true) first += distance;
      else second += distance;
    }
  }
  const rest = distances.length - size;
  return between / (size * rest) - first / size ** 2 - second / rest ** 2;
}

/** The answers that hold each token, without tokens that all or fewer than two of them hold. */
function tokenOccurrences(tokens: readonly ReadonlySet<string>[]): readonly (readonly number[])[] {
  const holders = new Map<string, number[]>();
  for (const [index, own] of tokens.entries()) {
    for (const token of own) holders.set(token, [...(holders.get(token) ?? []), index]);
  }
  return [...holders.values()].filter(({ length }) => length > 1 && length < tokens.length);
}

function largestGap(occurrences: readonly (readonly number[])[], split: Split, size: number): number {
  const rest = split.length - size;
  let largest = 0;
  for (const holders of occurrences) {
    let first = 0;
    for (const index of holders) if (split[index] === true) first += 1;
    largest = Math.max(largest, Math.abs(first / size - (holders.length - first) / rest));
  }
  return largest;
}

function standardise(values: readonly number[]): readonly number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const deviation = Math.sqrt(variance);
  return values.map((value) => (deviation < 1e-12 ? 0 : (value - mean) / deviation));
}

function countSplits(count: number, size: number): number {
  let splits = 1;
  for (let index = 1; index <= size; index += 1) splits = (splits * (count - size + index)) / index;
  return splits;
}

/** Every split; the samples as they are come first. */
function* allSplits(count: number, size: number): Iterable<Split> {
  if (count === 0) {
    yield [];
    return;
  }
  if (size > 0) for (const rest of allSplits(count - 1, size - 1)) yield [true, ...rest];
  if (size < count) for (const rest of allSplits(count - 1, size)) yield [false, ...rest];
}

/** The samples as they are, and random splits. */
function* drawSplits(count: number, size: number): Iterable<Split> {
  const random = createRandom(count);
  const split = Array.from({ length: count }, (_, index) => index < size);
  yield [...split];
  for (let drawn = 0; drawn < drawnSplits; drawn += 1) {
    for (let last = count - 1; last > 0; last -= 1) {
      const other = Math.floor(random() * (last + 1));
      [split[last], split[other]] = [split[other] === true, split[last] === true];
    }
    yield [...split];
  }
}
