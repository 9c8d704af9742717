/** A pair of equal or changed parts, or a part that one side alone has. */
export type Aligned = readonly [before: number | undefined, after: number | undefined];

interface AlignOptions {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** How alike two different parts are, from 0 to 1; below `minAlike` they are no pair. */
  readonly alike: (before: string, after: string) => number;
}

const minAlike = 0.5;

/** Aligns two lists: equal parts by their longest common subsequence, and between them those that are most alike. */
export function align({ before, after, alike }: AlignOptions): readonly Aligned[] {
  const equal = walk(before.length, after.length, (i, j) => (before[i] === after[j] ? 1 : 0));
  const pairs: Aligned[] = [];
  let [fromBefore, fromAfter] = [0, 0];
  for (const [i, j] of [...equal, [before.length, after.length] as const]) {
    const [oldStart, newStart] = [fromBefore, fromAfter];
    const changed = walk(i - oldStart, j - newStart, (a, b) => {
      const likeness = alike(before[oldStart + a] ?? '', after[newStart + b] ?? '');
      return likeness < minAlike ? 0 : likeness;
    });
    pairs.push(
      ...fillGap(
        [oldStart, newStart],
        [i, j],
        changed.map(([a, b]) => [oldStart + a, newStart + b]),
      ),
    );
    if (i < before.length || j < after.length) pairs.push([i, j]);
    [fromBefore, fromAfter] = [i + 1, j + 1];
  }
  return pairs;
}

type Pair = readonly [before: number, after: number];

/** Adds the parts that only one side has to the pairs of a gap, in order. */
function fillGap(from: Pair, to: Pair, pairs: readonly Pair[]): readonly Aligned[] {
  const filled: Aligned[] = [];
  let [i, j] = from;
  for (const [nextBefore, nextAfter] of [...pairs, to]) {
    for (; i < nextBefore; i += 1) filled.push([i, undefined]);
    for (; j < nextAfter; j += 1) filled.push([undefined, j]);
    if (i < to[0] || j < to[1]) {
      filled.push([i, j]);
      i += 1;
      j += 1;
    }
  }
  return filled;
}

/** The pairs in order whose weights have the largest sum; a weight of 0 is no pair. */
function walk(rows: number, columns: number, weightOf: (row: number, column: number) => number): readonly Pair[] {
  if (rows === 0 || columns === 0) return [];
  const width = columns + 1;
  const best = new Float64Array((rows + 1) * width);
  const at = (row: number, column: number): number => best[row * width + column] ?? 0;
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      const weight = weightOf(row, column);
      const paired = weight === 0 ? 0 : weight + at(row + 1, column + 1);
      best[row * width + column] = Math.max(paired, at(row + 1, column), at(row, column + 1));
    }
  }
  const pairs: Pair[] = [];
  for (let [row, column] = [0, 0]; row < rows && column < columns; ) {
    const weight = weightOf(row, column);
    if (weight > 0 && at(row, column) === weight + at(row + 1, column + 1)) {
      pairs.push([row, column]);
      row += 1;
      column += 1;
    } else if (at(row, column) === at(row + 1, column)) row += 1;
    else column += 1;
  }
  return pairs;
}
