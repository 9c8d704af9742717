import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { calibrationAlpha, type JudgeCalibration } from '../model/calibration.ts';
import type { Criterion, LabelledAnswer } from '../model/suite.ts';
import type { Verdict } from '../model/verdict.ts';
import { type CorrelationEstimate, cohenKappa, rankCorrelation } from '../stats/agreement.ts';
import type { JudgeCounts } from '../stats/judge-error.ts';

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
  const { judge, assertion, name, stamp } = criterion;
  const positions = sumPositions(judged.map(({ verdict }) => verdict));
  const measured = { stamp, cases: judged.length, agreement, kappa, low, high, counts: countFound(judged) };
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

/** How many labelled passes and failures the judge found. A tie passes, unless the check asks for a win. */
function countFound(judged: readonly Required<Pick<JudgedLabel, 'label' | 'said'>>[]): JudgeCounts {
  const passes = judged.filter(({ label }) => isPass(label.label, label));
  const failures = judged.filter(({ label }) => !isPass(label.label, label));
  return {
    passesFound: passes.filter(({ label, said }) => isPass(said, label)).length,
    passes: passes.length,
    failuresFound: failures.filter(({ label, said }) => !isPass(said, label)).length,
    failures: failures.length,
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
