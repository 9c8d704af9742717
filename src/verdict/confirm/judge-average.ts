import { countStatus } from '../../model/run/cell.ts';
import {
  judgedRows,
  maxErroredRetrials,
  type RetrialSide,
  type RetriedCase,
  type TrialRow,
  type WantedRetrials,
} from './judge-case.ts';

/** Trials of both sides of one case. */
export interface TrialPair {
  readonly accepted: readonly TrialRow[];
  readonly candidate: readonly TrialRow[];
}

/** A flagged average: a metric of a variant over its cases. */
export interface FlaggedAverage {
  /** The cases in the random order of the looks; empty if the average is not flagged. */
  readonly cases: readonly RetriedCase[];
  /** One-sided p of being worse, from these pairs only; null where they show nothing. */
  readonly test: (cases: readonly RetriedCase[], pairs: readonly TrialPair[]) => number | null;
}

export type AverageVerdict =
  | { readonly kind: 'confirmed' | 'cleared'; readonly p: number; readonly cases: number }
  /** All looks are made, and it is neither confirmed nor cleared. */
  | { readonly kind: 'unsettled'; readonly p: number | null; readonly cases: number }
  /** Looks are missing. `least`: the cases that the next look must have. */
  | { readonly kind: 'open'; readonly wanted: readonly (readonly WantedRetrials[])[]; readonly least: number }
  | { readonly kind: 'not-needed' }
  /** Confirmation trials can't be made or errored, for example after a model was retired. The stored trials decide. */
  | { readonly kind: 'unavailable' };

/** One look at a flagged average: at a share of its cases, by so many trials of each. */
export interface Look {
  readonly share: number;
  readonly trials: number;
  /** The share of the level that this look may use. */
  readonly levelShare: number;
  /** The smallest p that clears the average. */
  readonly clearedAtP: number;
}

export interface AverageRule {
  readonly looks: readonly Look[];
  /** One-sided, after the correction over averages. */
  readonly level: number;
  /** True if the planned trials are the candidate's side, so that only the accepted prompt is asked. */
  readonly usesPlanned: boolean;
}

/** Where confirmation trials look no worse than this, further looks are not worth their cost. */
export const clearedAtP = 0.4;

/**
 * The looks at a flagged average. The shares of the level add up to more than 1, since the looks overlap. They were
 * calibrated by simulation: all looks together keep the level (bench/gate-simulation.ts).
 */
export const fullLooks: readonly Look[] = [
  { share: 0.25, trials: 1, levelShare: 0.3, clearedAtP },
  { share: 0.5, trials: 1, levelShare: 0.4, clearedAtP },
  { share: 1, trials: 1, levelShare: 0.6, clearedAtP },
  { share: 1, trials: 2, levelShare: 0.7, clearedAtP },
];
/** The looks if the budget allows one trial for each case. Half of a small suite without a drop clears nothing yet. */
export const shortLooks: readonly Look[] = [
  { share: 0.5, trials: 1, levelShare: 0.1, clearedAtP: 0.6 },
  { share: 1, trials: 1, levelShare: 1.3, clearedAtP },
];
const leastCases = 10;

/** Up to this p of the planned trials an average is flagged. */
export const flaggedAtP = 0.1;

/** The least share of a look's cases. */
export const leastShare = 0.6;

