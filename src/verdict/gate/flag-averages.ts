import type { ComparedCase, ComparedVariant } from '../../model/comparison/comparison.ts';
import { isJudged, passOf, suiteVariantKey } from '../../model/run/cell.ts';
import type { RunSettings } from '../../model/run/record.ts';
import type { CaseSummary } from '../../model/run/summary.ts';
import type { ClassPolicy } from '../../model/suite/classes.ts';
import type { GatePolicy } from '../../model/suite/gate-policy.ts';
import { classifyRows, createFindClass, truthOf } from '../../record/count-classes.ts';
import { bootstrapF1 } from '../../stats/bootstrap-f1.ts';
import { compareCases } from '../../stats/compare-cases.ts';
import { mean, sum } from '../../stats/descriptive.ts';
import { normalCdf, normalQuantile } from '../../stats/distributions.ts';
import { comparePairedCost, minRankedCases } from '../../stats/ranks.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { meanSteps, scoresOf } from '../collect-evidence.ts';
import { type AverageCase, flaggedAtP, type LookedCase, looks } from '../confirm/average-looks.ts';
import type { TrialRow } from '../confirm/case-evidence.ts';
import { type AskedAverage, freshTrialsOf } from '../confirm/settle.ts';
import { isPaired, validResults } from '../pair-cases.ts';
import { askableOf, type GatedComparison, isPairKnown } from './gated-comparison.ts';
import { decideHypothesis, findHypotheses, type Hypothesis, isOfTotals, isSameClaim } from './judge-metrics.ts';

/** A claim about a metric that fails the gate, and that fresh trials can decide. */
export interface AskedClaim {
  readonly id: string;
  readonly hypothesis: Hypothesis;
  /** Undefined if the planned trials do not look worse. */
  readonly average: AskedAverage | undefined;
  /** True if the change's own baseline has the average as it is now. */
  readonly isAccepted: boolean;
}

export interface FlagOptions {
  readonly settings: Pick<RunSettings, 'shard' | 'mergedShards'>;
  /** The part of each level that may be spent; an early run judges more than once. */
  readonly share: number;
  /** True if a drop was excluded before all cases were asked. */
  readonly isCertain: boolean;
}

/** The claims of a comparison that fresh trials decide. Latency and unpaired samples have none. */
export function findAskedClaims(
  comparison: GatedComparison,
  { settings, share, isCertain }: FlagOptions,
): readonly AskedClaim[] {
  const askable = askableOf(comparison);
  // Of two records, the pairs that the run of the second one asked count.
  const hasPairs = askable === 'records' && isPairKnown(comparison) && hasFreshPairs(comparison);
  if (askable !== 'both' && askable !== 'candidate' && !hasPairs) return [];
  const { suite, variant, compared, own } = comparison;
  const { gate, suite: suiteId } = suite.recorded;
  const { prompt, provider } = variant.recorded;
  const variantId = suiteVariantKey({ suite: suiteId, prompt, provider });
  const accepted = own === undefined ? undefined : findHypotheses(own, gate);
  const asksAccepted = askable === 'both' || hasPairs;
  const flagAt = flagLevel(settings);
  return findHypotheses(compared, gate)
    .filter(({ level, metric }) => level === 'fail' && metric !== 'latency')
    .filter(({ evidence }) => evidence.isUnpaired !== true)
    .filter(({ metric }) => asksAccepted || metric === 'passRate' || metric === 'score')
    .map((hypothesis): AskedClaim => {
      const { metric, slice, class: ofClass } = hypothesis;
      const cut = slice ?? ofClass;
      const id = JSON.stringify([suiteId, prompt, provider, metric, ...(cut === undefined ? [] : [cut])]);
      const isAccepted = isAcceptedBy(accepted, hypothesis, gate.alpha);
      const p = isAccepted ? null : isCertain ? 1 : plannedP(hypothesis, gate.alpha);
      if (p === null || p > flagAt) return { id, hypothesis, isAccepted, average: undefined };
      const cases = findAskedCases(comparison, hypothesis, settings);
      const average: AskedAverage = {
        id,
        variant: variantId,
        cases: cases.map(({ asked }) => asked),
        plannedTrials: cases.reduce((total, { planned }) => total + planned, 0),
        p,
        level: (share * gate.alpha) / 2,
        asksAccepted,
        test: createLookTest(hypothesis, compared, { ...gate, asksAccepted, classes: suite.recorded.classes }),
      };
      return { id, hypothesis, isAccepted, average };
    });
}

function hasFreshPairs({ variant }: GatedComparison): boolean {
  return [...variant.cases.values()].some(({ accepted }) => accepted.length > 0);
}

/**
 * A shard sees a part of each average. It flags at a higher p, so that some shard has asked whenever the whole is flagged: if
 * all parts stay below z / √shards, so does the whole below z.
 */
function flagLevel({ shard }: FlagOptions['settings']): number {
  const shards = shard?.count ?? 1;
  return shards === 1 ? flaggedAtP : normalCdf(normalQuantile(flaggedAtP) / Math.sqrt(shards));
}

