import {
  compareDecimals,
  compareNumbers,
  findLongNumbers,
  isWholeDecimal,
  replaceLongNumbers,
  type SpelledNumber,
} from '../text/exact-numbers.ts';

export interface Neighbours {
  /** The first number that no double keeps. */
  readonly number: SpelledNumber;
  /** False where a keyword, such as `multipleOf`, can't be decided by neighbours. */
  readonly isDecidable: boolean;
  /** The value with a double below, above, and by turns on either side of each such number. */
  readonly variants: readonly unknown[];
}

/** A value with its long numbers replaced by the doubles next to them; undefined where it holds no long number. */
export function replaceByNeighbours(schema: unknown, value: unknown): Neighbours | undefined {
  const long = findLongNumbers(value).map(({ number }) => number);
  const [number] = long;
  if (number === undefined) return undefined;
  const named = new Set<number>();
  const hasMultiple = collectNumbers(schema, named);
  const sorted = [...long].sort((a, b) => compareNumbers(a, b) ?? 0);
  const ranks = new Map(distinct(sorted).map(({ source }, rank) => [source, rank]));
  const around = (found: SpelledNumber, side: 'below' | 'above') => findNeighbour(found.source, side, named);
  const variants = [
    replaceLongNumbers(value, (found) => around(found, 'below')),
    replaceLongNumbers(value, (found) => around(found, 'above')),
    // Two different numbers between the same doubles must not seem to be one.
    replaceLongNumbers(value, (found) => around(found, (ranks.get(found.source) ?? 0) % 2 === 0 ? 'below' : 'above')),
  ];
  // Between large doubles there is no fraction that would tell a whole number from another.
  const isFraction = (found: SpelledNumber) => !isWholeDecimal(found.source) && Math.abs(Number(found)) >= 2 ** 51;
  return { number, isDecidable: !hasMultiple && !long.some(isFraction), variants };
}

/** By value: 1.0 and 1 are one. */
function distinct(sorted: readonly SpelledNumber[]): readonly SpelledNumber[] {
  return sorted.filter((number, index) => index === 0 || compareNumbers(sorted[index - 1], number) !== 0);
}

/** Collects the numbers that a schema names: a neighbour must not equal one. True where the schema has `multipleOf`. */
function collectNumbers(schema: unknown, named: Set<number>): boolean {
  if (typeof schema === 'number') named.add(schema);
  if (typeof schema !== 'object' || schema === null) return false;
  let hasMultiple = 'multipleOf' in schema && typeof schema.multipleOf === 'number' && schema.multipleOf !== 1;
  for (const part of Object.values(schema)) hasMultiple = collectNumbers(part, named) || hasMultiple;
  return hasMultiple;
}

/** The nearest double on one side of a number that is not named. */
function findNeighbour(source: string, side: 'below' | 'above', named: ReadonlySet<number>): number {
  const step = side === 'below' ? stepDown : stepUp;
  const isBeyond = (double: number) => {
    const order = Number.isFinite(double) ? compareDecimals(String(double), source) : Math.sign(double);
    return side === 'below' ? (order ?? 0) < 0 : (order ?? 0) > 0;
  };
  let double = Number(source);
  while (!isBeyond(double) || named.has(double)) double = step(double);
  return double;
}

const bits = new DataView(new ArrayBuffer(8));

/** The next double in order; infinity stays. */
function stepUp(double: number): number {
  if (double === Number.POSITIVE_INFINITY) return double;
  if (double === 0) return Number.MIN_VALUE;
  bits.setFloat64(0, double);
  bits.setBigInt64(0, bits.getBigInt64(0) + (double > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}

function stepDown(double: number): number {
  return -stepUp(-double);
}
