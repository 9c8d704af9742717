import { countStatus } from '../../model/cell.ts';
import { brokenCaseFailures, tinyBudget, trialsToConfirm } from '../../stats/exact-tests.ts';
import {
  type AverageRule,
  type AverageVerdict,
  type FlaggedAverage,
  flaggedAt,
  fullLooks,
  judgeAverage,
  shortLooks,
} from './judge-average.ts';
import {
  type FinalEvidence,
  judgeAlone,
  judgedRows,
  judgeMustPass,
  judgeSuspect,
  type RetriedCase,
  type RetriedVerdict,
  type SuspectRule,
} from './judge-case.ts';

/** What looks worse in a whole invocation, with the retrials that were made of it. */
export interface SuspicionInput {
  /** Every average that is compared and whose accepted prompt can be asked, flagged or not. */
  readonly averages: readonly ComparedAverage[];
  /** Averages that can fail by stored trials only. The level is shared by number between both kinds. */
  readonly storedAverages: number;
  /** Cases that passed when they were accepted and failed in every planned trial. */
  readonly suspects: readonly Suspect[];
  /** Must-pass cases with a failed trial. */
  readonly mustPass: readonly RetriedCase[];
  /** Cases with a failed trial of which nothing was accepted. */
  readonly added: readonly AddedCase[];
  /** Compared cases of the variants whose accepted prompt can be asked. */
  readonly comparedCases: number;
  /**
   * The share of the compared cases that can be tested against the accepted prompt. It is also their share of the
   * level.
   */
  readonly askedShare: number;
  /** Trials that retrials may add up to. */
  readonly budget: number;
  /** Parts that the run was cut into; each of them corrects for its own suspects. */
  readonly shards: number;
  /** The parts of a merged run. They have asked what they needed, and nothing more can be asked. */
  readonly mergedShards: number | undefined;
  /** True where the run ended before its plan, so that going on with it may still ask. */
  readonly isStopped?: boolean;
}

export interface ComparedAverage extends FlaggedAverage {
  readonly id: string;
  /** Two-sided: averages and cases get half of it each. */
  readonly alpha: number;
  /** One-sided, of being worse than what was accepted; null where there is nothing to compare. */
  readonly p: number | null;
}

export interface Suspect {
  readonly found: RetriedCase;
  readonly suite: string;
  readonly alpha: number;
  /** False where the accepted prompt can't be asked. */
  readonly asksAccepted: boolean;
  /** Failures in all that break it where the accepted prompt is not asked. */
  readonly failures: number;
  /** The averages that it is part of: once one is confirmed, the case need not be. */
  readonly averages: readonly string[];
  /** False where a broken case only warns. */
  readonly isGated: boolean;
  /** Broken cases of the suite after which no further one is asked for. */
  readonly maxConfirmed: number;
}

export type AddedCase = Pick<Suspect, 'found' | 'suite' | 'alpha' | 'maxConfirmed'>;

/** What the retrials say so far. */
export interface SettledSuspicions {
  /** Verdicts on flagged averages, by id. */
  readonly averages: ReadonlyMap<string, AverageVerdict>;
  /** Verdicts on suspects, must-pass and added cases, by id. */
  readonly cases: ReadonlyMap<string, RetriedVerdict>;
}

/** Judges everything that looks worse by its retrials. `isFinal`: no further retrial can be made. */
export function settleSuspicions(input: SuspicionInput, isFinal: boolean): SettledSuspicions {
  if (isFinal && isUnpaid(input)) return settleUnasked(input);
  const cases = new Map<string, RetriedVerdict>();
  for (const found of input.mustPass) cases.set(found.id, judgeMustPass(found, isFinal));
  const added = judgeAdded(input, isFinal);
  const suspects = judgeSuspects(input, isFinal);
  const averages = judgeAverages(input, suspects, isFinal);
  const isConfirmed = (ids: readonly string[]) => ids.some((id) => averages.get(id)?.kind === 'confirmed');
  for (const { found, verdict, averages: own } of suspects) {
    cases.set(found.id, verdict.kind === 'open' && isConfirmed(own) ? { kind: 'not-asked' } : verdict);
  }
  for (const { found, verdict } of added) cases.set(found.id, verdict);
  return { averages, cases };
}

