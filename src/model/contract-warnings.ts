import type { PromptFindings } from './finding.ts';

const maxNamed = 20;

/** What a run warns of for one prompt's contract: what is doubtful, and what stored answers say. */
export function describeContractWarnings({
  suite,
  prompt,
  findings,
  observed = [],
}: PromptFindings): readonly string[] {
  const place = `${suite}: contract of ${prompt}`;
  const doubtful = findings.filter(({ severity, approved }) => severity === 'warn' && approved !== true);
  const named = doubtful
    .slice(0, maxNamed)
    .map(({ ruleId, path, message }) => `${place}, ${ruleId} at ${path}: ${message}`);
  const more = doubtful.length - named.length;
  return [
    ...named,
    ...(more > 0 ? [`${place}: and ${more} more warnings`] : []),
    ...observed
      .filter(({ rejected, unjudged = 0 }) => rejected > 0 || unjudged > 0)
      .map(({ message }) => `${place}: ${message}`),
  ];
}
