import { newcombeUnpairedInterval, wilsonInterval } from './proportions.ts';
/** A judge's verdicts on answers that people have labelled. */
export interface JudgeCounts {
  /** Labelled pass: judged pass, of how many. */
  readonly passesFound: number;
  readonly passes: number;
  /** Labelled fail: judged fail, of how many. */
  readonly failuresFound: number;
  readonly failures: number;
}

export interface JudgeError {
  /** The share of good answers that the judge passes, with its interval. */
  readonly sensitivity: { readonly value: number | null; readonly low: number | null; readonly high: number | null };
  /** The share of bad answers that the judge fails. */
  readonly specificity: { readonly value: number | null; readonly low: number | null; readonly high: number | null };
  /** sensitivity + specificity − 1; null where a kind has no label. */
  readonly youden: number | null;
  /** Its lower one-sided 80 % bound. */
  readonly youdenLow: number | null;
}

/** Two-sided, so that one side is the 80 % bound. */
const youdenAlpha = 0.4;

/**
 * How often a judge is right. Of a true difference of rates it shows youden times as much.
 * Sources: Youden 1950, https://doi.org/10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3; Rogan and Gladen 1978,
 * https://doi.org/10.1093/oxfordjournals.aje.a112510; the bound as a difference of two proportions by Newcombe 1998, method 10.
 */
export function judgeError(counts: JudgeCounts, alpha: number): JudgeError {
  const { passesFound, passes, failuresFound, failures } = counts;
  const sensitivity = { value: share(passesFound, passes), ...wilsonInterval(passesFound, passes, alpha) };
  const specificity = { value: share(failuresFound, failures), ...wilsonInterval(failuresFound, failures, alpha) };
  const { delta, low } = newcombeUnpairedInterval(
    { successes1: passesFound, n1: passes, successes2: failures - failuresFound, n2: failures },
    youdenAlpha,
  );
  return { sensitivity, specificity, youden: delta, youdenLow: low };
}

/**
 * The drop of a judge's pass rate that stands for a true drop of the margin: margin × J. `judged` is the part of failures
 * that only the judge decides; the rest is seen without error.
 */
export function judgedMargin(margin: number, youdenLow: number, judged = 1): number {
  return margin * (1 - judged + judged * Math.max(0, youdenLow));
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
