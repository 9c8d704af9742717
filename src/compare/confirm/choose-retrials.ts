import { leastShare } from './judge-average.ts';
import { judgedRows, type RetriedCase, type RetriedVerdict, type WantedRetrials } from './judge-case.ts';
import type { SettledSuspicions } from './settle-suspicions.ts';
import type { Suspect, SuspicionInput } from './suspicion-input.ts';

/** What retrials may send and cost. */
export interface RetrialSpend {
  /** Requests, those to judges included. */
  readonly calls: number;
  /** USD of what has a price and a limit; undefined where nothing has. Only the number of calls bounds the rest. */
  readonly usd: number | undefined;
}

export interface RetrialBudget {
  /** What may still be spent. */
  readonly left: RetrialSpend;
  /** The most that one retrial takes. */
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
  const { cases, averages } = settled;
  const mustPass = openOf(input.mustPass, cases);
  const added = openOf(
    input.added.map(({ found }) => found),
    cases,
  ).slice(0, suspectsAtATime + askedPerFlaky * countFlaky(input.added, cases));
  const looks = [...averages.values()].flatMap((verdict) => (verdict.kind === 'open' ? [verdict] : []));
  const wantedOfSuspects = (): Block[] => chooseSuspects(input, settled, budget);
  const probes = looks.length === 0 ? 'cases' : probe(input, settled, budget);
  const first: Phase =
    probes === 'averages' ? { looks } : probes === 'cases' ? { blocks: wantedOfSuspects() } : { blocks: probes };
  const second: Phase = probes === 'averages' ? { blocks: wantedOfSuspects() } : { looks };
  for (const phase of [{ blocks: mustPass }, { blocks: added }, first, second] satisfies Phase[]) {
    const wanted = keepWithin(phase, budget);
    if (wanted.length > 0) return wanted;
  }
  return [];
}

/** Retrials that are made together or not at all. */
type Block = readonly WantedRetrials[];

type Phase =
  | { readonly blocks: readonly Block[] }
  | { readonly looks: readonly { readonly wanted: readonly Block[]; readonly least: number }[] };

function openOf(found: readonly RetriedCase[], cases: ReadonlyMap<string, RetriedVerdict>): Block[] {
  return found.flatMap(({ id }) => {
    const verdict = cases.get(id);
    return verdict?.kind === 'open' ? [[verdict.wanted]] : [];
  });
}

/** Chooses suspects in their order. If none can be settled any more, each is asked once to find those that flaked. */
function chooseSuspects(input: SuspicionInput, { cases }: SettledSuspicions, budget: RetrialBudget): Block[] {
  const suspects = input.suspects.map(({ found }) => found);
  const isAnyBroken = suspects.some(({ id }) => cases.get(id)?.kind === 'broken');
  const atATime = suspectsAtATime + askedPerFlaky * countFlaky(input.suspects, cases);
  const window = Math.min(windowOf(input, budget), atATime);
  if (window > 0 || !isAnyBroken) return openOf(suspects, cases).slice(0, Math.max(1, window));
  return openOf(
    suspects.filter(({ candidate }) => judgedRows(candidate).length === 0),
    cases,
  );
}

function countFlaky(all: readonly Pick<Suspect, 'found'>[], cases: ReadonlyMap<string, RetriedVerdict>): number {
  return all.reduce((count, { found }) => count + (cases.get(found.id)?.kind === 'flaky' ? 1 : 0), 0);
}

/** No more suspects at a time than the budget can settle. */
function windowOf({ suspects }: SuspicionInput, { left, spendOf }: RetrialBudget): number {
  const [first] = suspects;
  if (first === undefined) return 0;
  const { calls } = spendOf({ id: first.found.id, side: 'candidate' });
  return Math.floor(left.calls / (2 * typicalRetrials * Math.max(1, calls)));
}

/** Retrials a side that confirm one of a few suspects (stats/exact-tests.ts, trialsToConfirm). */
const typicalRetrials = 7;

/**
 * If a prompt breaks cases for good, its suspects fail again. If it fails slightly more often everywhere, they mostly
 * pass, and the average is better evidence. So a few are asked once, and those that failed again are settled first: any
 * of them may be broken.
 */
function probe(
  input: SuspicionInput,
  { cases }: SettledSuspicions,
  budget: RetrialBudget,
): 'cases' | 'averages' | readonly Block[] {
  const { suspects, comparedCases } = input;
  if (suspects.every(({ isGated }) => !isGated)) return 'averages';
  if (suspects.length <= manySuspects * comparedCases) return 'cases';
  const isEnough = suspects.length >= enoughForAverage;
  const probed = (isEnough ? suspects.slice(0, probedSuspects) : suspects).map(({ found }) => found);
  const unasked = probed.filter(({ candidate }) => judgedRows(candidate).length === 0);
  const failing = probed.filter((found) => !unasked.includes(found) && cases.get(found.id)?.kind !== 'flaky');
  // One case would use up the remaining calls.
  const isScarce = isEnough && unasked.length === probed.length && windowOf(input, budget) < 2;
  if (isScarce) return paysForLooks(input, budget) ? 'averages' : 'cases';
  if (failing.length >= 2) return 'cases';
  const blocks = openOf(unasked, cases).slice(0, 2 - failing.length);
  const wanted = blocks.length > 0 ? blocks : openOf(failing, cases);
  return wanted.length > 0 ? wanted : 'averages';
}

/** True where what is left reaches a last look: one that is cut short before it can hardly confirm anything. */
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

/** Blocks in their order; a look also in part, if it has enough cases then. */
function keepWithin(phase: Phase, budget: RetrialBudget): readonly WantedRetrials[] {
  const kept = new KeptRetrials(budget);
  if ('blocks' in phase) for (const block of phase.blocks) kept.add(block);
  else for (const { wanted, least } of phase.looks) kept.addLook(wanted, least);
  return kept.all();
}

/** Sums of prices in another order may differ by this. */
const usdRounding = 1e-12;

class KeptRetrials {
  readonly #budget: RetrialBudget;
  #kept = new Map<string, WantedRetrials>();
  #left: RetrialSpend;

  constructor(budget: RetrialBudget) {
    this.#budget = budget;
    this.#left = budget.left;
  }

  all(): readonly WantedRetrials[] {
    return [...this.#kept.values()];
  }

  /** False where the block does not fit. Calls that another block already makes cost nothing. */
  add(block: Block): boolean {
    let left = this.#left;
    const further: WantedRetrials[] = [];
    for (const wanted of block) {
      const more = wanted.count - (this.#kept.get(keyOf(wanted))?.count ?? 0);
      if (more <= 0) continue;
      left = minus(left, this.#budget.spendOf(wanted), more);
      further.push(wanted);
    }
    if (left.calls < 0 || (left.usd ?? 0) < -usdRounding) return false;
    this.#left = left;
    for (const wanted of further) this.#kept.set(keyOf(wanted), wanted);
    return true;
  }

  addLook(blocks: readonly Block[], least: number): void {
    const [kept, left] = [new Map(this.#kept), this.#left];
    const first = blocks.findIndex((block) => !this.add(block));
    if ((first === -1 ? blocks.length : first) >= least) return;
    this.#kept = kept;
    this.#left = left;
  }
}

function keyOf({ id, side }: WantedRetrials): string {
  return `${side} ${id}`;
}

function minus(left: RetrialSpend, spend: RetrialSpend, count: number): RetrialSpend {
  return {
    calls: left.calls - count * spend.calls,
    usd: left.usd === undefined ? undefined : left.usd - count * (spend.usd ?? 0),
  };
}