/** True if the calls for retrials did not suffice for a single one. Use it if no further retrial can be made. */
function isUnpaid(input: SuspicionInput): boolean {
  const { isStopped, mergedShards = 1, budget } = input;
  return isStopped !== true && budget / mergedShards < tinyBudget && sumRetrials(input) === 0;
}

/** Settles as if the budget were 0: the stored trials decide. */
function settleUnasked({ averages, suspects, mustPass, added }: SuspicionInput): SettledSuspicions {
  const found = [...mustPass, ...[...suspects, ...added].map((one) => one.found)];
  return {
    cases: new Map(found.map(({ id }) => [id, { kind: 'broken', acceptedFailures: 0, acceptedTrials: 0 }])),
    averages: new Map(averages.filter(isFlagged).map(({ id }) => [id, { kind: 'unavailable' }])),
  };
}

function isFlagged({ p }: ComparedAverage): boolean {
  return p !== null && p <= flaggedAt;
}

type JudgedSuspect = Suspect & { readonly verdict: RetriedVerdict };

function judgeSuspects(input: SuspicionInput, isFinal: boolean): readonly JudgedSuspect[] {
  let judged = judgeEach(input, isFinal, { isTiny: false, asksAcceptedEarly: true });
  // If the accepted prompt fails one case too, it may fail the others, so it must be asked.
  const { budget, mergedShards = 1 } = input;
  // The parts of a merged run had to do with their own calls: those of the largest part at most.
  const isTiny =
    Math.ceil(budget / mergedShards) < leastBudget(input) && judged.every(({ verdict }) => verdict.kind !== 'drifted');
  // Once a case is broken for certain, the calls that are left show whether others fail again.
  const asksAcceptedEarly = judged.every(({ verdict }) => verdict.kind !== 'broken');
  if (isTiny || !asksAcceptedEarly) judged = judgeEach(input, isFinal, { isTiny, asksAcceptedEarly });
  const ended = endAfterConfirmed(judged);
  return isFinal ? ended.map((one) => listWithBroken(one, ended)) : ended;
}

/**
 * A run with fewer calls is judged without the accepted prompt. A part of a run is not, unless it has only one call: the
 * whole would have asked.
 */
function leastBudget({ shards, mergedShards }: SuspicionInput): number {
  return shards > 1 || mergedShards !== undefined ? 2 : tinyBudget;
}

function judgeEach(
  input: SuspicionInput,
  isFinal: boolean,
  { isTiny, asksAcceptedEarly }: { readonly isTiny: boolean; readonly asksAcceptedEarly: boolean },
): readonly JudgedSuspect[] {
  const { suspects, budget, shards, mergedShards = 1, askedShare } = input;
  const count = suspects.length * shards;
  const isSmall = budget / mergedShards < tinyBudget;
  // With so few retrials no case can be tested on both sides, so its rate decides.
  const asked = suspects.length + input.mustPass.length + input.added.length;
  const share = Math.max(1, Math.floor(budget / mergedShards / asked));
  // Those of a merged run are few where its shards needed no more.
  const isCostly = isFinal && input.mergedShards === undefined && hasCostlyRetrials(input);
  const trialsOf = createTrialsOf();
  return suspects.map((suspect) => {
    const { found, alpha, asksAccepted, failures } = suspect;
    const level = ((alpha / 2) * askedShare) / count;
    const trials = trialsOf(level);
    // One case on both sides, and a retrial of each other one.
    const isAffordable = 2 * trials - 1 + suspects.length - 1 <= budget;
    const planned = judgedRows(found.planned).length;
    const rule: SuspectRule = {
      trials: asksAccepted && isAffordable ? trials : undefined,
      asksAccepted,
      level,
      failures: isSmall ? Math.min(failures, planned + share) : failures,
      asksAcceptedEarly: asksAcceptedEarly && 2 * suspects.length <= budget,
      finalEvidence: chooseEvidence({ isCostly, isTiny, isSmall, asksAccepted }),
    };
    return { ...suspect, verdict: judgeSuspect(found, rule, isFinal) };
  });
}