/** A metric that the stored trials decide about. */
interface StoredClaim {
  readonly hypothesis: Hypothesis;
  readonly isAccepted: boolean;
  /** True if this average counts in the number by which the level is divided. */
  readonly canFail: boolean;
}

/** The metrics of a comparison that stored trials decide, because nothing of them is asked again. */
export function findStoredClaims(
  { suite, compared, own }: GatedComparison,
  asked: readonly Pick<AskedClaim, 'hypothesis'>[],
): readonly StoredClaim[] {
  const { gate } = suite.recorded;
  const accepted = own === undefined ? undefined : findHypotheses(own, gate);
  return findHypotheses(compared, gate)
    .filter((hypothesis) => !asked.some((claim) => isSameClaim(claim.hypothesis, hypothesis)))
    .map((hypothesis) => {
      const isAccepted = isAcceptedBy(accepted, hypothesis, gate.alpha);
      return { hypothesis, isAccepted, canFail: hypothesis.level === 'fail' && hypothesis.p !== null && !isAccepted };
    });
}

/** True where a metric looks worse than what was accepted, and a drop beyond the margin is not excluded. */
export function isFlagged(hypothesis: Hypothesis, alpha: number): boolean {
  const p = plannedP(hypothesis, alpha);
  return p !== null && p <= flaggedAtP;
}

/** True if the change's own baseline has the metric as it is now, over as many cases. */
function isAcceptedBy(accepted: readonly Hypothesis[] | undefined, hypothesis: Hypothesis, alpha: number): boolean {
  const same = accepted?.find((other) => isSameClaim(other, hypothesis));
  // A baseline without some of the cases does not accept what became of them.
  return same !== undefined && same.evidence.n >= hypothesis.evidence.n && !isFlagged(same, alpha);
}

/**
 * 1 if a drop beyond the margin is excluded, or a total rose by less: there is nothing to confirm. 0 if a total has
 * certainly risen: from nothing, or in each of too few cases for a test.
 */
function plannedP(hypothesis: Hypothesis, alpha: number): number | null {
  if (decideHypothesis(hypothesis, 1, alpha) === 'regressed') return 0;
  if (hypothesis.p === null) return null;
  const { margin, evidence } = hypothesis;
  if (isOfTotals(hypothesis) && evidence.delta !== null && evidence.delta <= margin) return 1;
  return decideHypothesis(hypothesis, 0, alpha) === 'not_regressed' ? 1 : hypothesis.p;
}

interface PlannedCase {
  readonly asked: AverageCase;
  readonly rank: string;
  readonly planned: number;
  readonly shard: number | undefined;
}

/** The cases of an average in their random order. Of a merged run, the cases of the shards that asked for it. */
function findAskedCases(
  { suite, variant, compared }: GatedComparison,
  hypothesis: Hypothesis,
  { mergedShards }: FlagOptions['settings'],
): readonly PlannedCase[] {
  const { prompt, provider } = variant.recorded;
  const cases: PlannedCase[] = [];
  for (const paired of compared.cases.values()) {
    // A case that was not asked is not asked again either.
    if (!isPaired(paired) || paired.candidate.status === 'skipped' || !isAbout(hypothesis, paired.candidate)) continue;
    const { candidate } = paired;
    const id = JSON.stringify([suite.recorded.suite, prompt, provider, candidate.caseId]);
    cases.push({
      asked: { id, caseId: candidate.caseId, fresh: freshTrialsOf(candidate) },
      rank: sha256Hex(candidate.caseId),
      planned: validResults(candidate).length,
      shard: candidate.trials[0]?.shard,
    });
  }
  const ordered = cases.filter(({ planned }) => planned > 0).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return mergedShards === undefined ? ordered : keepAskedShards(ordered);
}

/** A shard that did not ask for an average has fresh trials of its suspects alone, which would be a biased sample. */
function keepAskedShards(cases: readonly PlannedCase[]): readonly PlannedCase[] {
  const shards = [...new Set(cases.map(({ shard }) => shard))];
  const asked = new Set(
    shards.filter((shard) => {
      const part = cases.filter((found) => found.shard === shard);
      const planned = part.reduce((total, found) => total + found.planned, 0);
      const first = part.slice(0, Math.ceil((looks[0]?.share ?? 1) * planned));
      return first.every(({ asked: { fresh } }) => fresh.candidate.length > 0 && fresh.accepted.length > 0);
    }),
  );
  const kept = cases.filter(({ shard }) => asked.has(shard));
  return kept.length === 0 ? cases : kept;
}

/** True for a case that counts in a metric: all cases, or those of its slice or class. */
export function isAbout({ slice, class: ofClass }: Hypothesis, found: CaseSummary): boolean {
  if (slice !== undefined) return found.slices?.includes(slice) === true;
  return ofClass === undefined || truthOf(found) === ofClass;
}

