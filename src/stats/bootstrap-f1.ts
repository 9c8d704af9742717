import { createRandom } from '../text/random.ts';
import { type Classified, findClasses, type IndexedAnswer, indexAnswers } from './classification.ts';
import { type Interval, sum } from './descriptive.ts';
import { normalCdf, normalCritical } from './distributions.ts';

/** The answers to one case. */
export interface ClassifiedCase {
  readonly answers: readonly Classified[];
  /** Cases of one group are drawn together; a case without one is drawn by itself. */
  readonly group?: string | undefined;
}

/** One case's answers on both sides. */
export interface PairedClassified {
  readonly baseline: readonly Classified[];
  readonly candidate: readonly Classified[];
  readonly group?: string | undefined;
}

export interface F1Difference {
  /** Candidate − baseline; null if a side has no class. */
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** One-sided, for a change to the worse. */
  readonly pWorse: number | null;
}

export interface BootstrapOptions {
  readonly alpha: number;
  /** The classes that the mean is over; all that occur if undefined. */
  readonly classes?: readonly string[];
  readonly resamples?: number;
  readonly seed?: number;
}

/** Macro F1 with its bootstrap interval over cases. It is never narrower than unseen answers allow. */
export function macroF1Interval(
  cases: readonly ClassifiedCase[],
  { alpha, classes, resamples, seed = 1 }: BootstrapOptions,
): Interval & { readonly value: number | null } {
  const indexed = indexClasses(
    cases.flatMap(({ answers }) => answers),
    classes,
  );
  const sample = toSample(cases, ({ answers }) => indexAnswers(answers, indexed.all));
  const tally = new Tally(indexed);
  const valueOf: Statistic = (counts) => {
    tally.clear();
    for (const [index, unit] of sample.units.entries()) for (const one of unit) tally.add(one, counts[index] ?? 0);
    return tally.macroF1();
  };
  const value = valueOf(sample.counts);
  if (value === null) return { value, low: null, high: null };
  const draws = resample(valueOf, sample, { resamples, seed });
  const unseen = unseenShare(effectiveCases(cases, classes), alpha);
  return {
    value,
    low: Math.max(0, Math.min(quantileOf(draws, alpha / 2), value - unseen)),
    high: Math.min(1, Math.max(quantileOf(draws, 1 - alpha / 2), value + unseen)),
  };
}

/**
 * Difference of macro F1 by a paired bootstrap: cases are drawn with replacement, both sides together. The seed is
 * fixed, so that the same answers give the same verdict. Source: Efron 1979, https://doi.org/10.1214/aos/1176344552;
 * percentile interval. p is the largest of three. Two are the share of draws that are no worse, and that of a normal
 * distribution with their spread. The third is of a unanimous sign test on the changed cases: a bootstrap of few
 * changed cases is too sure.
 */
export function bootstrapF1(
  cases: readonly PairedClassified[],
  { alpha, classes, resamples, seed = 1 }: BootstrapOptions,
): F1Difference {
  const indexed = indexClasses(
    cases.flatMap(({ baseline, candidate }) => [...baseline, ...candidate]),
    classes,
  );
  const sample = toSample(cases, ({ baseline, candidate }): PairedIndexed => {
    return { baseline: indexAnswers(baseline, indexed.all), candidate: indexAnswers(candidate, indexed.all) };
  });
  const { units } = sample;
  const [before, after] = [new Tally(indexed), new Tally(indexed)];
  const differenceOf: Statistic = (counts) => {
    before.clear();
    after.clear();
    for (const [index, unit] of units.entries()) {
      const count = counts[index] ?? 0;
      if (count === 0) continue;
      for (const one of unit) {
        before.add(one.baseline, count);
        after.add(one.candidate, count);
      }
    }
    return subtract(after.macroF1(), before.macroF1());
  };
  const delta = differenceOf(sample.counts);
  if (delta === null) return { delta: null, low: null, high: null, pWorse: null };
  const draws = resample(differenceOf, sample, { resamples, seed });
  const changed = units.reduce((sum, unit, index) => sum + (isChanged(unit) ? (sample.counts[index] ?? 0) : 0), 0);
  return {
    delta,
    low: quantileOf(draws, alpha / 2),
    high: quantileOf(draws, 1 - alpha / 2),
    pWorse: pOfDrop(delta, draws, changed),
  };
}