function chooseEvidence(one: {
  /** A few retrials of many calls each used the calls up. */
  readonly isCostly: boolean;
  /** The calls do not reach the accepted prompt. */
  readonly isTiny: boolean;
  /** The calls do not pay for one case on both sides. */
  readonly isSmall: boolean;
  readonly asksAccepted: boolean;
}): FinalEvidence {
  if (one.isCostly) return 'one-failure-untested';
  // A part of a run that has no accepted prompt to ask knows as little as a tiny run.
  if (one.isTiny || (one.isSmall && !one.asksAccepted)) return 'one-failure';
  return one.isSmall ? 'one-failure-beside-pass' : 'full';
}

/** Suites have few levels, and thousands of suspects may share one. */
function createTrialsOf(): (level: number) => number {
  const known = new Map<number, number>();
  return (level) => {
    const trials = known.get(level) ?? trialsToConfirm(level);
    known.set(level, trials);
    return trials;
  };
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

/**
 * True where far fewer retrials than planned trials used the calls up: those of a long conversation, beside short ones. To
 * be used where no further retrial can be made.
 */
function hasCostlyRetrials(input: SuspicionInput): boolean {
  return input.isStopped !== true && 2 * sumRetrials(input) < input.budget;
}

function sumRetrials({ averages, suspects, mustPass, added }: SuspicionInput): number {
  const made = new Map<string, number>();
  const cases = [...suspects, ...added].map(({ found }) => found);
  for (const { id, candidate, accepted } of [...cases, ...mustPass, ...averages.flatMap((average) => average.cases)]) {
    made.set(id, candidate.length + accepted.length);
  }
  return [...made.values()].reduce((sum, count) => sum + count, 0);
}

function judgeAdded(input: SuspicionInput, isFinal: boolean) {
  const { added, mustPass, suspects, budget, shards, mergedShards, isStopped } = input;
  const isOneEnough = budget < tinyBudget || (isFinal && hasCostlyRetrials(input));
  const share = Math.max(1, Math.floor(budget / (added.length + mustPass.length + suspects.length)));
  const judged = added.map((one) => {
    const needed = Math.min(share, brokenCaseFailures({ n: added.length * shards, alpha: one.alpha }));
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
      ? { ...one, verdict: { kind: 'not-asked' } }
      : one,
  );
}

/** Cases of some averages. Those of one variant share a list, so that nearly always there is nothing to tell apart. */
function countCells(averages: readonly ComparedAverage[]): number {
  const [first, ...others] = new Set(averages.map(({ cases }) => cases));
  if (others.length === 0) return first?.length ?? 0;
  const ids = new Set<string>();
  for (const { cases } of averages) for (const { id } of cases) ids.add(id);
  return ids.size;
}

function judgeAverages(
  { averages, storedAverages, budget, shards }: SuspicionInput,
  suspects: readonly JudgedSuspect[],
  isFinal: boolean,
): ReadonlyMap<string, AverageVerdict> {
  const tested = averages.filter(({ p }) => p !== null);
  const flagged = tested.filter(isFlagged);
  // A slice's cases are also those of the whole, and each of them is asked once.
  const cells = countCells(flagged);
  // Planned trials that flagged an average are biased evidence against it. They may be used if the correction covers
  // all averages, since it then does not depend on which were flagged.
  const usesPlanned = flagged.length === tested.length || 2 * cells > budget;
  const looks = (usesPlanned ? 2 : 4) * cells <= budget ? fullLooks : shortLooks;
  const share = tested.length / (tested.length + storedAverages);
  const count = (usesPlanned ? tested.length : flagged.length) * shards;
  const isBroken = new Set(
    suspects.filter(({ verdict, isGated }) => verdict.kind === 'broken' && isGated).flatMap(({ averages: own }) => own),
  );
  return new Map(
    flagged.map((average): [string, AverageVerdict] => {
      const rule: AverageRule = { looks, level: ((average.alpha / 2) * share) / count, usesPlanned };
      const verdict = judgeAverage(average, rule, { isFinal });
      // A broken case fails the variant by itself.
      const isSettled = verdict.kind === 'confirmed' || verdict.kind === 'cleared';
      return [average.id, isSettled || !isBroken.has(average.id) ? verdict : { kind: 'not-asked' }];
    }),
  );
}
