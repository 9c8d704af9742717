import type { ObservedAnswers } from '../model/finding.ts';
import { toSafeLine } from '../text/sanitize.ts';

/** The first stored answers that a schema refused, a line each, and how many more there are. */
export function describeRejected({ rejected, offenders }: ObservedAnswers): readonly string[] {
  const more = rejected - offenders.length;
  return [
    ...offenders.map(({ caseId, reason }) => toSafeLine(`${caseId}: ${reason}`)),
    ...(more > 0 ? [`… and ${more} more`] : []),
  ];
}
