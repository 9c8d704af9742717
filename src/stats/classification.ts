import { createRandom } from '../text/random.ts';
import { wilsonInterval } from './proportions.ts';

/** Answers by true class and found class: `counts[truth][found]`. Fractional where trials of a case are averaged. */
export interface ConfusionMatrix {
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

export interface ClassScores {
  readonly name: string;
  /** Answers whose true class this is. */
  readonly support: number;
  /** Null where no answer was put in this class. */
  readonly precision: number | null;
  /** Null where no answer belongs to this class. */
  readonly recall: number | null;
  /** 2 TP / (2 TP + FP + FN); null where the class occurs on neither side. */
  readonly f1: number | null;
}

/** One classified answer. */
export interface Classified {
  readonly truth: string;
  readonly found: string;
  /** 1 where undefined; a case with k trials weighs 1/k each. */
  readonly weight?: number;
}

/** Counts answers by class. The classes are those of the truth and of the answers, sorted by code units. */
export function confusionMatrix(answers: readonly Classified[]): ConfusionMatrix {
  const classes = findClasses(answers);
  return countByClass(indexAnswers(answers, classes), classes);
}

function findClasses(answers: readonly Classified[]): readonly string[] {
  return [...new Set(answers.flatMap(({ truth, found }) => [truth, found]))].sort();
}

interface IndexedAnswer {
  readonly truth: number;
  readonly found: number;
  readonly weight: number;
}

function indexAnswers(answers: readonly Classified[], classes: readonly string[]): readonly IndexedAnswer[] {
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  return answers.map(({ truth, found, weight = 1 }) => ({
    truth: indexOf.get(truth) ?? 0,
    found: indexOf.get(found) ?? 0,
    weight,
  }));
}

function countByClass(answers: Iterable<IndexedAnswer>, classes: readonly string[]): ConfusionMatrix {
  const counts = classes.map(() => classes.map(() => 0));
  for (const { truth, found, weight } of answers) {
    const row = counts[truth];
    if (row !== undefined) row[found] = (row[found] ?? 0) + weight;
  }
  return { classes, counts };
}

/** Precision, recall and F1 of each class. Source: van Rijsbergen 1979, Information Retrieval, chapter 7; scikit-learn's definitions. */
export function classScores({ classes, counts }: ConfusionMatrix): readonly ClassScores[] {
  return classes.map((name, index) => {
    const support = sum(counts[index] ?? []);
    const foundAsIt = sum(counts.map((row) => row[index] ?? 0));
    const right = counts[index]?.[index] ?? 0;
    return {
      name,
      support,
      precision: foundAsIt === 0 ? null : right / foundAsIt,
      recall: support === 0 ? null : right / support,
      f1: support + foundAsIt === 0 ? null : (2 * right) / (support + foundAsIt),
    };
  });
}

/** The mean of the F1 of all classes that occur; null without any. */
export function macroF1(matrix: ConfusionMatrix): number | null {
  const scores = classScores(matrix).flatMap(({ f1 }) => (f1 === null ? [] : [f1]));
  return scores.length === 0 ? null : sum(scores) / scores.length;
}

/** Recall of one class with its interval: a binomial over the answers of that class. Source: Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953. */
export function recallInterval(right: number, support: number, alpha: number) {
  return { recall: support === 0 ? null : right / support, ...wilsonInterval(right, support, alpha) };
}

/** One case's answers on both sides. */
export interface PairedClassified {
  readonly baseline: readonly Classified[];
  readonly candidate: readonly Classified[];
}

export interface F1Difference {
  /** Candidate − baseline; null where a side has no class. */
  readonly delta: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** One-sided, of being worse. */
  readonly pWorse: number | null;
}

export interface BootstrapOptions {
  readonly alpha: number;
  readonly resamples?: number;
  readonly seed?: number;
  /** What is compared; macro F1 where undefined. */
  readonly statistic?: (matrix: ConfusionMatrix) => number | null;
}

/**
 * Difference of macro F1 by a paired bootstrap: cases are drawn with replacement, both sides together. The seed is fixed, so
 * that the same answers give the same verdict. Source: Efron 1979, https://doi.org/10.1214/aos/1176344552; percentile
 * interval; p as (1 + draws that are no worse) / (1 + draws), Davison and Hinkley 1997, section 4.2.
 */
export function bootstrapF1(cases: readonly PairedClassified[], options: BootstrapOptions): F1Difference {
  const { alpha, resamples = 2000, seed = 1, statistic = macroF1 } = options;
  const classes = findClasses(cases.flatMap(({ baseline, candidate }) => [...baseline, ...candidate]));
  const indexed = cases.map(({ baseline, candidate }) => ({
    baseline: indexAnswers(baseline, classes),
    candidate: indexAnswers(candidate, classes),
  }));
  const differenceOf = (drawn: typeof indexed): number | null => {
    const side = (name: 'baseline' | 'candidate') =>
      statistic(
        countByClass(
          drawn.flatMap((found) => found[name]),
          classes,
        ),
      );
    const [before, after] = [side('baseline'), side('candidate')];
    return before === null || after === null ? null : after - before;
  };
  const delta = cases.length === 0 ? null : differenceOf(indexed);
  if (delta === null) return { delta: null, low: null, high: null, pWorse: null };
  const random = createRandom(seed);
  const draws: number[] = [];
  for (let index = 0; index < resamples; index += 1) {
    const drawn = indexed.flatMap(() => indexed[Math.floor(random() * indexed.length)] ?? []);
    const difference = differenceOf(drawn);
    if (difference !== null) draws.push(difference);
  }
  draws.sort((a, b) => a - b);
  const at = (share: number) => draws[Math.min(draws.length - 1, Math.max(0, Math.round(share * (draws.length - 1))))];
  const noWorse = draws.filter((difference) => difference >= 0).length;
  return {
    delta,
    low: at(alpha / 2) ?? null,
    high: at(1 - alpha / 2) ?? null,
    pWorse: (1 + noWorse) / (1 + draws.length),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
