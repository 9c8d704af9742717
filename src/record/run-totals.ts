import type { ReportTotals } from '../model/report.ts';
import type { RunSummary, VariantSummary } from '../model/summary.ts';

/**
 * The numbers of a whole run. Every list, report and output shows these, so that the same figure has the same value
 * wherever it stands.
 */
export function totalsOf({ suites }: Pick<RunSummary, 'suites'>): ReportTotals {
  return sumVariants(suites.flatMap(({ variants }) => variants));
}

/** The same of some variants. */
export function sumVariants(variants: readonly VariantSummary[]): ReportTotals {
  const sum = (pick: (variant: VariantSummary) => number) => variants.reduce((total, v) => total + pick(v), 0);
  const judgedCases = sum(({ passRate }) => passRate.n);
  return {
    planned: sum(({ planned }) => planned),
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    errored: sum(({ errored }) => errored),
    skipped: sum(({ skipped }) => skipped),
    observed: sum(({ observed }) => observed),
    confirmations: sum(({ confirmations }) => confirmations),
    cached: sum(({ cached }) => cached),
    passRate: judgedCases === 0 ? null : sum(({ passRate: { value, n } }) => (value ?? 0) * n) / judgedCases,
    costUsd: sumKnown(variants, ({ costUsd }) => costUsd),
    spentUsd: sumKnown(variants, ({ spentUsd }) => spentUsd),
    spentApartUsd: sumKnown(variants, ({ spentApartUsd }) => spentApartUsd),
    judgeCostUsd: sumKnown(variants, ({ judgeCostUsd }) => judgeCostUsd),
  };
}

/** True where the run reached its end and every planned cell has a result, or was left out by its suite. */
export function isComplete({ suites, ended, stopReason }: RunSummary): boolean {
  const isUnreached = ({ skipped, skippedByCase }: VariantSummary) => skipped > skippedByCase;
  return ended && stopReason === undefined && !suites.some(({ variants }) => variants.some(isUnreached));
}

/** Null as soon as one part is not known: a partial sum would read as the whole. */
function sumKnown(variants: readonly VariantSummary[], pick: (variant: VariantSummary) => number | null) {
  return variants.reduce<number | null>((total, variant) => {
    const value = pick(variant);
    return total === null || value === null ? null : total + value;
  }, 0);
}
