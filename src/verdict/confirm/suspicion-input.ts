import { tinyBudget } from '../../stats/exact-tests.ts';
import type { FlaggedAverage } from './judge-average.ts';
import type { RetriedCase } from './judge-case.ts';

/** Everything that looks worse in one invocation, with its retrials so far. */
export interface SuspicionInput {
  /** Every average that is compared and whose accepted prompt can be asked, flagged or not. */
  readonly averages: readonly ComparedAverage[];
  /** Averages that can fail by stored trials only. The level is shared by number between both kinds. */
  readonly storedAverages: number;
  /** Cases that passed when they were accepted and failed in every planned trial. */
  readonly suspects: readonly Suspect[];
  /** Must-pass cases with a failed trial. */
  readonly mustPass: readonly RetriedCase[];
  /** Cases with a failed trial and no accepted answer. */
  readonly added: readonly AddedCase[];
  /** Compared cases of the variants whose accepted prompt can be asked. */
  readonly comparedCases: number;
  /**
   * The share of the compared cases that can be tested against the accepted prompt. It is also their share of the
   * level.
   */
  readonly askedShare: number;
  /** The retrials that the run may make in all. What they send and cost is bounded apart (`RetrialBudget`). */
  readonly maxRetrials: number;
  /** Parts that the run was cut into; each of them corrects for its own suspects. */
  readonly shards: number;
  /** The parts of a merged run. They have asked what they needed, and nothing more can be asked. */
  readonly mergedShards: number | undefined;
  /** True if the run ended before its plan. A resumed run may still ask. */
  readonly isStopped?: boolean;
}

export interface ComparedAverage extends FlaggedAverage {
  readonly id: string;
  /** The two-sided level. Averages get one half of it and cases the other. */
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
  /** The number of failures that break the case if the accepted prompt is not asked. */
  readonly failures: number;
  /** The averages that include the case. Once one is confirmed, the case need not be. */
  readonly averages: readonly string[];
  /** False where a broken case only warns. */
  readonly isGated: boolean;
  /** Broken cases of the suite after which no further one is asked for. */
  readonly maxConfirmed: number;
}

export type AddedCase = Pick<Suspect, 'found' | 'suite' | 'alpha' | 'maxConfirmed'>;

/** The retrials that a part of a merged run could make, on average. A run that is no merge is one part. */
export function maxRetrialsOfPart({ maxRetrials, mergedShards = 1 }: SuspicionInput): number {
  return maxRetrials / mergedShards;
}

/** The number of retrials for each suspicion if all get equally many. */
export function retrialsOfEach(retrials: number, { suspects, mustPass, added }: SuspicionInput): number {
  return Math.max(1, Math.floor(retrials / (suspects.length + mustPass.length + added.length)));
}

/** True where the retrials do not suffice for one case on both sides. */
export function isSmallRun(input: SuspicionInput): boolean {
  return maxRetrialsOfPart(input) < tinyBudget;
}

/**
 * True where far fewer retrials than planned trials used the calls up: those of a long conversation, beside short ones. To
 * be used where no further retrial can be made.
 */
export function hasCostlyRetrials(input: SuspicionInput): boolean {
  // Those of a merged run are few where its shards needed no more.
  return input.mergedShards === undefined && input.isStopped !== true && 2 * sumRetrials(input) < input.maxRetrials;
}

export function sumRetrials({ averages, suspects, mustPass, added }: SuspicionInput): number {
  const madeTrials = new Map<string, number>();
  const cases = [...suspects, ...added].map(({ found }) => found);
  for (const { id, candidate, accepted } of [...cases, ...mustPass, ...averages.flatMap((average) => average.cases)]) {
    madeTrials.set(id, candidate.length + accepted.length);
  }
  return [...madeTrials.values()].reduce((sum, count) => sum + count, 0);
}
