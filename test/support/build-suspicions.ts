import type { FlaggedAverage } from '../../src/verdict/confirm/judge-average.ts';
import type { SettledSuspicions } from '../../src/verdict/confirm/settle-suspicions.ts';
import type { AddedCase, ComparedAverage, Suspect, SuspicionInput } from '../../src/verdict/confirm/suspicion-input.ts';
import { buildRetried, shortenVerdict } from './build-retried.ts';

type Outcomes = Readonly<Record<string, string>>;

export interface SuspicionOptions
  extends Partial<
    Pick<
      SuspicionInput,
      'maxRetrials' | 'shards' | 'averages' | 'storedAverages' | 'askedShare' | 'mergedShards' | 'isStopped'
    >
  > {
  /** Outcomes by the case's id, as `f+ff|pp`. */
  readonly suspects?: Outcomes;
  readonly mustPass?: Outcomes;
  readonly added?: Outcomes;
  /** Of each suspect. */
  readonly suspect?: Partial<Suspect>;
  readonly addedCase?: Partial<AddedCase>;
}

/** A run of one suite with room for a hundred retrials. */
export function buildSuspicions(options: SuspicionOptions): SuspicionInput {
  const { suspects = {}, mustPass = {}, added = {}, averages = [], maxRetrials = 100, shards = 1 } = options;
  const retried = (all: Outcomes) => Object.entries(all).map(([id, outcomes]) => buildRetried(outcomes, id));
  const shared = { suite: 'triage', alpha: 0.05, maxConfirmed: 10 };
  return {
    suspects: retried(suspects).map((found) => ({
      ...shared,
      found,
      asksAccepted: true,
      failures: 5,
      averages: averages.map(({ id }) => id),
      isGated: true,
      ...options.suspect,
    })),
    mustPass: retried(mustPass),
    added: retried(added).map((found) => ({ ...shared, found, ...options.addedCase })),
    averages,
    storedAverages: options.storedAverages ?? 0,
    askedShare: options.askedShare ?? 1,
    maxRetrials,
    shards,
    mergedShards: options.mergedShards,
    isStopped: options.isStopped ?? false,
    comparedCases: new Set(averages.flatMap(({ cases }) => cases.map(({ id }) => id))).size,
  };
}

/** An average over cases of these outcomes, flagged by default; its looks give one p, whatever they see. */
export function buildAverage(
  count: number,
  options: Partial<ComparedAverage> & { readonly outcomes?: string; readonly look?: number | null } = {},
): ComparedAverage {
  const { id = 'pass rate', outcomes = 'p', look = 0.05, ...rest } = options;
  const cases = Array.from({ length: count }, (_, index) => buildRetried(outcomes, `${id}-${index}`));
  const test: FlaggedAverage['test'] = () => look;
  return { id, cases, test, alpha: 0.05, p: 0.01, ...rest };
}

/** The verdicts in short, by id; of averages their kind alone. */
export function shortenSettled({ cases, averages }: SettledSuspicions): Readonly<Record<string, string>> {
  return Object.fromEntries([
    ...[...cases].map(([id, verdict]) => [id, shortenVerdict(verdict)]),
    ...[...averages].map(([id, { kind }]) => [id, kind]),
  ]);
}
