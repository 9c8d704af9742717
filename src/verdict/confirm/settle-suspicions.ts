import {
  type AverageRule,
  type AverageVerdict,
  flaggedAtP,
  fullLooks,
  judgeAverage,
  shortLooks,
} from './judge-average.ts';
import { judgeMustPass, type RetriedVerdict } from './judge-case.ts';
import { type JudgedSuspect, judgeAdded, judgeSuspects } from './judge-suspects.ts';
import { type ComparedAverage, isSmallRun, type SuspicionInput, sumRetrials } from './suspicion-input.ts';

/** The verdicts of the retrials so far. */
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
    cases.set(found.id, verdict.kind === 'open' && isConfirmed(own) ? { kind: 'not-needed' } : verdict);
  }
  for (const { found, verdict } of added) cases.set(found.id, verdict);
  return { averages, cases };
}

/** True if the calls for retrials did not suffice for a single one. Use it if no further retrial can be made. */
function isUnpaid(input: SuspicionInput): boolean {
  return input.isStopped !== true && isSmallRun(input) && sumRetrials(input) === 0;
}

/** Settles as if no retrial could be made: the stored trials decide. */
function settleUnasked({ averages, suspects, mustPass, added }: SuspicionInput): SettledSuspicions {
  const found = [...mustPass, ...[...suspects, ...added].map((one) => one.found)];
  return {
    cases: new Map(found.map(({ id }) => [id, { kind: 'broken', acceptedFailures: 0, acceptedTrials: 0 }])),
    averages: new Map(averages.filter(isFlagged).map(({ id }) => [id, { kind: 'unavailable' }])),
  };
}

function isFlagged({ p }: ComparedAverage): boolean {
  return p !== null && p <= flaggedAtP;
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
  { averages, storedAverages, maxRetrials, shards }: SuspicionInput,
  suspects: readonly JudgedSuspect[],
  isFinal: boolean,
): ReadonlyMap<string, AverageVerdict> {
  const tested = averages.filter(({ p }) => p !== null);
  const flagged = tested.filter(isFlagged);
  // A slice's cases are also those of the whole, and each of them is asked once.
  const cells = countCells(flagged);
  // Planned trials that flagged an average are biased evidence against it. They may be used if the correction covers
  // all averages, since it then does not depend on which were flagged.
  const usesPlanned = flagged.length === tested.length || 2 * cells > maxRetrials;
  const looks = (usesPlanned ? 2 : 4) * cells <= maxRetrials ? fullLooks : shortLooks;
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
      return [average.id, isSettled || !isBroken.has(average.id) ? verdict : { kind: 'not-needed' }];
    }),
  );
}
