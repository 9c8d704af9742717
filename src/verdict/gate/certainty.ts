import { defined } from '../../json/defined.ts';
import type { ComparedClasses, ComparedVariant, MetricEvidence } from '../../model/comparison/comparison.ts';
import type { Certainty, UnseenSlice } from '../../model/comparison/gate.ts';
import { clopperPearsonInterval } from '../../stats/proportions.ts';
import { defaultMaxDrop } from '../default-margins.ts';
import { passedByMajority } from '../pair-cases.ts';
import { isSameQuestion, isSameSettings } from '../variant-differences.ts';
import type { GatedComparison } from './gated-comparison.ts';
import { decideHypothesis, findHypotheses } from './judge-metrics.ts';

/** How sure one comparison is that nothing got worse. `isOpen`: something looks worse and is not settled. */
export function findCertainty(
  { suite, own, acceptedPrompt }: GatedComparison,
  {
    isOpen,
    compared,
    partial,
  }: {
    readonly isOpen: boolean;
    readonly compared: ComparedVariant;
    readonly partial?: { readonly isCertain: boolean } | undefined;
  },
): Certainty {
  const { gate } = suite.recorded;
  // Nothing is as it was of a case that was not asked.
  if (partial !== undefined) {
    const { n } = compared.passRate;
    if (partial.isCertain && !isOpen) return { kind: 'certain', cases: n };
    // A drop beyond the margin was excluded, although some cases fail with the accepted prompt too.
    return { kind: 'unseen', cases: n, drop: partial.isCertain ? (gate.passRate.maxDrop ?? defaultMaxDrop) : null };
  }
  // A change that brings its own baseline is as sure as what that says of it.
  if (!isOpen && own !== undefined && isAsAccepted(own)) return { kind: 'unchanged', cases: own.passRate.n };
  const cases = compared.passRate.n;
  const isOfSeveral = acceptedPrompt?.is === 'unavailable' && acceptedPrompt.isOfSeveral === true;
  const isKnown = compared.candidate.recorded.isContentUnknown !== true;
  const isUnchanged = isKnown && (acceptedPrompt?.is === 'unchanged' || (isSameAnswers(compared) && !isOfSeveral));
  if (!isOpen && isUnchanged && hasSameVerdicts(compared)) return { kind: 'unchanged', cases };
  const uncertain = findHypotheses(compared, gate)
    .filter(({ level }) => level === 'fail')
    .filter((hypothesis) => decideHypothesis(hypothesis, hypothesis.p, gate.alpha) !== 'not_regressed');
  if (!isOpen && uncertain.length === 0) return { kind: 'certain', cases };
  const slices = uncertain.flatMap(({ slice, class: ofClass, evidence }): UnseenSlice[] => {
    const unseen = { cases: evidence.n, drop: largestDrop(evidence) };
    if (slice !== undefined) return [{ name: slice, ...unseen }];
    return ofClass === undefined ? [] : [{ name: ofClass, isClass: true, ...unseen }];
  });
  const drop = leastOf(largestDrop(compared.passRate), boundDrop(compared, gate.alpha));
  return { kind: 'unseen', cases, drop, ...defined({ slice: worstOf(slices) }) };
}

function largestDrop({ worstLow, low }: MetricEvidence): number | null {
  const bound = worstLow ?? low;
  return bound === null ? null : Math.max(0, -bound);
}

/**
 * The drop that the counts alone exclude: a rate can't fall below the lower bound of what passes now, nor from above the upper
 * bound of what passed. Few cases show no more. Cases of a group count as one. Clopper & Pearson 1934.
 */
function boundDrop({ cases, groups, passRate: { n } }: ComparedVariant, alpha: number): number | null {
  const pairs = [...cases.values()].flatMap(({ baseline, candidate, change }) =>
    baseline === undefined || candidate === undefined || change === 'unjudged' ? [] : [{ baseline, candidate }],
  );
  const counted = Math.min(n, groups ?? n);
  if (pairs.length === 0 || counted === 0) return null;
  const share = (passes: number) => Math.floor((passes / pairs.length) * counted);
  const passed = share(pairs.filter(({ candidate }) => candidate.status === 'passed').length);
  const before = share(pairs.filter(({ baseline }) => passedByMajority(baseline)).length);
  const { low } = clopperPearsonInterval(passed, counted, alpha);
  const { high } = clopperPearsonInterval(before, counted, alpha);
  return leastOf(low === null ? null : 1 - low, high);
}

function leastOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function worstOf(slices: readonly UnseenSlice[]): UnseenSlice | undefined {
  const sizeOf = ({ drop }: UnseenSlice) => drop ?? Number.POSITIVE_INFINITY;
  return slices.reduce<UnseenSlice | undefined>(
    (worst, one) => (worst === undefined || sizeOf(one) > sizeOf(worst) ? one : worst),
    undefined,
  );
}

/** True if the baseline holds every answer. The cache ignores headers, so the settings must be equal too. */
function isSameAnswers({ sameAnswers, answers, baseline, candidate }: ComparedVariant): boolean {
  return answers > 0 && sameAnswers === answers && isSameSettings(baseline.recorded, candidate.recorded);
}

/** Where the content of a program is not known, an equal request does not show that nothing changed. */
function isAsAccepted(own: ComparedVariant): boolean {
  const [before, after] = [own.baseline.recorded, own.candidate.recorded];
  const isSameRequest = isSameSettings(before, after) && isSameQuestion(before, after);
  return after.isContentUnknown !== true && (isSameRequest || isSameAnswers(own)) && hasSameVerdicts(own);
}

/** Also judged by the same checks: a verdict of edited checks is another one. */
function hasSameVerdicts({ cases, passRate, classes }: ComparedVariant): boolean {
  const isSame = [...cases.values()].every(
    ({ change, rejudged }) => !rejudged && (change === 'stillPassing' || change === 'stillFailing'),
  );
  return isSame && passRate.n > 0 && (classes === undefined || hasSameClasses(classes));
}

function hasSameClasses({ changed, relabelled, unclassified }: ComparedClasses): boolean {
  return changed + relabelled + unclassified === 0;
}

/**
 * The certainty of a run is that of its least certain variant; undefined where nothing was compared. `uncompared`: variants
 * that are compared with nothing, of which nothing is known.
 */
export function combineCertainty(parts: readonly Certainty[], uncompared = 0): Certainty | undefined {
  if (parts.length === 0) return undefined;
  const cases = parts.reduce((sum, part) => sum + part.cases, 0);
  const unseen = parts.filter(({ kind }) => kind === 'unseen');
  if (unseen.length === 0) {
    if (uncompared > 0) return { kind: 'unseen', cases, drop: 0, uncompared };
    return { kind: parts.every(({ kind }) => kind === 'unchanged') ? 'unchanged' : 'certain', cases };
  }
  const drops = unseen.map(({ drop = null }) => drop);
  const drop = drops.reduce((worst, next) => (worst === null || next === null ? null : Math.max(worst, next)), 0);
  const slice = worstOf(unseen.flatMap((part) => part.slice ?? []));
  return { kind: 'unseen', cases, drop, ...defined({ slice, uncompared: uncompared === 0 ? undefined : uncompared }) };
}
