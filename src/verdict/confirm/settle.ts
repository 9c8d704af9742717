import type { RunSettings } from '../../model/run/record.ts';
import { type AverageOutcome, endLooks, type FlaggedAverage, lookAtAverage } from './average-looks.ts';
import { type CaseEvidence, type FreshTrials, type TrialRow, weighCase, weighMustPass } from './case-evidence.ts';

/**
 * What can be asked again of a case or an average.
 *
 * `both`: the new and the accepted prompt. `candidate`: the new prompt alone, because the accepted one can't be asked.
 * `budget`: nothing may be asked. `recordings`: stored answers alone answer, so asking again gives the same. `records`: two
 * stored records are compared, and nothing is live.
 */
export type Askable = 'both' | 'candidate' | 'budget' | 'recordings' | 'records';

/** A case that looks worse. */
export interface FlaggedCase {
  /** Unique in the invocation. */
  readonly id: string;
  readonly suite: string;
  /** Names the variant in the invocation. */
  readonly variant: string;
  /** Names the group in the invocation: its cases are no independent evidence. */
  readonly group: string | undefined;
  readonly rule: 'suspect' | 'added' | 'must-pass';
  readonly askable: Askable;
  readonly fresh: FreshTrials;
  /** Half of the two-sided level: what cases may spend. */
  readonly level: number;
  /** False where a broken case only warns. */
  readonly isGated: boolean;
  /** Broken cases of the suite after which no further one is asked. */
  readonly maxConfirmed: number;
}

export interface AskedAverage extends FlaggedAverage {
  /** Names the variant in the invocation. */
  readonly variant: string;
}

/** Everything that looks worse in an invocation, in the order in which it is asked again. */
export interface Flagged {
  readonly cases: readonly FlaggedCase[];
  readonly averages: readonly AskedAverage[];
  /** Averages that stored trials decide alone: they share the level of averages. */
  readonly storedAverages: number;
  /** Cases of other shards that may be flagged there. */
  readonly casesOfOtherShards: number;
  readonly shards: number;
}

/** The outcome of a flagged case. `not-needed`: other cases decide already. */
export type SettledCase = Omit<CaseEvidence, 'outcome' | 'wanted'> & {
  readonly outcome: CaseEvidence['outcome'] | 'not-needed';
  readonly wanted?: CaseEvidence['wanted'];
};

export type SettledAverage = Omit<AverageOutcome, 'kind'> & {
  /** `not-needed`: broken cases of the variant decide already. */
  readonly kind: AverageOutcome['kind'] | 'not-needed';
};

/** What fresh trials say of everything that was flagged, by id. */
export interface Settled {
  readonly cases: ReadonlyMap<string, SettledCase>;
  readonly averages: ReadonlyMap<string, SettledAverage>;
}

/** Settles what was flagged by the fresh trials that there are. `isFinal`: no more trials can be asked. */
export function settle(flagged: Flagged, { isFinal }: { readonly isFinal: boolean }): Settled {
  const cases = settleCases(flagged, isFinal);
  const broken = new Set(
    flagged.cases
      .filter(({ id, isGated }) => isGated && cases.get(id)?.outcome === 'broken')
      .map(({ variant }) => variant),
  );
  const isAnyConfirmed = broken.size > 0;
  const sharing = countSharing(flagged);
  const averages = new Map(
    flagged.averages.map((average): [string, SettledAverage] => {
      if (broken.has(average.variant)) return [average.id, notNeededAverage];
      const outcome = lookAtAverage(average, sharing);
      if (outcome.kind !== 'open' || !isFinal) return [average.id, outcome];
      const ended = endLooks(outcome, average);
      return [average.id, ended.kind === 'unsettled' && isAnyConfirmed ? { ...ended, kind: 'not-needed' } : ended];
    }),
  );
  return { cases, averages };
}

const notNeededAverage: SettledAverage = { kind: 'not-needed', p: null, pairs: 0, cases: 0, wanted: [] };

/** Averages among which the level of averages is divided. */
export function countSharing({ averages, storedAverages, shards }: Omit<Flagged, 'cases'>): number {
  return Math.max(1, averages.length * shards + storedAverages);
}

