import { leastShare } from './judge-average.ts';
import { judgedRows, type RetriedCase, type RetriedVerdict, type WantedRetrials } from './judge-case.ts';
import type { SettledSuspicions } from './settle-suspicions.ts';
import type { SuspicionInput } from './suspicion-input.ts';

/** The calls and the cost that retrials may use. */
export interface RetrialSpend {
  /** Requests, those to judges included. */
  readonly calls: number;
  /** The bound in USD of priced requests with an output limit; undefined without any. The calls bound the others. */
  readonly usd: number | undefined;
}

export interface RetrialBudget {
  /** What may still be spent. */
  readonly left: RetrialSpend;
  /** The maximum that one retrial may use. */
  readonly spendOf: (wanted: Pick<WantedRetrials, 'id' | 'side'>) => RetrialSpend;
}

/** Above this share of cases suspects are many: then some of them show whether cases broke or the average fell. */
const manySuspects = 0.125;

/** With this many suspects the average alone shows a fall, so only two are asked. Fewer suspects are all asked. */
const enoughForAverage = 6;
const probedSuspects = 2;

/** The suspects that are asked at a time at first. If these are broken, the rest need not be paid for. */
const suspectsAtATime = 20;

/** If this many flaked, the rest most likely did too. Then more are asked at a time, to keep the rounds few. */
const askedPerFlaky = 3;

/** The retrials to make next, as far as the budget goes; none where nothing can change any more. */
export function chooseRetrials(
  input: SuspicionInput,
  settled: SettledSuspicions,
  budget: RetrialBudget,
): readonly WantedRetrials[] {
  const { cases } = settled;
  const mustPass = wantedOf(input.mustPass, cases);
  const allAdded = input.added.map(({ found }) => found);
  const added = wantedOf(allAdded, cases).slice(0, countAtATime(allAdded, cases));
  for (const phase of [mustPass, added, ...orderSuspectsAndLooks(input, settled, budget)]) {
    const wanted = keepWithin(phase, budget);
    if (wanted.length > 0) return wanted;
  }
  return [];
}

/** Retrials that have priority over those of later phases. */
type Phase = readonly RetrialGroup[];

/** The retrials of a case or a look. A look may be cut short: its first cases are asked, if they are `least` or more. */
interface RetrialGroup {
  readonly wanted: readonly AllOrNothing[];
  readonly least: number;
}

/** Retrials that are only useful together, so that all or none are made. */
type AllOrNothing = readonly WantedRetrials[];

function wantedOf(found: readonly RetriedCase[], cases: ReadonlyMap<string, RetriedVerdict>): readonly RetrialGroup[] {
  return found.flatMap(({ id }) => {
    const verdict = cases.get(id);
    return verdict?.kind === 'open' ? [{ wanted: [[verdict.wanted]], least: 1 }] : [];
  });
}

/**
 * If a prompt breaks cases for good, its suspects fail again. If it fails slightly more often everywhere, they mostly
 * pass, and the average is better evidence. So a few are asked once, and those that failed again are settled first: any
 * of them may be broken.
 */
function orderSuspectsAndLooks(
  input: SuspicionInput,
  settled: SettledSuspicions,
  budget: RetrialBudget,
): readonly Phase[] {
  const { suspects, comparedCases } = input;
  const { cases, averages } = settled;
  const looks = [...averages.values()].filter((verdict) => verdict.kind === 'open');
  const chosen = chooseSuspects(input, settled, budget);
  const [casesFirst, averagesFirst] = [
    [chosen, looks],
    [looks, chosen],
  ];
  if (looks.length === 0) return casesFirst;
  if (suspects.every(({ isGated }) => !isGated)) return averagesFirst;
  if (suspects.length <= manySuspects * comparedCases) return casesFirst;
  const isEnough = suspects.length >= enoughForAverage;
  const probed = (isEnough ? suspects.slice(0, probedSuspects) : suspects).map(({ found }) => found);
  const unasked = probed.filter(({ candidate }) => judgedRows(candidate).length === 0);
  const failing = probed.filter((found) => !unasked.includes(found) && cases.get(found.id)?.kind !== 'flaky');
  if (isEnough && unasked.length === probed.length && affordableSuspects(input, budget) < probedSuspects) {
    // One case would use up the remaining calls, so there is nothing to probe with.
    return paysForLooks(input, budget) ? averagesFirst : casesFirst;
  }
  if (failing.length >= probedSuspects) return casesFirst;
  const further = wantedOf(unasked, cases).slice(0, probedSuspects - failing.length);
  const probes = further.length > 0 ? further : wantedOf(failing, cases);
  // The other suspects wait for what the probes show.
  return probes.length > 0 ? [probes, looks] : averagesFirst;
}

