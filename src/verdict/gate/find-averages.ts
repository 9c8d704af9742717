import type { ComparedVariant } from '../../model/comparison/comparison.ts';
import { passOf } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { CaseSummary } from '../../model/run/summary.ts';
import type { ClassPolicy } from '../../model/suite/classes.ts';
import type { GatePolicy } from '../../model/suite/suite.ts';
import { classifyRows, createFindClass, truthOf } from '../../record/count-classes.ts';
import { bootstrapF1 } from '../../stats/bootstrap-f1.ts';
import { compareCases } from '../../stats/compare-cases.ts';
import { mean, sum } from '../../stats/descriptive.ts';
import { comparePairedCost, minRankedCases } from '../../stats/ranks.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { meanSteps } from '../collect-evidence.ts';
import { clearedAtP, type FlaggedAverage, flaggedAtP, type TrialPair } from '../confirm/judge-average.ts';
import type { RetriedCase, TrialRow } from '../confirm/judge-case.ts';
import type { ComparedAverage } from '../confirm/suspicion-input.ts';
import { isPaired } from '../pair-cases.ts';
import { comparedCase, type GatedComparison, sidesOf } from './gated-comparison.ts';
import { decideHypothesis, findHypotheses, type Hypothesis, isOfTotals, isSameClaim } from './judge-metrics.ts';

export interface LookedAverage {
  readonly id: string;
  readonly hypothesis: Hypothesis;
  /** True if the change's own baseline has the average as it is now. */
  readonly isAccepted: boolean;
}

/**
 * Averages that fail the gate and whose accepted prompt can be asked. A merge asks nothing: it tests stored trials. `share`:
 * the part of the level that may be spent. `isCertain`: a drop was excluded before all cases were asked.
 */
export function findLookedAverages(
  comparison: GatedComparison,
  settings: Pick<RunSettings, 'drift' | 'mergedShards'>,
  { share, isCertain }: { readonly share: number; readonly isCertain: boolean },
): readonly (ComparedAverage & LookedAverage)[] {
  const { suite, variant, compared, own } = comparison;
  const isWithinRun = compared.baseline.kind !== 'stored';
  if (isWithinRun || settings.mergedShards !== undefined || sidesOf(comparison, settings) !== 'both') return [];
  const { gate, suite: suiteId } = suite.recorded;
  const { prompt, provider } = variant.recorded;
  const ownHypotheses = own === undefined ? undefined : findHypotheses(own, gate);
  const casesOf = createCasesOf(comparison);
  return (
    findHypotheses(compared, gate)
      .filter(({ level, metric }) => level === 'fail' && metric !== 'latency')
      // Two samples without a common case have no pairs to look at.
      .filter(({ evidence }) => evidence.isUnpaired !== true)
      .map((hypothesis) => {
        const { metric, slice, class: ofClass } = hypothesis;
        const cut = slice ?? ofClass;
        const isAccepted = isAcceptedBy(ownHypotheses, hypothesis, gate.alpha);
        const p = isAccepted ? null : isCertain ? 1 : pOf(hypothesis, gate.alpha);
        return {
          id: JSON.stringify([suiteId, prompt, provider, metric, ...(cut === undefined ? [] : [cut])]),
          hypothesis,
          isAccepted,
          alpha: share * gate.alpha,
          p,
          cases: p !== null && p <= flaggedAtP ? casesOf(hypothesis) : [],
          test: createLookTest(hypothesis, compared, { ...gate, classes: suite.recorded.classes }),
        };
      })
  );
}

/** A metric that the stored trials decide about. */
interface StoredMetric {
  readonly hypothesis: Hypothesis;
  /** True if the change's own baseline has the average as it is now. */
  readonly isAccepted: boolean;
  /** True if no request has changed, so that no change can be blamed. */
  readonly isUnchanged: boolean;
  /** True if this average counts in the number by which the level is divided. */
  readonly canFail: boolean;
}

/** The metrics of a comparison that stored trials decide, because no look asks for them again. */
export function findStoredMetrics(
  comparison: GatedComparison,
  looked: readonly Pick<LookedAverage, 'hypothesis'>[],
  settings: Pick<RunSettings, 'drift'>,
): readonly StoredMetric[] {
  const { suite, compared, own } = comparison;
  const { gate } = suite.recorded;
  const isUnchanged = sidesOf(comparison, settings) === 'unchanged';
  const ownHypotheses = own === undefined ? undefined : findHypotheses(own, gate);
  return findHypotheses(compared, gate)
    .filter((hypothesis) => !looked.some((look) => isSameClaim(look.hypothesis, hypothesis)))
    .map((hypothesis) => {
      const isAccepted = isAcceptedBy(ownHypotheses, hypothesis, gate.alpha);
      const canFail = hypothesis.level === 'fail' && hypothesis.p !== null && !isAccepted && !isUnchanged;
      return { hypothesis, isAccepted, isUnchanged, canFail };
    });
}

/** True where a metric looks worse than what was accepted, and a drop beyond the margin is not excluded. */
export function isFlagged(hypothesis: Hypothesis, alpha: number): boolean {
  const p = pOf(hypothesis, alpha);
  return p !== null && p <= flaggedAtP;
}