/** Looks at a flagged average by its confirmation trials only. `isFinal`: no further retrial can be made. */
export function judgeAverage(
  average: FlaggedAverage,
  rule: AverageRule,
  { isFinal }: { readonly isFinal: boolean },
): AverageVerdict {
  const { cases, test } = average;
  let last: { readonly p: number | null; readonly cases: number } = { p: null, cases: 0 };
  for (const [index, look] of rule.looks.entries()) {
    const next = rule.looks[index + 1];
    const size = sizeOf(look, cases.length);
    const wanted = cases.slice(0, size).map((found) => findMissing(found, look.trials, rule.usesPlanned));
    const done = countDone(wanted);
    const least = look.trials > 1 ? size : Math.max(last.cases, leastOf(look, cases.length));
    const state = stateOfLook({ look, next, cases: cases.length, done, least }, isFinal);
    if (state === 'skipped') continue;
    if (state === 'waiting') return { kind: 'open', wanted, least };
    if (state === 'too-short') break;
    const seen = cases.slice(0, done).filter((found) => isPair(pairOf(found, look.trials, rule.usesPlanned)));
    // The others errored: what is left of a look may not clear what it did not see.
    if (seen.length < Math.ceil(done * leastShare)) return { kind: 'unavailable' };
    const p = test(
      seen,
      seen.map((found) => pairOf(found, look.trials, rule.usesPlanned)),
    );
    last = { p, cases: seen.length };
    if (p === null) continue;
    if (p <= look.levelShare * rule.level) return { kind: 'confirmed', ...last, p };
    // The last look clears what confirmation trials would not have flagged.
    if (p >= look.clearedAtP || (next === undefined && p > flaggedAtP)) return { kind: 'cleared', ...last, p };
    if (state === 'cut-short') break;
  }
  return { kind: 'unsettled', ...last };
}

type LookState =
  /** The next look sees as many cases, or more of those that were asked. */
  | 'skipped'
  /** Retrials of it are missing, and can be made. */
  | 'waiting'
  /** Further retrials can't be made, and too few were made. */
  | 'too-short'
  /** Further retrials can't be made, but enough were made. */
  | 'cut-short'
  | 'complete';

interface LookProgress {
  readonly look: Look;
  readonly next: Look | undefined;
  /** All cases of the average. */
  readonly cases: number;
  /** The cases of this look whose retrials are all made. */
  readonly done: number;
  /** The number of such cases that the look needs if it is cut short. */
  readonly least: number;
}

function stateOfLook({ look, next, cases, done, least }: LookProgress, isFinal: boolean): LookState {
  const size = sizeOf(look, cases);
  const further = next?.trials === look.trials ? next : undefined;
  // A small suite is looked at whole at once.
  if (further !== undefined && sizeOf(further, cases) === size) return 'skipped';
  if (done === size) return 'complete';
  if (!isFinal) return 'waiting';
  // A look that is cut short may have enough for the next one.
  if (further !== undefined && done >= leastOf(further, cases)) return 'skipped';
  return done >= least ? 'cut-short' : 'too-short';
}

function isPair({ accepted, candidate }: TrialPair): boolean {
  return accepted.length > 0 && candidate.length > 0;
}

/** The number of cases from the first on whose retrials are all made. */
function countDone(wanted: readonly (readonly WantedRetrials[])[]): number {
  const first = wanted.findIndex((missing) => missing.length > 0);
  return first === -1 ? wanted.length : first;
}

function sizeOf({ share }: Pick<Look, 'share'>, cases: number): number {
  return Math.min(cases, Math.max(leastCases, Math.ceil(share * cases)));
}

/** A look that the budget cuts short still counts with so many cases. */
function leastOf(look: Look, cases: number): number {
  return Math.ceil(sizeOf(look, cases) * leastShare);
}

function pairOf(found: RetriedCase, trials: number, usesPlanned: boolean): TrialPair {
  return {
    accepted: judgedRows(found.accepted).slice(0, trials),
    candidate: usesPlanned ? judgedRows(found.planned) : judgedRows(found.candidate).slice(0, trials),
  };
}

function findMissing(found: RetriedCase, trials: number, usesPlanned: boolean): readonly WantedRetrials[] {
  const sides: readonly RetrialSide[] = usesPlanned ? ['accepted'] : ['accepted', 'candidate'];
  return sides.flatMap((side) => {
    const rows = found[side];
    const count = trials - judgedRows(rows).length;
    return count <= 0 || countStatus(rows, 'errored') >= maxErroredRetrials ? [] : [{ id: found.id, side, count }];
  });
}
