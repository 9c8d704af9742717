import { isJudged } from '../../model/run/cell.ts';
import type { AskedSide, FreshTrials, TrialRow, WantedTrials } from './case-evidence.ts';

/** A case of an average, with its fresh trials. */
export interface AverageCase {
  /** Unique in the invocation. */
  readonly id: string;
  readonly caseId: string;
  readonly fresh: FreshTrials;
}

/** The trials of one case that a look tests. Both lists have a verdict, or the case is not among them. */
export interface LookedCase {
  readonly caseId: string;
  readonly candidate: readonly TrialRow[];
  /** Empty where the accepted prompt can't be asked: the test takes the accepted trials instead. */
  readonly accepted: readonly TrialRow[];
}

/** A metric of a variant that looks worse, to be asked again. */
export interface FlaggedAverage {
  readonly id: string;
  /** The cases in the order in which they are asked. */
  readonly cases: readonly AverageCase[];
  /** Planned trials of these cases. */
  readonly plannedTrials: number;
  /** One-sided p of the planned trials. */
  readonly p: number;
  /** Half of the two-sided level: what averages may spend. */
  readonly level: number;
  /** False if the accepted prompt can't be asked, so that fresh trials are compared with the accepted ones. */
  readonly asksAccepted: boolean;
  /** One-sided p of being worse, from fresh trials; null if they show nothing. */
  readonly test: (cases: readonly LookedCase[]) => number | null;
}

/**
 * `confirmed`: fresh trials show the fall. `cleared`: they do not. `unsettled`: they can't tell, or too few were asked.
 * `errored`: too many of them errored. `open`: the next look needs more trials.
 */
export interface AverageOutcome {
  readonly kind: 'confirmed' | 'cleared' | 'unsettled' | 'errored' | 'open';
  readonly p: number | null;
  /** Fresh pairs of the last look. */
  readonly pairs: number;
  readonly cases: number;
  /** For `open`, and for `unsettled` if too few were asked: what the next look lacks, in its order. */
  readonly wanted: readonly (WantedTrials & { readonly id: string })[];
}

/** Up to this p the planned trials flag an average. Above it, the last look clears one. */
export const flaggedAtP = 0.1;

interface Look {
  /** Pairs, as a share of the planned trials. */
  readonly share: number;
  /** The share of the level that the look may spend. */
  readonly spend: number;
}

/**
 * The looks at a flagged average. Their shares add up to more than 1, since they overlap. All looks together keep the
 * level, as bench/gate-simulation.ts shows.
 */
export const looks: readonly Look[] = [
  { share: 0.5, spend: 0.3 },
  { share: 1, spend: 0.4 },
  { share: 2, spend: 0.5 },
];

/** The first look clears what seems as good or better. */
const clearedAtFirstLook = 0.5;

/** The fewest pairs of a look, and the fewest that a look which is cut short adds. */
const leastPairs = 10;

/** The budget may end within the second look, since cases are asked first. This much of it still clears. */
const clearedAtShare = 0.8;

/** If fewer of a look's pairs have a verdict, it says nothing about the rest. */
const leastJudgedShare = 0.6;

/** Tests a flagged average by the fresh pairs that there are. `flagged`: averages that share the level. */
export function lookAtAverage(average: FlaggedAverage, flagged: number): AverageOutcome {
  const { level, p: plannedP, plannedTrials } = average;
  const order = orderTrials(average);
  let asked = 0;
  while (asked < order.length && missingSides(order[asked], average).length === 0) asked += 1;
  let last: Omit<AverageOutcome, 'kind' | 'wanted'> = { p: null, pairs: 0, cases: 0 };
  let seen = 0;
  for (const [index, { share, spend }] of looks.entries()) {
    const size = sizeOf(share, plannedTrials);
    // A small suite is looked at whole at once.
    if (size <= seen) continue;
    const isCutShort = asked < size;
    const count = isCutShort ? asked : size;
    if (isCutShort && count - seen < leastPairs)
      return { ...last, ...describeOpen(order.slice(seen, size), average, last) };
    const judged = collectJudged(order.slice(0, count), average);
    if (judged.pairs < leastJudgedShare * count) return { ...last, kind: 'errored', wanted: [] };
    const p = average.test(judged.cases);
    last = { p, pairs: judged.pairs, cases: judged.cases.length };
    seen = count;
    if (p !== null && p <= (spend * level) / flagged) return { ...last, kind: 'confirmed', wanted: [] };
    if (isCutShort) return { ...last, ...describeOpen(order.slice(count, size), average, last) };
    const isFirst = index === 0;
    if (isFirst && p !== null && p >= clearedAtFirstLook && plannedP > level) {
      return { ...last, kind: 'cleared', wanted: [] };
    }
  }
  // The last look has what gate.confirm can ever ask, so what it does not confirm is cleared.
  return { ...last, kind: last.p === null ? 'unsettled' : 'cleared', wanted: [] };
}

