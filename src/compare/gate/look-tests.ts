import type { ClassPolicy } from '../../model/classes.ts';
import type { ComparedVariant } from '../../model/comparison.ts';
import type { GatePolicy } from '../../model/suite.ts';
import { classifyRows, createFindClass } from '../../record/count-classes.ts';
import { bootstrapF1 } from '../../stats/bootstrap-f1.ts';
import { compareCases } from '../../stats/compare-cases.ts';
import { comparePairedCost } from '../../stats/ratios.ts';
import { clearedAt, type FlaggedAverage, flaggedAt, type TrialPair } from '../confirm/judge-average.ts';
import type { RetriedCase, TrialRow } from '../confirm/retried-case.ts';
import { type Hypothesis, minRankedCases } from './judge-metrics.ts';

interface LookPolicy extends Pick<GatePolicy, 'alpha' | 'scope'> {
  readonly classes?: ClassPolicy | undefined;
}

/** The test of a metric on fresh trials alone, as one-sided p of being worse. */
export function createLookTest(
  hypothesis: Hypothesis,
  { cases: compared }: ComparedVariant,
  { alpha, scope, classes }: LookPolicy,
): FlaggedAverage['test'] {
  const { metric, margin } = hypothesis;
  if (metric === 'cost') return (_cases, pairs) => testCosts(pairs, margin);
  const groupOf = ({ caseId }: Pick<RetriedCase, 'caseId'>) => compared.get(caseId)?.candidate?.group;
  if (metric === 'f1') return (cases, pairs) => testF1(pairs, cases.map(groupOf), { alpha, classes });
  const valueOf = { passRate: passOf, score: scoreOf, recall: isRightOf, latency: passOf }[metric];
  return (cases, pairs) => {
    const results = {
      baseline: pairs.map(({ accepted }) => accepted.map(valueOf)),
      candidate: pairs.map(({ candidate }) => candidate.map(valueOf)),
      groups: cases.map(groupOf),
    };
    return compareCases(results, { alpha, margin, scope, binary: metric !== 'score' }).pWorse;
  };
}

function passOf({ status }: TrialRow): number {
  return status === 'passed' ? 1 : 0;
}

function scoreOf({ score }: TrialRow): number {
  return score ?? 0;
}

function isRightOf({ classified }: TrialRow): number {
  return classified !== undefined && classified.found === classified.truth ? 1 : 0;
}

/** Null without a class of any answer. */
function testF1(
  pairs: readonly TrialPair[],
  groups: readonly (string | undefined)[],
  { alpha, classes }: { readonly alpha: number; readonly classes: ClassPolicy | undefined },
): number | null {
  if (classes === undefined) return null;
  const findClass = createFindClass(classes);
  const cases = pairs.map(({ accepted, candidate }, index) => {
    const truth =
      [...accepted, ...candidate].find(({ classified }) => classified !== undefined)?.classified?.truth ?? '';
    const side = (rows: readonly TrialRow[]) => classifyRows(rows, truth, findClass);
    return { baseline: side(accepted), candidate: side(candidate), group: groups[index] };
  });
  return bootstrapF1(cases, { alpha, classes: classes.names }).pWorse;
}

/** Null where a price is unknown. Costs have risen where both the totals and the test over cases show it. */
function testCosts(pairs: readonly TrialPair[], margin: number): number | null {
  const before: number[] = [];
  const after: number[] = [];
  for (const { accepted, candidate } of pairs) {
    const [a, b] = [meanCost(accepted), meanCost(candidate)];
    if (a === undefined || b === undefined) continue;
    if (a === null || b === null) return null;
    before.push(a);
    after.push(b);
  }
  if (before.length === 0) return null;
  const total = (costs: readonly number[]) => costs.reduce((sum, usd) => sum + usd, 0);
  if (total(before) === 0) return total(after) > 0 ? 0 : 1;
  const { pIncrease, everyCaseRose } = comparePairedCost(before, after, margin);
  if (before.length < minRankedCases) return everyCaseRose ? 0 : 1;
  const p = pIncrease ?? 1;
  // A few expensive answers can hide a rise from the totals of a look: a further look decides.
  return total(after) > total(before) * (1 + margin) ? p : Math.max(p, undecided);
}

/** Neither confirms nor clears before the last look. */
const undecided = (flaggedAt + clearedAt) / 2;

/** Undefined without an answer, null where a price is unknown. */
function meanCost(rows: readonly TrialRow[]): number | null | undefined {
  const costs = rows.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  if (costs.length === 0) return undefined;
  let sum = 0;
  for (const usd of costs) {
    if (usd === null) return null;
    sum += usd;
  }
  return sum / costs.length;
}
