import { defined } from '../json/defined.ts';
import { mean } from './moments.ts';

/** Results in [0, 1] of each case's repeats on both sides, cases in the same order; errored repeats are left out. */
export interface PairedResults {
  readonly baseline: readonly (readonly number[])[];
  readonly candidate: readonly (readonly number[])[];
  /** What cases come from: those of one template or document count as one cluster. */
  readonly groups?: readonly (string | number)[];
}

/** A case with results on both sides. */
export interface PairedCase {
  readonly baseline: readonly number[];
  readonly candidate: readonly number[];
  /** Mean of the candidate's repeats − mean of the baseline's. */
  readonly difference: number;
  /** Variance of the difference if both sides were one and the same. */
  readonly noiseVariance: number;
  readonly group?: string | number;
}

/** Pairs the two sides; a case without a result on one of them is counted and left out. */
export function pairCases(results: PairedResults): {
  cases: readonly PairedCase[];
  unpaired: number;
  binary: boolean;
} {
  const { baseline, candidate, groups } = results;
  checkLengths(results);
  const cases: PairedCase[] = [];
  let binary = true;
  for (const [index, before] of baseline.entries()) {
    const after = candidate[index] ?? [];
    if (before.length === 0 || after.length === 0) continue;
    for (const side of [before, after]) {
      for (const result of side) {
        checkResult(result, index);
        binary &&= result === 0 || result === 1;
      }
    }
    const group = groups?.[index];
    cases.push({
      baseline: before,
      candidate: after,
      difference: difference(before, after),
      noiseVariance: noiseVariance(before, after),
      ...defined({ group }),
    });
  }
  return { cases, unpaired: baseline.length - cases.length, binary };
}

/** Pass/fail cases with one repeat a side, counted by what became of them. */
export interface SingleTally {
  readonly n: number;
  readonly unpaired: number;
  /** Passed and now failed. */
  readonly worse: number;
  /** Failed and now passed. */
  readonly better: number;
}

/** The common case in one pass, without an object a case; undefined where a case has repeats, a score or a group. */
export function tallySingles(results: PairedResults): SingleTally | undefined {
  const { baseline, candidate, groups } = results;
  checkLengths(results);
  if (groups !== undefined) return undefined;
  let [n, worse, better] = [0, 0, 0];
  for (let index = 0; index < baseline.length; index += 1) {
    const [before, after] = [baseline[index] ?? [], candidate[index] ?? []];
    if (before.length === 0 || after.length === 0) continue;
    const [a, b] = [before[0], after[0]];
    if (before.length > 1 || after.length > 1 || (a !== 0 && a !== 1) || (b !== 0 && b !== 1)) return undefined;
    n += 1;
    if (a > b) worse += 1;
    else if (b > a) better += 1;
  }
  return { n, unpaired: baseline.length - n, worse, better };
}

/** Differences below 1e-12 come from summing the same results in another order. */
function difference(before: readonly number[], after: readonly number[]): number {
  const value = mean(after) - mean(before);
  if (Math.abs(value) < 1e-12) return 0;
  return Math.min(1, Math.max(-1, value));
}

function noiseVariance(before: readonly number[], after: readonly number[]): number {
  const count = before.length + after.length;
  const centre = (mean(before) * before.length + mean(after) * after.length) / count;
  let square = 0;
  for (const result of before) square += (result - centre) ** 2;
  for (const result of after) square += (result - centre) ** 2;
  return (square / (count - 1)) * (1 / before.length + 1 / after.length);
}

function checkLengths({ baseline, candidate, groups }: PairedResults): void {
  if (baseline.length !== candidate.length || (groups !== undefined && groups.length !== baseline.length)) {
    const found = groups === undefined ? '' : ` and ${groups.length} groups`;
    throw new RangeError(
      `sides differ in length: ${baseline.length} baseline and ${candidate.length} candidate cases${found}`,
    );
  }
}

function checkResult(result: number, index: number): void {
  // A weighted mean of ones may exceed 1 by a rounding error.
  if (!(result >= -1e-9 && result <= 1 + 1e-9))
    throw new RangeError(`case ${index} has a result outside [0, 1]: ${result}`);
}
