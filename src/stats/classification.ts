import { type Interval, sum } from './descriptive.ts';
import { wilsonInterval } from './proportions.ts';

/** Answers by true class and found class: `counts[truth][found]`. Fractional if trials of a case are averaged. */
export interface ConfusionMatrix {
  readonly classes: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

export interface ClassScores {
  readonly name: string;
  /** Answers whose true class this is. */
  readonly support: number;
  /** Null if no answer was put in this class. */
  readonly precision: number | null;
  /** Null if no answer belongs to this class. */
  readonly recall: number | null;
  /** 2 TP / (2 TP + FP + FN); null if the class occurs on neither side. */
  readonly f1: number | null;
}

/** One classified answer. */
export interface Classified {
  readonly truth: string;
  readonly found: string;
  /** 1 if undefined; a case with k trials weighs 1/k each. */
  readonly weight?: number;
}

/** Counts answers by class. The classes are all true and found classes, sorted by code units. */
export function confusionMatrix(answers: readonly Classified[]): ConfusionMatrix {
  const classes = findClasses(answers);
  return countByClass(indexAnswers(answers, classes), classes);
}

export function findClasses(answers: readonly Classified[]): readonly string[] {
  return [...new Set(answers.flatMap(({ truth, found }) => [truth, found]))].sort();
}

export interface IndexedAnswer {
  readonly truth: number;
  readonly found: number;
  readonly weight: number;
}

export function indexAnswers(answers: readonly Classified[], classes: readonly string[]): readonly IndexedAnswer[] {
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

/** The means over classes. An undefined score counts as 0, as by default in scikit-learn. */
export interface MacroScores {
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
}

/** Computes the means over the named classes that have answers. If none is named, over all classes that occur. */
export function macroScores(matrix: ConfusionMatrix, names?: readonly string[]): MacroScores {
  const isCounted = ({ name, support, f1 }: ClassScores) =>
    names === undefined ? f1 !== null : support > 0 && names.includes(name);
  const scores = classScores(matrix).filter(isCounted);
  const meanOf = (pick: (one: ClassScores) => number | null) =>
    scores.length === 0 ? null : sum(scores.map((one) => pick(one) ?? 0)) / scores.length;
  return {
    precision: meanOf(({ precision }) => precision),
    recall: meanOf(({ recall }) => recall),
    f1: meanOf(({ f1 }) => f1),
  };
}

/**
 * The interval of one class's F1. J is the share of right answers among answers whose true or found class it is. F1 is
 * 2J / (1 + J) and rises with J, so Wilson's interval of J gives its bounds.
 */
export function f1Interval(
  right: number,
  { support, found }: { support: number; found: number },
  alpha: number,
): Interval {
  const { low, high } = wilsonInterval(right, support + found - right, alpha);
  const toF1 = (share: number | null) => (share === null ? null : (2 * share) / (1 + share));
  return { low: toF1(low), high: toF1(high) };
}