/**
 * Widens an interval of macro F1 for unseen answers. A bootstrap of equal cases has no width. But n such cases exclude
 * no drop below z² / (n + z²), as in Wilson's and Tango's intervals.
 */
export function widenToUnseen(
  { delta, low, high, pWorse }: F1Difference,
  { cases, classes, alpha }: { cases: readonly ClassifiedCase[]; classes: readonly string[]; alpha: number },
): F1Difference {
  if (delta === null || low === null || high === null) return { delta, low, high, pWorse };
  const unseen = unseenShare(effectiveCases(cases, classes), alpha);
  // No difference of two values from 0 to 1 is larger than 1.
  return {
    delta,
    low: Math.max(-1, Math.min(low, delta - unseen)),
    high: Math.min(1, Math.max(high, delta + unseen)),
    pWorse,
  };
}

function unseenShare(n: number, alpha: number): number {
  const z = normalCritical(alpha);
  return (z * z) / (n + z * z);
}

/**
 * How many cases of classes of equal size a mean over the classes is worth (Kish 1965): rare classes weigh as much as
 * frequent ones. Groups count as one case.
 */
function effectiveCases(cases: readonly ClassifiedCase[], classes: readonly string[] | undefined): number {
  const sizes = new Map<string, Set<string | number>>();
  for (const [index, { answers, group }] of cases.entries()) {
    const truth = answers[0]?.truth;
    if (truth === undefined || classes?.includes(truth) === false) continue;
    sizes.set(truth, (sizes.get(truth) ?? new Set()).add(group ?? index));
  }
  const inverse = sum([...sizes.values()].map(({ size }) => 1 / size));
  return inverse === 0 ? 0 : sizes.size ** 2 / inverse;
}

interface PairedIndexed {
  readonly baseline: readonly IndexedAnswer[];
  readonly candidate: readonly IndexedAnswer[];
}

/** The cases as the bootstrap draws them: by group, with equal cases combined. */
interface Sample<Indexed> {
  /** Different units. */
  readonly units: readonly (readonly Indexed[])[];
  /** How often each of them is there. */
  readonly counts: readonly number[];
  /** The place in `units` of each unit that is there. */
  readonly places: readonly number[];
}

function toSample<Case extends { readonly group?: string | undefined }, Indexed>(
  cases: readonly Case[],
  index: (one: Case) => Indexed,
): Sample<Indexed> {
  const placeOf = new Map<string, number>();
  const units: (readonly Indexed[])[] = [];
  const counts: number[] = [];
  const places = groupCases(cases).map((group) => {
    const unit = group.map(index);
    const key = JSON.stringify(unit);
    const place = placeOf.get(key) ?? units.length;
    if (place === units.length) {
      placeOf.set(key, place);
      units.push(unit);
    }
    counts[place] = (counts[place] ?? 0) + 1;
    return place;
  });
  return { units, counts, places };
}

function groupCases<Case extends { readonly group?: string | undefined }>(cases: readonly Case[]): readonly Case[][] {
  const groups: Case[][] = [];
  const named = new Map<string, Case[]>();
  for (const one of cases) {
    const known = one.group === undefined ? undefined : named.get(one.group);
    if (known !== undefined) known.push(one);
    else {
      const group = [one];
      groups.push(group);
      if (one.group !== undefined) named.set(one.group, group);
    }
  }
  return groups;
}

/** The value of a sample, given how often each unit is drawn. */
type Statistic = (counts: ArrayLike<number>) => number | null;

/** The values of random samples, sorted. */
function resample(
  statistic: Statistic,
  { units, places }: Pick<Sample<unknown>, 'units' | 'places'>,
  {
    resamples = defaultResamples(places.length),
    seed,
  }: { readonly resamples: number | undefined; readonly seed: number },
): readonly number[] {
  const random = createRandom(seed);
  const draws: number[] = [];
  const counts = new Int32Array(units.length);
  for (let sample = 0; sample < resamples; sample += 1) {
    counts.fill(0);
    for (let drawn = 0; drawn < places.length; drawn += 1) {
      const place = places[Math.floor(random() * places.length)] ?? 0;
      counts[place] = (counts[place] ?? 0) + 1;
    }
    const value = statistic(counts);
    if (value !== null) draws.push(value);
  }
  return draws.sort((a, b) => a - b);
}

