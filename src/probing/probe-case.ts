import type { Cell } from '../model/run/cell.ts';
import type { RenderedVariant } from '../model/run/plan.ts';
import type { Prober, ProbeTrial } from './open-prober.ts';

/** Trials of one made prompt so far. */
export interface ProbeCount {
  readonly passed: number;
  readonly failed: number;
}

/** The answer for a case on a made prompt. */
export type ProbeAnswer = ProbeCount &
  (
    | { readonly is: 'fails' | 'passes' }
    /** The prompt can't be asked, or its trials do not decide. */
    | { readonly is: 'unresolved'; readonly why: string }
    /** The search can't go on. */
    | { readonly is: 'stopped'; readonly why: StopCause }
  );

export interface StopCause {
  readonly cause: 'budget' | 'provider' | 'interrupted' | 'limit';
  readonly message: string;
}

/**
 * The lead of one outcome that decides whether a made prompt passes a case. Suppose the case fails one time in five
 * with the better prompt, and passes one time in five with the worse one. Then the answer is wrong with probability 1 /
 * (1 + 4^lead).
 */
export function leadFor(probes: number, error: number): number {
  let lead = 3;
  while (probes / (1 + 4 ** lead) > error) lead += 1;
  return lead;
}

/** After this many undecided trials, the case is too flaky for an answer. */
export function mostTrials(lead: number): number {
  return 5 * lead;
}

export interface ProbeOptions {
  readonly lead: number;
  /** Trials left to the search. */
  readonly left: number;
}

/**
 * Asks a case with a made prompt until one outcome leads. Each round makes only the trials that the nearest decision
 * needs.
 */
export async function probeCase(
  prober: Pick<Prober, 'ask'>,
  { cell, made }: { readonly cell: Cell; readonly made: RenderedVariant },
  { lead, left }: ProbeOptions,
): Promise<ProbeAnswer> {
  let [passed, failed, errored, next] = [0, 0, 0, 0];
  let last: ProbeTrial | undefined;
  for (;;) {
    const ahead = Math.abs(passed - failed);
    if (ahead >= lead) return { is: failed > passed ? 'fails' : 'passes', passed, failed };
    if (passed + failed >= mostTrials(lead)) {
      return { is: 'unresolved', why: `it fails ${failed} of ${passed + failed} trials`, passed, failed };
    }
    const round = lead - ahead;
    if (next + round > left) {
      return { is: 'stopped', why: { cause: 'limit', message: 'the search has made its most trials' }, passed, failed };
    }
    const first = next;
    const trials = await Promise.all(Array.from({ length: round }, (_, at) => prober.ask(cell, made, first + at)));
    next += round;
    for (const trial of trials) {
      if (trial.is === 'passed') passed += 1;
      else if (trial.is === 'failed') failed += 1;
      else {
        errored += 1;
        last = trial;
      }
    }
    const stopped = trials.find((trial) => trial.is === 'stopped');
    if (stopped !== undefined || errored > maxErrored) return { ...describeEnd(stopped ?? last), passed, failed };
  }
}

/** Most trials that may end without an answer. Calls are retried before a trial ends so. */
const maxErrored = 1;

function describeEnd(trial: ProbeTrial | undefined) {
  const failure = trial?.is === 'errored' ? trial.failure : undefined;
  // The API refuses this prompt, but accepted the prompts of both sides.
  if (failure?.kind === 'badRequest') return { is: 'unresolved', why: failure.message } as const;
  return { is: 'stopped', why: (trial && stopCauseOf(trial)) ?? noAnswer } as const;
}

const noAnswer: StopCause = { cause: 'provider', message: 'no answer came' };

/** Why the search must stop after a trial; undefined if the trial was judged. */
export function stopCauseOf(trial: ProbeTrial): StopCause | undefined {
  switch (trial.is) {
    case 'passed':
    case 'failed':
      return undefined;
    case 'errored':
      return { cause: 'provider', message: trial.failure.message };
    case 'stopped':
      if (trial.reason === 'budget') return { cause: 'budget', message: '--max-cost is used up' };
      return { cause: 'interrupted', message: `the search was stopped (${trial.reason})` };
  }
}
