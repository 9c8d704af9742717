import type { RetriedCase, RetriedVerdict } from '../../src/verdict/confirm/judge-case.ts';
import { buildCaseSummary } from './build-side.ts';

/** `ff+fp|pp`: the planned trials by letter, behind the plus the candidate's retrials, behind the bar the accepted prompt's. */
export function buildRetried(outcomes: string, id = 'a'): RetriedCase {
  const { trials, confirmations, accepted } = buildCaseSummary(id, outcomes);
  return { id, caseId: id, planned: trials, candidate: confirmations, accepted };
}

/** `broken`, `broken 1/5` with the accepted prompt's failures, `drifted 4/5`, `ask candidate 2`. */
export function shortenVerdict(verdict: RetriedVerdict | undefined): string {
  switch (verdict?.kind) {
    case 'open':
      return `ask ${verdict.wanted.side} ${verdict.wanted.count}`;
    case 'broken':
    case 'drifted':
      return verdict.acceptedTrials === 0
        ? verdict.kind
        : `${verdict.kind} ${verdict.acceptedFailures}/${verdict.acceptedTrials}`;
    case undefined:
      return 'nothing';
    case 'flaky':
    case 'errored':
    case 'not-needed':
      return verdict.kind;
  }
}
