import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import type { Criterion, LabelledAnswer } from '../model/suite.ts';
import { calibrationAlpha, type JudgeCalibration, type Verdict } from '../model/verdict.ts';
import { type CorrelationEstimate, cohenKappa, type JudgeCounts, rankCorrelation } from '../stats/agreement.ts';
import { sum } from '../stats/means.ts';
import { groupBy } from '../text/group-by.ts';

/** A labelled answer with the judge's verdict, or the reason why there is none. */
export interface JudgedLabel {
  readonly label: LabelledAnswer;
  readonly said?: LabelledAnswer['label'];
  readonly verdict?: Verdict;
  readonly error?: string;
}

export interface MeasuredCriterion {
  readonly criterion: Criterion;
  readonly calibration: JudgeCalibration;
  /** Labelled answers without a verdict, which are not measured. */
  readonly errored: number;
  /** Counts of verdict and label. */
  readonly confusion: readonly { readonly said: string; readonly label: string; readonly count: number }[];
  /** Of comparisons: how often the answer shown first won, the second, or neither, over both orders. */
  readonly positions?: { readonly first: number; readonly second: number; readonly tie: number };
  /** Rank correlation of the answer's length with verdict minus label. Above 0 the judge prefers long answers. */
  readonly lengthBias: CorrelationEstimate;
  /** Answers with a wrong verdict or none, in the order of the file. */
  readonly wrong: readonly JudgedLabel[];
}

const worth = { fail: 0, tie: 0.5, pass: 1 } as const;

/** Compares a judge's verdicts with the labels of one criterion. */
export function measureJudge(criterion: Criterion, labelled: readonly JudgedLabel[]): MeasuredCriterion {
  const judged = labelled.flatMap(({ label, said, verdict }) => (said === undefined ? [] : [{ label, said, verdict }]));
  const categories = (['pass', 'tie', 'fail'] as const).filter((category) =>
    judged.some(({ label, said }) => said === category || label.label === category),
  );
  const counts = categories.map((said) =>
    categories.map((label) => judged.filter((one) => one.said === said && one.label.label === label).length),
  );
  const { kappa, agreement, low, high } = cohenKappa(counts, calibrationAlpha);
  const { judge, assertion, name, criterionHash } = criterion;
  const positions = sumPositions(judged.map(({ verdict }) => verdict));
  const measured = { criterionHash, cases: judged.length, agreement, kappa, low, high, counts: countFound(judged) };
  return {
    criterion,
    calibration: { judge: judge.id, assertion, ...defined({ name }), ...measured },
    errored: labelled.length - judged.length,
    confusion: categories.flatMap((said, i) =>
      categories.map((label, j) => ({ said, label, count: counts[i]?.[j] ?? 0 })),
    ),
    ...defined({ positions }),
    lengthBias: rankCorrelation(
      judged.map(({ label, said }) => [
        label.answer.length - (label.other?.length ?? 0),
        worth[said] - worth[label.label],
      ]),
      calibrationAlpha,
    ),
    wrong: labelled.filter(({ label, said }) => said !== label.label),
  };
}

type Said = Required<Pick<JudgedLabel, 'label' | 'said'>>;

/**
 * The numbers of labelled passes and failures that the judge found. A tie passes, unless the check demands a win. Unevenly
 * drawn answers count by their weight in units of the largest weight, which never understates the uncertainty.
 */
function countFound(judged: readonly Said[]): JudgeCounts {
  const weightOf = weigh(judged);
  const largest = Math.max(...judged.map(weightOf));
  const count = (wanted: (one: Said) => boolean) =>
    judged.filter(wanted).reduce((sum, one) => sum + weightOf(one) / largest, 0);
  const isGood = ({ label }: Said) => isPass(label.label, label);
  const isFound = ({ label, said }: Said) => isPass(said, label) === isPass(label.label, label);
  return {
    passesFound: count((one) => isGood(one) && isFound(one)),
    passes: count(isGood),
    failuresFound: count((one) => !isGood(one) && isFound(one)),
    failures: count((one) => !isGood(one)),
  };
}

/** The number of stored answers that a labelled one represents, relative to the mean; 1 for answers that were not drawn. */
function weigh(judged: readonly Said[]): (one: Said) => number {
  const groupOf = ({ label }: Said) => `${label.drawn?.stratum} of ${label.drawn?.of}`;
  const drawn = judged.filter(({ label }) => label.drawn !== undefined);
  const groups = groupBy(drawn, groupOf);
  const sizeOf = ([one]: readonly Said[]) => one?.label.drawn?.of ?? 0;
  const mean = sum([...groups.values()].map(sizeOf)) / drawn.length;
  return (one) => {
    const group = groups.get(groupOf(one));
    return group === undefined ? 1 : sizeOf(group) / group.length / mean;
  };
}

function isPass(word: LabelledAnswer['label'], { check }: LabelledAnswer): boolean {
  const min = isJsonObject(check.params) ? check.params['min'] : undefined;
  return worth[word] >= (typeof min === 'number' ? min : 0.5);
}

function sumPositions(verdicts: readonly (Verdict | undefined)[]): MeasuredCriterion['positions'] {
  const found = verdicts.flatMap((verdict) => verdict?.judgement?.positions ?? []);
  if (found.length === 0) return undefined;
  return found.reduce(
    (sum, { first, second, tie }) => ({ first: sum.first + first, second: sum.second + second, tie: sum.tie + tie }),
    { first: 0, second: 0, tie: 0 },
  );
}
