import type { Decision } from './gate.ts';

export const exitCodes = {
  passed: 0,
  failed: 1,
  usage: 2,
  provider: 3,
  incomplete: 4,
  bug: 70,
  sigint: 130,
  sigterm: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code of a decision. Precedence: interrupted, failed, provider, incomplete, passed. */
export function exitCodeFor(decision: Decision): ExitCode {
  if (decision.interrupted !== undefined) return exitCodeOfSignal(decision.interrupted);
  switch (decision.outcome) {
    case 'failed':
      return exitCodes.failed;
    case 'incomplete':
      return decision.incompleteBecause === 'errors' || decision.incompleteBecause === 'drift'
        ? exitCodes.provider
        : exitCodes.incomplete;
    case 'inconclusive':
      return exitCodes.incomplete;
    case 'passed':
      return exitCodes.passed;
  }
}

/** Finds the exit code of a command that a signal ended. */
export function exitCodeOfSignal(signal: 'SIGINT' | 'SIGTERM'): ExitCode {
  return signal === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm;
}

/**
 * A CI job's result in place of the run's decision. `neutral`: only stored answers are missing. `drift`: an issue
 * reports it. `unconfirmed`: a second run saw no drift. `blind`: nothing was compared, so no drift could be seen.
 */
export type JobVerdict = 'neutral' | 'drift' | 'unconfirmed' | 'blind';

export function exitCodeOfJob(verdict: JobVerdict): ExitCode {
  return verdict === 'blind' ? exitCodes.incomplete : exitCodes.passed;
}
