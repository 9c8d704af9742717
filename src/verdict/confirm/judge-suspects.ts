import { countStatus } from '../../model/run/cell.ts';
import { brokenCaseFailures, tinyBudget, trialsToConfirm } from '../../stats/exact-tests.ts';
import {
  type FinalEvidence,
  judgeAlone,
  judgedRows,
  judgeSuspect,
  type RetriedCase,
  type RetriedVerdict,
} from './judge-case.ts';
import {
  type AddedCase,
  hasCostlyRetrials,
  isSmallRun,
  maxRetrialsOfPart,
  retrialsOfEach,
  type Suspect,
  type SuspicionInput,
} from './suspicion-input.ts';

export type JudgedSuspect = Suspect & { readonly verdict: RetriedVerdict };

/** Judges each suspect by itself. Then it judges again by the rule that follows from the first verdicts on all. */
export function judgeSuspects(input: SuspicionInput, isFinal: boolean): readonly JudgedSuspect[] {
  const first = judgeEach(input, isFinal, { mayLackAccepted: false, asksAcceptedEarly: true });
  const judged = judgeEach(input, isFinal, ruleAfter(first, input));
  const ended = endAfterConfirmed(judged);
  return isFinal ? ended.map((one) => listWithBroken(one, ended)) : ended;
}

/** The data that the rules for all suspects need. */
interface SharedRule {
  /** True where a case may be broken although the calls did not reach the accepted prompt. */
  readonly mayLackAccepted: boolean;
  readonly asksAcceptedEarly: boolean;
}

function ruleAfter(first: readonly JudgedSuspect[], input: SuspicionInput): SharedRule {
  const isAny = (kind: RetriedVerdict['kind']) => first.some(({ verdict }) => verdict.kind === kind);
  return {
    // If the accepted prompt fails one case too, it may fail the others, so it must be asked.
    mayLackAccepted: isTinyRun(input) && !isAny('drifted'),
    // Once a case is broken for certain, the calls that are left show whether others fail again.
    asksAcceptedEarly: !isAny('broken'),
  };
}

/**
 * A run with so few calls is judged without the accepted prompt. A part of a run is not, unless it has only one call: the
 * whole would have asked.
 */
function isTinyRun(input: SuspicionInput): boolean {
  const isPart = input.shards > 1 || input.mergedShards !== undefined;
  // The parts of a merged run had to do with their own calls: those of the largest part at most.
  return Math.ceil(maxRetrialsOfPart(input)) < (isPart ? 2 : tinyBudget);
}

function judgeEach(input: SuspicionInput, isFinal: boolean, shared: SharedRule): readonly JudgedSuspect[] {
  const { suspects, maxRetrials, shards, askedShare } = input;
  const isSmall = isSmallRun(input);
  const isCostly = isFinal && hasCostlyRetrials(input);
  const ofEach = retrialsOfEach(maxRetrialsOfPart(input), input);
  return suspects.map((suspect) => {
    const { found, alpha, asksAccepted, failures } = suspect;
    const level = ((alpha / 2) * askedShare) / (suspects.length * shards);
    const trials = trialsToConfirm(level);
    // One case on both sides, and a retrial of each other one.
    const isAffordable = 2 * trials - 1 + suspects.length - 1 <= maxRetrials;
    const planned = judgedRows(found.planned).length;
    const rule = {
      trials: asksAccepted && isAffordable ? trials : undefined,
      asksAccepted,
      level,
      // With so few retrials no case can be tested on both sides, so its rate decides.
      failures: isSmall ? Math.min(failures, planned + ofEach) : failures,
      asksAcceptedEarly: shared.asksAcceptedEarly && 2 * suspects.length <= maxRetrials,
      finalEvidence: chooseEvidence(suspect, { isCostly, isSmall, ...shared }),
    };
    return { ...suspect, verdict: judgeSuspect(found, rule, isFinal) };
  });
}

function chooseEvidence(
  { asksAccepted }: Suspect,
  {
    isCostly,
    isSmall,
    mayLackAccepted,
  }: Pick<SharedRule, 'mayLackAccepted'> & { readonly isCostly: boolean; readonly isSmall: boolean },
): FinalEvidence {
  if (isCostly) return 'one-failure-untested';
  // A part of a run that has no accepted prompt to ask knows as little as a tiny run.
  if (mayLackAccepted || (isSmall && !asksAccepted)) return 'one-failure';
  return isSmall ? 'one-failure-beside-pass' : 'full';
}

/**
 * If one case of the suite is certainly broken, the run fails anyway. Another case that failed again then counts as
 * broken too, without any calls left for the accepted prompt. A case that the accepted prompt failed does not.
 */
function listWithBroken(one: JudgedSuspect, all: readonly JudgedSuspect[]): JudgedSuspect {
  if (one.verdict.kind !== 'open' || !hasFailedAgain(one.found)) return one;
  const isCertain = all.some(({ suite, verdict }) => suite === one.suite && verdict.kind === 'broken');
  return isCertain ? { ...one, verdict: { kind: 'broken', acceptedFailures: 0, acceptedTrials: 0 } } : one;
}

function hasFailedAgain({ candidate, accepted }: RetriedCase): boolean {
  const judged = judgedRows(candidate);
  return judged.length > 0 && countStatus(judged, 'failed') === judged.length && countStatus(accepted, 'failed') === 0;
}

/** Judges cases without an accepted answer. Only their own retrials are evidence. */
export function judgeAdded(input: SuspicionInput, isFinal: boolean) {
  const { added, shards, mergedShards, isStopped } = input;
  const isOneEnough = isSmallRun(input) || (isFinal && hasCostlyRetrials(input));
  // Not of a part: a merge has the calls of all parts and their new cases.
  const ofEach = retrialsOfEach(input.maxRetrials, input);
  const judged = added.map((one) => {
    const needed = Math.min(ofEach, brokenCaseFailures({ n: added.length * shards, alpha: one.alpha }));
    // Each shard has asked as often as its own cases and its calls allowed, unless it was stopped.
    const trials = mergedShards === undefined || isStopped === true ? needed : 1;
    return { ...one, verdict: judgeAlone(one.found, { trials, isOneEnough }, isFinal) };
  });
  return endAfterConfirmed(judged);
}

/** Once enough cases of a suite are broken, the others need no retrials. */
function endAfterConfirmed<T extends AddedCase & { readonly verdict: RetriedVerdict }>(judged: readonly T[]): T[] {
  const broken = new Map<string, number>();
  for (const { suite, verdict } of judged) {
    if (verdict.kind === 'broken') broken.set(suite, (broken.get(suite) ?? 0) + 1);
  }
  return judged.map((one) =>
    one.verdict.kind === 'open' && (broken.get(one.suite) ?? 0) >= one.maxConfirmed
      ? { ...one, verdict: { kind: 'not-needed' } }
      : one,
  );
}