/**
 * The default number of resamples. It is smaller for very many units, because each takes long and their spread is
 * small.
 */
function defaultResamples(units: number): number {
  return Math.max(400, Math.min(2000, Math.floor(40_000_000 / Math.max(1, units))));
}

function quantileOf(sorted: readonly number[], share: number): number {
  const place = Math.round(share * (sorted.length - 1));
  return sorted[Math.min(sorted.length - 1, Math.max(0, place))] ?? 0;
}

interface IndexedClasses {
  /** All class names, the ones in the mean first. */
  readonly all: readonly string[];
  /** How many the mean is over; undefined if all that occur count. */
  readonly counted: number | undefined;
}

function indexClasses(answers: readonly Classified[], classes: readonly string[] | undefined): IndexedClasses {
  const found = findClasses(answers);
  if (classes === undefined) return { all: found, counted: undefined };
  const known = new Set(classes);
  return { all: [...known, ...found.filter((name) => !known.has(name))], counted: known.size };
}

/** The counts for F1, by class. Reused for each draw, because a matrix of hundreds of classes would be slow. */
class Tally {
  readonly #support: Float64Array;
  readonly #found: Float64Array;
  readonly #right: Float64Array;
  readonly #counted: number | undefined;

  constructor({ all, counted }: IndexedClasses) {
    this.#support = new Float64Array(all.length);
    this.#found = new Float64Array(all.length);
    this.#right = new Float64Array(all.length);
    this.#counted = counted;
  }

  clear(): void {
    for (const counts of [this.#support, this.#found, this.#right]) counts.fill(0);
  }

  add(answers: readonly IndexedAnswer[], times: number): void {
    for (const { truth, found, weight: once } of answers) {
      const weight = once * times;
      this.#support[truth] = (this.#support[truth] ?? 0) + weight;
      this.#found[found] = (this.#found[found] ?? 0) + weight;
      if (truth === found) this.#right[truth] = (this.#right[truth] ?? 0) + weight;
    }
  }

  macroF1(): number | null {
    let [total, occurring] = [0, 0];
    for (let index = 0; index < (this.#counted ?? this.#support.length); index += 1) {
      const support = this.#support[index] ?? 0;
      const both = support + (this.#found[index] ?? 0);
      if (both === 0 || (this.#counted !== undefined && support === 0)) continue;
      total += (2 * (this.#right[index] ?? 0)) / both;
      occurring += 1;
    }
    return occurring === 0 ? null : total / occurring;
  }
}

function subtract(after: number | null, before: number | null): number | null {
  if (before === null || after === null) return null;
  const difference = after - before;
  return Math.abs(difference) < 1e-12 ? 0 : difference;
}

function isChanged(unit: readonly PairedIndexed[]): boolean {
  return unit.some(({ baseline, candidate }) => describeFound(baseline) !== describeFound(candidate));
}

/** The share of each class among a case's answers, as text. */
function describeFound(answers: readonly IndexedAnswer[]): string {
  const shares = new Map<number, number>();
  const total = sum(answers.map(({ weight }) => weight));
  for (const { found, weight } of answers) shares.set(found, (shares.get(found) ?? 0) + weight / total);
  return [...shares]
    .sort(([a], [b]) => a - b)
    .map(([found, share]) => `${found}:${share.toFixed(9)}`)
    .join();
}

function pOfDrop(delta: number, draws: readonly number[], changed: number): number {
  const noWorse = draws.filter((difference) => difference >= 0).length / draws.length;
  const mean = sum(draws) / draws.length;
  const spread = Math.sqrt(sum(draws.map((difference) => (difference - mean) ** 2)) / draws.length);
  const normal = spread === 0 ? (delta < 0 ? 0 : 1) : normalCdf(delta / spread);
  return Math.max(noWorse, normal, 2 ** -(changed + 1));
}
