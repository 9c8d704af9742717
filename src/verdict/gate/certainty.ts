import { defined } from '../../json/defined.ts';
import type { ComparedClasses, ComparedVariant, MetricEvidence } from '../../model/comparison/comparison.ts';
import type { Certainty, UnseenSlice } from '../../model/comparison/gate.ts';
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
    return partial.isCertain && !isOpen ? { kind: 'certain', cases: n } : { kind: 'unseen', cases: n, drop: null };
  }
  // A change that brings its own baseline is as sure as what that says of it.
  if (!isOpen && own !== undefined && isAsAccepted(own)) return { kind: 'unchanged', cases: own.passRate.n };
  const cases = compared.passRate.n;
  const isOfSeveral = acceptedPrompt?.is === 'unavailable' && acceptedPrompt.isOfSeveral === true;
  const isUnchanged = acceptedPrompt?.is === 'unchanged' || (isSameAnswers(compared) && !isOfSeveral);
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
  return { kind: 'unseen', cases, drop: largestDrop(compared.passRate), ...defined({ slice: worstOf(slices) }) };
}

function largestDrop({ worstLow, low }: MetricEvidence): number | null {
  const bound = worstLow ?? low;
  return bound === null ? null : Math.max(0, -bound);
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

/** What a program imports is not known, so an equal request does not show that nothing changed. */
function isAsAccepted(own: ComparedVariant): boolean {
  const [before, after] = [own.baseline.recorded, own.candidate.recorded];
  const isSameRequest = after.adapter !== 'exec' && isSameSettings(before, after) && isSameQuestion(before, after);
  return (isSameRequest || isSameAnswers(own)) && hasSameVerdicts(own);
}

function hasSameVerdicts({ cases, passRate, classes }: ComparedVariant): boolean {
  const isSame = [...cases.values()].every(({ change }) => change === 'stillPassing' || change === 'stillFailing');
  return isSame && passRate.n > 0 && (classes === undefined || hasSameClasses(classes));
}

function hasSameClasses({ changed, relabelled, unclassified }: ComparedClasses): boolean {
  return changed + relabelled + unclassified === 0;
}

/**
 * The certainty of a run is that of its least certain variant; undefined where nothing was compared. Nothing is known
 * of a variant that is compared with nothing.
 */
export function combineCertainty(parts: readonly Certainty[], uncompared = 0): Certainty | undefined {
  if (parts.length === 0) return undefined;
  if (uncompared > 0) return combineCertainty([...parts, { kind: 'unseen', cases: 0, drop: null }]);
  const cases = parts.reduce((sum, part) => sum + part.cases, 0);
  const unseen = parts.filter(({ kind }) => kind === 'unseen');
  if (unseen.length === 0) {
    return { kind: parts.every(({ kind }) => kind === 'unchanged') ? 'unchanged' : 'certain', cases };
  }
  const drops = unseen.map(({ drop = null }) => drop);
  const drop = drops.reduce((worst, own) => (worst === null || own === null ? null : Math.max(worst, own)), 0);
  const slice = worstOf(unseen.flatMap((part) => part.slice ?? []));
  return { kind: 'unseen', cases, drop, ...defined({ slice }) };
}