/** The evidence that confirms a case: the more cases are flagged, the more of it. */
export function thresholdOf(
  { level }: Pick<FlaggedCase, 'level'>,
  { cases, casesOfOtherShards }: Pick<Flagged, 'cases' | 'casesOfOtherShards'>,
): number {
  const flagged = cases.filter(({ rule }) => rule !== 'must-pass').length;
  return Math.max(1, flagged + casesOfOtherShards) / level;
}

function settleCases(flagged: Flagged, isFinal: boolean): ReadonlyMap<string, SettledCase> {
  const whole = thresholdOf({ level: 1 }, flagged);
  const weighed = new Map(
    flagged.cases.map((found): [string, SettledCase] => [found.id, weigh(found, whole / found.level)]),
  );
  const confirmed = flagged.cases.filter(({ id }) => weighed.get(id)?.outcome === 'broken');
  // What only warns decides no case that fails the gate.
  const ofAll = countDeciding(confirmed);
  const ofGated = countDeciding(confirmed.filter(({ isGated }) => isGated));
  for (const found of flagged.cases) {
    const settled = weighed.get(found.id);
    if (settled?.outcome !== 'open') continue;
    const isDecided = isDecidedBy(found, found.isGated ? ofGated : ofAll);
    if (isDecided || (isFinal && ofGated.suites.size > 0)) {
      weighed.set(found.id, { ...settled, outcome: 'not-needed' });
    } else if (isFinal) weighed.set(found.id, { ...settled, outcome: 'unsettled' });
  }
  return weighed;
}

/** The groups of confirmed cases, and their number by suite. */
interface Deciding {
  readonly groups: ReadonlySet<string | undefined>;
  readonly suites: ReadonlyMap<string, number>;
}

function countDeciding(confirmed: readonly FlaggedCase[]): Deciding {
  const suites = new Map<string, number>();
  for (const { suite } of confirmed) suites.set(suite, (suites.get(suite) ?? 0) + 1);
  return { groups: new Set(confirmed.map(({ group }) => group)), suites };
}

/** True where a broken case of its group, or enough of its suite, decide already. */
function isDecidedBy({ suite, group, rule, maxConfirmed }: FlaggedCase, { groups, suites }: Deciding): boolean {
  // A case that drifted does not settle its group: which of its cases breaks must change nothing.
  if (group !== undefined && groups.has(group)) return true;
  return rule !== 'must-pass' && (suites.get(suite) ?? 0) >= maxConfirmed;
}

function weigh(found: FlaggedCase, threshold: number): SettledCase {
  const { askable, rule, fresh } = found;
  if (askable === 'recordings') return standing;
  // Where nothing may be asked any more, the pairs of the run that asked them count.
  const isOver = askable === 'budget' || askable === 'records';
  const asksAccepted = askable === 'both' || (isOver && fresh.accepted.length > 0);
  const weighed =
    rule === 'must-pass'
      ? weighMustPass(fresh, { asksAccepted })
      : weighCase(fresh, { asksAccepted: asksAccepted && rule === 'suspect', threshold });
  const isAskable = askable === 'both' || askable === 'candidate';
  return weighed.outcome === 'open' && !isAskable ? { ...weighed, outcome: 'unsettled' } : weighed;
}

/** A failure that no fresh trial can confirm or clear stands. */
const standing: SettledCase = {
  outcome: 'broken',
  asked: 0,
  failed: 0,
  acceptedAsked: 0,
  acceptedFailed: 0,
  evidence: null,
};

/** The fresh trials of a case. A trial that was skipped was not asked. */
export function freshTrialsOf(found: {
  readonly confirmations: readonly TrialRow[];
  readonly accepted: readonly TrialRow[];
}): FreshTrials {
  const isAsked = ({ status }: TrialRow) => status !== 'skipped';
  return { candidate: found.confirmations.filter(isAsked), accepted: found.accepted.filter(isAsked) };
}

/** Cases that other shards of the run judge, by suite. */
export function countOtherCases({ shard }: Pick<RunSettings, 'shard'>): number {
  return Object.values(shard?.otherCases ?? {}).reduce((sum, count) => sum + count, 0);
}