/** True if the change's own baseline has the metric as it is now, over as many cases. */
function isAcceptedBy(own: readonly Hypothesis[] | undefined, hypothesis: Hypothesis, alpha: number): boolean {
  const ofOwn = own?.find((one) => isSameClaim(one, hypothesis));
  // A baseline without some of the cases does not accept what became of them.
  return ofOwn !== undefined && ofOwn.evidence.n >= hypothesis.evidence.n && !isFlagged(ofOwn, alpha);
}

/**
 * 1 if a drop beyond the margin is excluded, or a total rose by less: there is nothing to confirm. 0 if a total has
 * certainly risen: from nothing, or in each of too few cases for a test.
 */
function pOf(hypothesis: Hypothesis, alpha: number): number | null {
  if (decideHypothesis(hypothesis, 1, alpha) === 'regressed') return 0;
  if (hypothesis.p === null) return null;
  const { margin, evidence } = hypothesis;
  if (isOfTotals(hypothesis) && evidence.delta !== null && evidence.delta <= margin) return 1;
  return decideHypothesis(hypothesis, 0, alpha) === 'not_regressed' ? 1 : hypothesis.p;
}

interface OrderedCase {
  readonly candidate: CaseSummary;
  readonly found: RetriedCase;
}

/** Sorts by a hash of the ids: which cases a look takes must not depend on their subject. */
function inRandomOrder(comparison: GatedComparison): readonly OrderedCase[] {
  const hashed: (OrderedCase & { readonly hash: number })[] = [];
  for (const paired of comparison.compared.cases.values()) {
    // A case that was not asked is not asked again either.
    if (!isPaired(paired) || paired.candidate.status === 'skipped') continue;
    const { candidate } = paired;
    // As many digits as a number holds exactly.
    const hash = Number.parseInt(sha256Hex(candidate.caseId).slice(0, 13), 16);
    hashed.push({ hash, candidate, found: comparedCase(comparison, candidate) });
  }
  return hashed.sort((a, b) => a.hash - b.hash);
}

/** The cases of a variant's metrics, in one order that is found once it is needed. Metrics of all cases share a list. */
function createCasesOf(comparison: GatedComparison): (hypothesis: Hypothesis) => readonly RetriedCase[] {
  let ordered: readonly OrderedCase[] | undefined;
  let all: readonly RetriedCase[] | undefined;
  return (hypothesis) => {
    ordered ??= inRandomOrder(comparison);
    const { slice, class: ofClass } = hypothesis;
    if (slice === undefined && ofClass === undefined) return (all ??= ordered.map(({ found }) => found));
    return ordered.filter(({ candidate }) => isAbout(hypothesis, candidate)).map(({ found }) => found);
  };
}

/** True for a case that counts in a metric: all cases, or those of its slice or class. */
export function isAbout({ slice, class: ofClass }: Hypothesis, found: CaseSummary): boolean {
  if (slice !== undefined) return found.slices?.includes(slice) === true;
  return ofClass === undefined || truthOf(found) === ofClass;
}

interface LookPolicy extends Pick<GatePolicy, 'alpha' | 'scope'> {
  readonly classes?: ClassPolicy | undefined;
}

/** The test of a metric on confirmation trials only, as one-sided p of being worse. */
export function createLookTest(
  hypothesis: Hypothesis,
  { cases: compared }: ComparedVariant,
  { alpha, scope, classes }: LookPolicy,
): FlaggedAverage['test'] {
  const { metric, margin } = hypothesis;
  if (metric === 'cost') return (_cases, pairs) => testTotals(pairs, { margin, valueOf: meanCost });
  if (metric === 'steps') return (_cases, pairs) => testTotals(pairs, { margin, valueOf: meanSteps });
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

interface TotalsTest {
  readonly margin: number;
  /** The value of a case; undefined if it has none, null if it is unknown. */
  readonly valueOf: (rows: readonly TrialRow[]) => number | null | undefined;
}

/** Null where a value is unknown. Totals have risen where both they and the test over cases show it. */
function testTotals(pairs: readonly TrialPair[], { margin, valueOf }: TotalsTest): number | null {
  const before: number[] = [];
  const after: number[] = [];
  for (const { accepted, candidate } of pairs) {
    const [a, b] = [valueOf(accepted), valueOf(candidate)];
    if (a === undefined || b === undefined) continue;
    if (a === null || b === null) return null;
    before.push(a);
    after.push(b);
  }
  if (before.length === 0) return null;
  const [totalBefore, totalAfter] = [sum(before), sum(after)];
  if (totalBefore === 0) return totalAfter > 0 ? 0 : 1;
  const { pIncrease, everyCaseRose } = comparePairedCost(before, after, margin);
  if (before.length < minRankedCases) return everyCaseRose ? 0 : 1;
  const p = pIncrease ?? 1;
  // A few expensive answers can hide a rise from the totals of a look: a further look decides.
  return totalAfter > totalBefore * (1 + margin) ? p : Math.max(p, undecided);
}

/** Neither confirms nor clears before the last look. */
const undecided = (flaggedAtP + clearedAtP) / 2;

/** Undefined without an answer, null where a price is unknown. */
export function meanCost(rows: readonly { readonly costUsd?: number | null | undefined }[]): number | null | undefined {
  const costs = rows.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  if (costs.length === 0) return undefined;
  const known = costs.filter((usd) => usd !== null);
  return known.length < costs.length ? null : mean(known);
}