interface LookPolicy extends Pick<GatePolicy, 'alpha' | 'scope'> {
  readonly classes?: ClassPolicy | undefined;
  readonly asksAccepted: boolean;
}

/** The test of a metric on fresh trials, as one-sided p of being worse. */
export function createLookTest(
  hypothesis: Hypothesis,
  { cases: compared }: Pick<ComparedVariant, 'cases'>,
  { alpha, scope, classes, asksAccepted }: LookPolicy,
): (cases: readonly LookedCase[]) => number | null {
  const { metric, margin } = hypothesis;
  if (metric === 'cost') return (cases) => testTotals(cases, { margin, valueOf: meanCost });
  if (metric === 'steps') return (cases) => testTotals(cases, { margin, valueOf: meanSteps });
  const pairOf = ({ caseId }: LookedCase): ComparedCase | undefined => compared.get(caseId);
  const groupOf = (found: LookedCase) => pairOf(found)?.candidate?.group;
  if (metric === 'f1') return (cases) => testF1(cases, cases.map(groupOf), { alpha, classes });
  const valueOf = { passRate: passOf, score: scoreOf, recall: isRightOf, latency: passOf }[metric];
  const acceptedOf = (found: LookedCase): readonly number[] =>
    asksAccepted ? found.accepted.map(valueOf) : storedValues(pairOf(found)?.baseline, metric);
  return (cases) => {
    const results = {
      baseline: cases.map(acceptedOf),
      candidate: cases.map(({ candidate }) => candidate.map(valueOf)),
      groups: cases.map(groupOf),
    };
    return compareCases(results, { alpha, margin, scope, binary: metric !== 'score' }).pWorse;
  };
}

function storedValues(stored: CaseSummary | undefined, metric: Hypothesis['metric']): readonly number[] {
  if (stored === undefined) return [];
  if (metric === 'score') return scoresOf(stored);
  return metric === 'recall' ? stored.trials.filter(isJudged).map(isRightOf) : validResults(stored);
}

function scoreOf({ score }: TrialRow): number {
  return score ?? 0;
}

function isRightOf({ classified }: TrialRow): number {
  return classified !== undefined && classified.found === classified.truth ? 1 : 0;
}

/** Null without a class of any answer. */
function testF1(
  looked: readonly LookedCase[],
  groups: readonly (string | undefined)[],
  { alpha, classes }: { readonly alpha: number; readonly classes: ClassPolicy | undefined },
): number | null {
  if (classes === undefined) return null;
  const findClass = createFindClass(classes);
  const cases = looked.map(({ accepted, candidate }, index) => {
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
function testTotals(cases: readonly LookedCase[], { margin, valueOf }: TotalsTest): number | null {
  const before: number[] = [];
  const after: number[] = [];
  for (const { accepted, candidate } of cases) {
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

/** Neither confirms an average nor clears it at the first look. */
const undecided = 0.3;

/** Undefined without an answer, null where a price is unknown. */
export function meanCost(rows: readonly { readonly costUsd?: number | null | undefined }[]): number | null | undefined {
  const costs = rows.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  if (costs.length === 0) return undefined;
  const known = costs.filter((usd) => usd !== null);
  return known.length < costs.length ? null : mean(known);
}

/** The metrics of which each answer has a value, so that the accepted prompt's fresh answers can be tested alone. */
const driftValues: { readonly [Metric in Hypothesis['metric']]?: (row: TrialRow) => number } = {
  passRate: passOf,
  score: scoreOf,
  recall: isRightOf,
};

export function isDriftTested(metric: Hypothesis['metric']): boolean {
  return driftValues[metric] !== undefined;
}

/**
 * One-sided p that an average of the accepted prompt got worse since it was accepted, and by how much: its fresh trials against
 * the accepted ones. Undefined if none was asked.
 */
export function testDrift(
  { metric, margin }: Pick<Hypothesis, 'metric' | 'margin'>,
  cases: readonly AverageCase[],
  compared: ComparedVariant['cases'],
  { alpha, scope }: Pick<GatePolicy, 'alpha' | 'scope'>,
): { readonly p: number; readonly drop: number } | undefined {
  const valueOf = driftValues[metric];
  if (valueOf === undefined) return undefined;
  const asked = cases.flatMap(({ caseId, fresh }) => {
    const pair = compared.get(caseId);
    const again = fresh.accepted.filter(isJudged);
    if (pair?.baseline === undefined || again.length === 0) return [];
    return [{ stored: storedValues(pair.baseline, metric), again: again.map(valueOf), group: pair.candidate?.group }];
  });
  if (asked.length === 0) return undefined;
  const results = {
    baseline: asked.map(({ stored }) => stored),
    candidate: asked.map(({ again }) => again),
    groups: asked.map(({ group }) => group),
  };
  const { pWorse, delta } = compareCases(results, { alpha, margin, scope, binary: metric !== 'score' });
  return pWorse === null || delta === null ? undefined : { p: pWorse, drop: -delta };
}