/** Chooses suspects in their order. If none can be settled any more, each is asked once to find those that flaked. */
function chooseSuspects(input: SuspicionInput, { cases }: SettledSuspicions, budget: RetrialBudget): Phase {
  const suspects = input.suspects.map(({ found }) => found);
  const isAnyBroken = suspects.some(({ id }) => cases.get(id)?.kind === 'broken');
  const count = Math.min(affordableSuspects(input, budget), countAtATime(suspects, cases));
  if (count > 0 || !isAnyBroken) return wantedOf(suspects, cases).slice(0, Math.max(1, count));
  const unasked = suspects.filter(({ candidate }) => judgedRows(candidate).length === 0);
  return wantedOf(unasked, cases);
}

function countAtATime(all: readonly RetriedCase[], cases: ReadonlyMap<string, RetriedVerdict>): number {
  return suspectsAtATime + askedPerFlaky * all.filter(({ id }) => cases.get(id)?.kind === 'flaky').length;
}

/** How many suspects the rest of the budget can settle. */
function affordableSuspects({ suspects }: SuspicionInput, { left, spendOf }: RetrialBudget): number {
  const [first] = suspects;
  if (first === undefined) return 0;
  const { calls } = spendOf({ id: first.found.id, side: 'candidate' });
  return Math.floor(left.calls / (2 * typicalRetrials * Math.max(1, calls)));
}

/** Retrials a side that confirm one of a few suspects (stats/exact-tests.ts, trialsToConfirm). */
const typicalRetrials = 7;

/** True if the budget reaches a last look. A look before the last can hardly confirm anything if it is cut short. */
function paysForLooks({ averages }: SuspicionInput, { left, spendOf }: RetrialBudget): boolean {
  const looked = new Map(averages.flatMap(({ cases }) => cases.map((found) => [found.id, found])));
  let [all, missing] = [0, 0];
  for (const { id, accepted } of looked.values()) {
    const { calls } = spendOf({ id, side: 'accepted' });
    all += calls;
    if (accepted.length === 0) missing += calls;
  }
  return Math.floor(left.calls) >= missing - (1 - leastShare) * all;
}

/** The retrials of the groups in their order, as far as the budget pays for them. */
function keepWithin(phase: Phase, budget: RetrialBudget): readonly WantedRetrials[] {
  const kept = new KeptRetrials(budget);
  for (const group of phase) kept.add(group);
  return kept.all();
}

class KeptRetrials {
  readonly #spendOf: RetrialBudget['spendOf'];
  readonly #kept = new Map<string, WantedRetrials>();
  #left: RetrialSpend;

  constructor({ left, spendOf }: RetrialBudget) {
    this.#spendOf = spendOf;
    this.#left = left;
  }

  all(): readonly WantedRetrials[] {
    return [...this.#kept.values()];
  }

  add({ wanted, least }: RetrialGroup): void {
    const affordable = this.#takeAffordable(wanted);
    if (affordable.length < least) return;
    for (const one of affordable.flat()) {
      const missing = this.#countMissing(one);
      if (missing === 0) continue;
      this.#left = minus(this.#left, this.#spendOf(one), missing);
      this.#kept.set(keyOf(one), one);
    }
  }

  #takeAffordable(wanted: RetrialGroup['wanted']): RetrialGroup['wanted'] {
    let left = this.#left;
    const end = wanted.findIndex((together) => {
      for (const one of together) left = minus(left, this.#spendOf(one), this.#countMissing(one));
      return left.calls < 0 || (left.usd ?? 0) < -usdRounding;
    });
    return end === -1 ? wanted : wanted.slice(0, end);
  }

  /** Retrials that another group makes already cost nothing. */
  #countMissing(one: WantedRetrials): number {
    return Math.max(0, one.count - (this.#kept.get(keyOf(one))?.count ?? 0));
  }
}

/** Sums of prices in another order may differ by this. */
const usdRounding = 1e-12;

function keyOf({ id, side }: WantedRetrials): string {
  return `${side} ${id}`;
}

function minus(left: RetrialSpend, spend: RetrialSpend, count: number): RetrialSpend {
  return {
    calls: left.calls - count * spend.calls,
    usd: left.usd === undefined ? undefined : left.usd - count * (spend.usd ?? 0),
  };
}