/** Once no more trials can be asked: a look of nearly all planned trials clears what it would not have flagged. */
export function endLooks(
  outcome: AverageOutcome,
  { plannedTrials }: Pick<FlaggedAverage, 'plannedTrials'>,
): AverageOutcome {
  if (outcome.kind !== 'open') return outcome;
  const isWhole = outcome.pairs >= clearedAtShare * sizeOf(1, plannedTrials);
  return { ...outcome, kind: isWhole && isCleared(outcome) ? 'cleared' : 'unsettled' };
}

function isCleared({ p }: Pick<AverageOutcome, 'p'>): boolean {
  return p !== null && p > flaggedAtP;
}

function sizeOf(share: number, plannedTrials: number): number {
  return Math.max(Math.min(plannedTrials, leastPairs), Math.ceil(share * plannedTrials));
}

interface PlacedTrial {
  readonly found: AverageCase;
  readonly index: number;
}

/** All pairs in the order in which they are asked: each case once, then each again. */
function orderTrials({ cases, plannedTrials }: FlaggedAverage): readonly PlacedTrial[] {
  const most = sizeOf(looks.at(-1)?.share ?? 1, plannedTrials);
  const order: PlacedTrial[] = [];
  for (let index = 0; order.length < most && cases.length > 0; index += 1) {
    for (const found of cases) order.push({ found, index });
  }
  return order.slice(0, most);
}

function sidesOf({ asksAccepted }: Pick<FlaggedAverage, 'asksAccepted'>): readonly AskedSide[] {
  return asksAccepted ? ['candidate', 'accepted'] : ['candidate'];
}

/** The sides of a pair that were not asked yet. */
function missingSides(placed: PlacedTrial | undefined, average: FlaggedAverage): readonly AskedSide[] {
  if (placed === undefined) return [];
  return sidesOf(average).filter((side) => placed.found.fresh[side][placed.index] === undefined);
}

function describeOpen(
  rest: readonly PlacedTrial[],
  average: FlaggedAverage,
  last: Omit<AverageOutcome, 'kind' | 'wanted'>,
): AverageOutcome {
  const wanted = rest.flatMap((placed) =>
    missingSides(placed, average).map((side) => ({ id: placed.found.id, side, count: placed.index + 1 })),
  );
  return { ...last, kind: 'open', wanted };
}

/** The pairs in which each side has a verdict, by case. */
function collectJudged(order: readonly PlacedTrial[], average: FlaggedAverage) {
  const cases = new Map<AverageCase, { candidate: TrialRow[]; accepted: TrialRow[] }>();
  let pairs = 0;
  for (const { found, index } of order) {
    const [candidate, accepted] = [found.fresh.candidate[index], found.fresh.accepted[index]];
    if (candidate === undefined || !isJudged(candidate)) continue;
    if (average.asksAccepted && (accepted === undefined || !isJudged(accepted))) continue;
    const rows = cases.get(found) ?? { candidate: [], accepted: [] };
    cases.set(found, rows);
    rows.candidate.push(candidate);
    if (average.asksAccepted && accepted !== undefined) rows.accepted.push(accepted);
    pairs += 1;
  }
  return {
    pairs,
    cases: Array.from(cases, ([{ caseId }, rows]): LookedCase => ({ caseId, ...rows })),
  };
}
