import { failuresToConfirm, pairsToConfirm } from '../../stats/two-sample-evidence.ts';
import type { AskedSide, WantedTrials } from './case-evidence.ts';
import { type Flagged, type FlaggedCase, type Settled, thresholdOf } from './settle.ts';

/** Calls and their cost. */
export interface Spend {
  /** Requests, those to judges included. */
  readonly calls: number;
  /** The bound in USD of priced requests with an output limit; undefined without any. The calls bound the others. */
  readonly usd: number | undefined;
}

/** What fresh trials may spend. */
export interface AskingBudget {
  /** The most of them in all. */
  readonly allowed: Spend;
  /** The most once something is confirmed: as much as the planned trials. */
  readonly planned: Spend;
  readonly spent: Spend;
  /** The most that one trial of a case may spend. */
  readonly spendOf: (id: string, side: AskedSide) => Spend;
}

/** Fresh trials to ask next, of a case by its id. */
export interface NextTrials extends WantedTrials {
  readonly id: string;
}

/** Cases that are asked at once at most. */
const casesAtOnce = 20;

/** The fewest pairs that are worth a look. */
const leastPairs = 10;

/** The trials to ask next: must-pass cases, then other cases in their order, then averages, as far as the budget goes. */
export function chooseNext(flagged: Flagged, settled: Settled, budget: AskingBudget): readonly NextTrials[] {
  const left = leftOf(budget, isConfirmed(flagged, settled));
  const open = flagged.cases.filter(({ id }) => settled.cases.get(id)?.outcome === 'open');
  const mustPass = open.filter(({ rule }) => rule === 'must-pass');
  const next = takeCases(mustPass, { flagged, settled, budget, left });
  if (next.length > 0) return next;
  const others = open.filter(({ rule }) => rule !== 'must-pass');
  const cases = takeCases(others, { flagged, settled, budget, left });
  return cases.length > 0 ? cases : takeAverage(flagged, settled, budget, left);
}

function isConfirmed({ cases, averages }: Flagged, settled: Settled): boolean {
  return (
    cases.some(({ id, isGated }) => isGated && settled.cases.get(id)?.outcome === 'broken') ||
    averages.some(({ id }) => settled.averages.get(id)?.kind === 'confirmed')
  );
}

function leftOf({ allowed, planned, spent }: AskingBudget, isAnyConfirmed: boolean): Spend {
  const most = isAnyConfirmed ? least(allowed, planned) : allowed;
  return minus(most, spent);
}

interface Taking {
  readonly flagged: Flagged;
  readonly settled: Settled;
  readonly budget: AskingBudget;
  readonly left: Spend;
}

/** The next trials of so many cases at once that those which break are paid by as many calls as were planned. */
function takeCases(open: readonly FlaggedCase[], { flagged, settled, budget, left }: Taking): readonly NextTrials[] {
  const taken: NextTrials[] = [];
  let rest = left;
  let cases = 0;
  for (const found of open) {
    if (cases >= countAtOnce(found, flagged, budget)) break;
    const wanted = listWanted(found, settled);
    let isTaken = false;
    for (const trial of wanted) {
      const after = minus(rest, budget.spendOf(found.id, trial.side));
      if (!isWithin(after)) break;
      rest = after;
      taken.push({ id: found.id, ...trial });
      isTaken = true;
    }
    if (isTaken) cases += 1;
  }
  return taken;
}

function countAtOnce(found: FlaggedCase, flagged: Flagged, { planned, spent, spendOf }: AskingBudget): number {
  const threshold = thresholdOf(found, flagged);
  const [candidate, accepted] = [spendOf(found.id, 'candidate').calls, spendOf(found.id, 'accepted').calls];
  const calls =
    found.askable === 'both'
      ? pairsToConfirm(threshold) * (candidate + accepted)
      : failuresToConfirm(threshold) * candidate;
  return Math.min(casesAtOnce, Math.max(1, Math.floor((planned.calls - spent.calls) / Math.max(1, calls))));
}

/** The first trial of a case is asked alone, since most cases pass it. Later both sides are asked at once. */
function listWanted({ id, askable, rule }: FlaggedCase, settled: Settled): readonly WantedTrials[] {
  const wanted = settled.cases.get(id)?.wanted;
  if (wanted === undefined) return [];
  const asksBoth = askable === 'both' && rule !== 'added' && wanted.side === 'candidate' && wanted.count > 1;
  return asksBoth ? [wanted, { side: 'accepted', count: wanted.count }] : [wanted];
}

/** The next look at the average that looks worst. A look that the budget cuts short may still tell. */
function takeAverage(flagged: Flagged, settled: Settled, budget: AskingBudget, left: Spend): readonly NextTrials[] {
  const open = flagged.averages.filter(({ id }) => settled.averages.get(id)?.kind === 'open');
  for (const { id, asksAccepted } of open.toSorted((a, b) => a.p - b.p)) {
    const wanted = settled.averages.get(id)?.wanted ?? [];
    const taken: NextTrials[] = [];
    let rest = left;
    for (const trial of wanted) {
      rest = minus(rest, budget.spendOf(trial.id, trial.side));
      if (!isWithin(rest)) break;
      taken.push(trial);
    }
    const isWorthIt = taken.length >= Math.min(wanted.length, leastPairs * (asksAccepted ? 2 : 1));
    if (taken.length > 0 && isWorthIt) return taken;
  }
  return [];
}

/** Sums of prices in another order may differ by this. */
const usdRounding = 1e-12;

function isWithin({ calls, usd = 0 }: Spend): boolean {
  return calls >= 0 && usd >= -usdRounding;
}

function minus(left: Spend, spend: Spend): Spend {
  return {
    calls: left.calls - spend.calls,
    usd: left.usd === undefined ? undefined : left.usd - (spend.usd ?? 0),
  };
}

function least(a: Spend, b: Spend): Spend {
  const usd = a.usd === undefined || b.usd === undefined ? (a.usd ?? b.usd) : Math.min(a.usd, b.usd);
  return { calls: Math.min(a.calls, b.calls), usd };
}
