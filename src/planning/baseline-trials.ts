import { countVerdicts } from '../compare/pair-cases.ts';
import type { Baseline } from '../model/baseline.ts';
import type { TrialPool } from './pool-trials.ts';

/** The trials of each case in the accepted baseline, over the cases that are unchanged; those of all accepted runs where they were pooled. */
export function countBaselineTrials(
  baseline: Baseline | undefined,
  { prompt, provider, replaces, cases }: TrialPool,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const ofProvider = baseline?.variants.filter((variant) => variant.provider === provider) ?? [];
  const source = [prompt, replaces].find((id) => ofProvider.some((variant) => variant.prompt === id));
  if (baseline === undefined || source === undefined) return counts;
  const accepted = baseline.casesOf({ prompt: source, provider });
  for (const { caseId, stamp } of cases) {
    const found = accepted.get(caseId);
    if (found?.stamp !== stamp) continue;
    const { trials } = countVerdicts(found);
    if (trials > 0) counts.set(caseId, trials);
  }
  return counts;
}
