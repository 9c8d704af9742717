import { isJudged } from '../model/run/cell.ts';
import type { CaseSummary, VariantSummary } from '../model/run/summary.ts';
import { mean, sharedGroups } from '../stats/descriptive.ts';
import { wilsonInterval } from '../stats/proportions.ts';
import { scoreMeanInterval } from '../stats/score-bound.ts';

/**
 * Pass rate and score of a variant with their intervals. The case is the unit of evidence: its judged trials are averaged
 * first, and cases weigh alike. With single trials and without groups, the interval of the pass rate is Wilson's.
 */
export function estimateRates(
  cases: ReadonlyMap<string, CaseSummary>,
  alpha: number,
): Pick<VariantSummary, 'passRate' | 'score'> {
  // The arrays have their final size: growing lists would leave shorter copies, 100 MB for 1,000,000 cases.
  const passOfCases = new Float64Array(cases.size);
  const scoreOfCases = new Float64Array(cases.size);
  let n = 0;
  let isSingleTrial = true;
  let hasGroups = false;
  for (const { observe, group, trials } of cases.values()) {
    const judged = observe ? [] : trials.filter(isJudged);
    if (judged.length === 0) continue;
    if (judged.length > 1) isSingleTrial = false;
    if (group !== undefined) hasGroups = true;
    passOfCases[n] = judged.filter(({ status }) => status === 'passed').length / judged.length;
    scoreOfCases[n] = judged.reduce((sum, { score }) => sum + (score ?? 0), 0) / judged.length;
    n += 1;
  }
  const passMeans = passOfCases.subarray(0, n);
  const scoreMeans = scoreOfCases.subarray(0, n);
  if (n === 0) {
    return { passRate: { value: null, low: null, high: null, n }, score: { mean: null, low: null, high: null } };
  }
  const rate = mean(passMeans);
  const groups = hasGroups ? sharedGroups(groupsOfJudged(cases)) : undefined;
  const passInterval =
    isSingleTrial && groups === undefined
      ? wilsonInterval(Math.round(rate * n), n, alpha)
      : scoreMeanInterval(passMeans, alpha, groups);
  const scoreInterval = scoreMeanInterval(scoreMeans, alpha, groups);
  return {
    passRate: { value: rate, low: passInterval.low, high: passInterval.high, n },
    score: {
      mean: mean(scoreMeans),
      low: scoreInterval.low,
      high: scoreInterval.high,
    },
  };
}

/** The group of each case that has a judged trial. */
function groupsOfJudged(cases: ReadonlyMap<string, CaseSummary>): readonly (string | undefined)[] {
  const judged = [...cases.values()].filter(({ observe, trials }) => !observe && trials.some(isJudged));
  return judged.map(({ group }) => group);
}

/** Removes the intervals. An early end depends on the results so far, so that an interval would be biased. */
export function withoutInterval({
  passRate,
  score,
}: ReturnType<typeof estimateRates>): ReturnType<typeof estimateRates> {
  return { passRate: { ...passRate, low: null, high: null }, score: { ...score, low: null, high: null } };
}
