/** The sum of a value of each item; undefined where one is unknown, since a partial sum would read as the whole. */
export function sumKnown<T>(items: readonly T[], valueOf: (item: T) => number | undefined): number | undefined {
  let sum = 0;
  for (const item of items) {
    const value = valueOf(item);
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum;
}
