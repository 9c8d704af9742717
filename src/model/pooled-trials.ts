import type { Moments } from '../stats/moments.ts';
import type { Usage } from './completion.ts';

/** What all accepted trials of a case showed together, those of the newest run included. */
export interface PooledTrials {
  /** Accepted runs that brought an answer which no earlier one had. */
  readonly runs: number;
  /** Planned trials with a verdict. */
  readonly trials: number;
  readonly failures: number;
  readonly score: Moments;
  /** Of the trials that were timed. */
  readonly latencyMs?: Moments;
  /** Trials that have an answer: a refused request has none. */
  readonly answered: number;
  /** Tokens of an answer on average; absent where an answer reported none. */
  readonly usage?: Usage;
  /** Names of the answers that are no longer among the case's trials, so that none of them counts twice; the latest ones. */
  readonly answers: readonly string[];
}
