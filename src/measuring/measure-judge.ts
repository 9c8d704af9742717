import { defined } from '../json/defined.ts';
import type { JudgeCalibration } from '../model/calibration.ts';
import type { Criterion, LabelledAnswer } from '../model/suite.ts';
import type { Verdict } from '../model/verdict.ts';
import { type CorrelationEstimate, cohenKappa, rankCorrelation } from '../stats/agreement.ts';

/** What a judge said of a labelled answer, or why it said nothing. */
export interface Word {
  readonly label: LabelledAnswer;
  readonly said?: LabelledAnswer['label'];
  readonly verdict?: Verdict;
  readonly error?: string;
}

export interface MeasuredCriterion {
  readonly criterion: Criterion;
  readonly calibration: JudgeCalibration;
  /** Labelled answers without a word of the judge; outside the measurement. */
  readonly errored: number;
  /** Pairs of the judge's word and the label. */
  readonly confusion: readonly { readonly said: string; readonly label: string; readonly count: number }[];
  /** Of comparisons: how often the answer shown first won, the second, or neither, over both orders. */
  readonly positions?: { readonly first: number; readonly second: number; readonly tie: number };
  /** Rank correlation of length and of what the judge gave beyond the label; above 0 it likes long answers. */
  readonly lengthBias: CorrelationEstimate;
  /** What the judge got wrong, or said nothing on, in the order of the file. */
  readonly wrong: readonly Word[];
}

/** The interval of everything that is measured here. */
export const calibrationAlpha = 0.05;

const worth = { fail: 0, tie: 0.5, pass: 1 } as const;

/** Holds a judge's words against the labels of one criterion. */
export function measureJudge(criterion: Criterion, words: readonly Word[]): MeasuredCriterion {
  const said = words.flatMap(({ label, said: word, verdict }) =>
    word === undefined ? [] : [{ label, word, verdict }],
  );
  const categories = (['pass', 'tie', 'fail'] as const).filter((category) =>
    said.some(({ label, word }) => word === category || label.label === category),
  );
  const counts = categories.map((word) =>
    categories.map((label) => said.filter((pair) => pair.word === word && pair.label.label === label).length),
  );
  const { kappa, agreement, low, high } = cohenKappa(counts, calibrationAlpha);
  const { judge, assertion, name, stamp } = criterion;
  const positions = sumPositions(said.map(({ verdict }) => verdict));
  return {
    criterion,
    calibration: {
      judge: judge.id,
      assertion,
      ...defined({ name }),
      stamp,
      cases: said.length,
      agreement,
      kappa,
      low,
      high,
    },
    errored: words.length - said.length,
    confusion: categories.flatMap((word, i) =>
      categories.map((label, j) => ({ said: word, label, count: counts[i]?.[j] ?? 0 })),
    ),
    ...defined({ positions }),
    lengthBias: rankCorrelation(
      said.map(({ label, word }) => [
        label.answer.length - (label.other?.length ?? 0),
        worth[word] - worth[label.label],
      ]),
      calibrationAlpha,
    ),
    wrong: words.filter(({ label, said: word }) => word !== label.label),
  };
}

function sumPositions(verdicts: readonly (Verdict | undefined)[]): MeasuredCriterion['positions'] {
  const found = verdicts.flatMap((verdict) => verdict?.judgement?.positions ?? []);
  if (found.length === 0) return undefined;
  return found.reduce(
    (sum, { first, second, tie }) => ({ first: sum.first + first, second: sum.second + second, tie: sum.tie + tie }),
    { first: 0, second: 0, tie: 0 },
  );
}
