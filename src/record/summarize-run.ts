import { defined } from '../json/defined.ts';
import { isReplacedBy } from '../model/comparison/baseline.ts';
import type { ReportTotals } from '../model/report/report.ts';
import { isJudged, suiteVariantKey } from '../model/run/cell.ts';
import type { EndRow, RecordedSuite, RecordedVariant, RunHeader } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, RunSummary, VariantSummary } from '../model/run/summary.ts';
import { quantiles } from '../stats/descriptive.ts';
import { groupBy } from '../text/group-by.ts';
import { SortedCases } from './case-summaries.ts';
import { estimateRates, withoutInterval } from './estimate-rates.ts';

/**
 * Counts a run from its rows, over the cells that its header planned. A cell without a row was not reached. The last row
 * of a cell counts.
 */
export function summarizeRun(header: RunHeader, rows: Iterable<RowSummary>, end: EndRow | undefined): RunSummary {
  const byVariant = groupBy(rows, suiteVariantKey);
  return {
    suites: header.suites.map((recorded) => ({
      recorded,
      variants: recorded.variants.map((variant) => {
        const { prompt, provider } = variant;
        const own = byVariant.get(suiteVariantKey({ suite: recorded.suite, prompt, provider })) ?? [];
        return summarizeVariant(recorded, variant, new SortedCases(own));
      }),
    })),
    ...endSummary(end),
  };
}

function summarizeVariant(
  suite: RecordedSuite,
  recorded: RecordedVariant,
  cases: ReadonlyMap<string, CaseSummary>,
): VariantSummary {
  const { passed, failed, errored, gated, latencies, firstTokens, ...counted } = countRows(cases);
  const [p50, p95] = quantiles(latencies, [0.5, 0.95]);
  const [firstP50, firstP95] = quantiles(firstTokens, [0.5, 0.95]);
  const estimated = estimateRates(cases, suite.gate.alpha);
  // A record that was written by hand or by two runs may hold more rows than its header planned.
  const planned = Math.max(recorded.planned, gated);
  const replacement = suite.variants.find((other) => other.planned > 0 && isReplacedBy(recorded, other));
  return {
    recorded,
    planned,
    passed,
    failed,
    errored,
    skipped: planned - passed - failed - errored,
    observed: recorded.observed,
    ...counted,
    ...(counted.notAsked > 0 ? withoutInterval(estimated) : estimated),
    latencyMs: { p50, p95 },
    ...defined({
      firstTokenMs: firstP50 === null || firstP95 === null ? undefined : { p50: firstP50, p95: firstP95 },
      replacedBy: replacement === undefined ? recorded.baselineOf : nameReplacement(recorded, replacement),
    }),
    cases,
  };
}

/** The name of a replacement: its prompt version or its provider, whichever differs. */
function nameReplacement(recorded: RecordedVariant, { prompt, provider }: RecordedVariant): string {
  return provider === recorded.provider ? prompt : provider;
}

/** The members of a summary about the end of a run. */
export function endSummary(end: EndRow | undefined): Pick<RunSummary, 'stopReason' | 'ended'> {
  return { stopReason: end === undefined ? 'interrupted' : end.stopReason, ended: end !== undefined };
}

/** Summed in the order of cases and trials, so that amounts do not depend on which cell finished first. */
function countRows(cases: ReadonlyMap<string, CaseSummary>) {
  const latencies: number[] = [];
  const firstTokens: number[] = [];
  const counts = {
    gated: 0,
    passed: 0,
    failed: 0,
    errored: 0,
    skippedByCase: 0,
    notAsked: 0,
    confirmations: 0,
    cached: 0,
  };
  const amounts: Record<'costUsd' | 'spentUsd' | 'spentApartUsd' | 'judgeCostUsd', number | null> = {
    costUsd: 0,
    spentUsd: 0,
    spentApartUsd: 0,
    judgeCostUsd: 0,
  };
  for (const { trials, confirmations, accepted } of cases.values()) {
    const retrials = [...confirmations, ...accepted];
    const rows = retrials.length === 0 ? trials : [...trials, ...retrials];
    for (const row of rows) {
      // Confirmations and observed cells are outside the counts, but not outside the bill.
      amounts.spentUsd = addKnown(amounts.spentUsd, row.spentUsd);
      amounts.judgeCostUsd = addKnown(amounts.judgeCostUsd, row.judgeCostUsd);
      if (row.confirmation) counts.confirmations += 1;
      if (row.confirmation || row.observe) {
        amounts.spentApartUsd = addKnown(amounts.spentApartUsd, row.spentUsd);
        continue;
      }
      counts.gated += 1;
      amounts.costUsd = addKnown(amounts.costUsd, row.costUsd);
      if (row.cached) counts.cached += 1;
      if (row.skipReason === 'case') counts.skippedByCase += 1;
      if (row.skipReason === 'decided') counts.notAsked += 1;
      if (row.status !== 'skipped') counts[row.status] += 1;
      if (isJudged(row) && row.latencyMs !== undefined) latencies.push(row.latencyMs);
      if (isJudged(row) && row.firstTokenMs !== undefined) firstTokens.push(row.firstTokenMs);
    }
  }
  return { ...counts, ...amounts, latencies, firstTokens };
}

/** Null as soon as one answered cell has no known price: a partial sum would read as the whole. */
function addKnown(sum: number | null, value: number | null | undefined): number | null {
  return sum === null || value === null ? null : sum + (value ?? 0);
}

/** The numbers of a whole run, wherever they are shown. */
export function totalsOf({ suites }: Pick<RunSummary, 'suites'>): ReportTotals {
  return sumVariants(suites.flatMap(({ variants }) => variants));
}

export function sumVariants(variants: readonly VariantSummary[]): ReportTotals {
  const sum = (pick: (variant: VariantSummary) => number) => variants.reduce((total, v) => total + pick(v), 0);
  const sumUsd = (pick: (variant: VariantSummary) => number | null) =>
    variants.reduce<number | null>((total, variant) => addKnown(total, pick(variant)), 0);
  const judgedCases = sum(({ passRate }) => passRate.n);
  const notAsked = sum((variant) => variant.notAsked);
  return {
    planned: sum(({ planned }) => planned),
    passed: sum(({ passed }) => passed),
    failed: sum(({ failed }) => failed),
    errored: sum(({ errored }) => errored),
    skipped: sum(({ skipped }) => skipped),
    ...defined({ notAsked: notAsked === 0 ? undefined : notAsked }),
    observed: sum(({ observed }) => observed),
    confirmations: sum(({ confirmations }) => confirmations),
    cached: sum(({ cached }) => cached),
    passRate: judgedCases === 0 ? null : sum(({ passRate: { value, n } }) => (value ?? 0) * n) / judgedCases,
    costUsd: sumUsd(({ costUsd }) => costUsd),
    spentUsd: sumUsd(({ spentUsd }) => spentUsd),
    spentApartUsd: sumUsd(({ spentApartUsd }) => spentApartUsd),
    judgeCostUsd: sumUsd(({ judgeCostUsd }) => judgeCostUsd),
  };
}

/** True if the run reached its end and every planned cell has a result or was skipped by its suite. */
export function isComplete({ suites, ended, stopReason }: RunSummary): boolean {
  const isUnreached = ({ skipped, skippedByCase }: VariantSummary) => skipped > skippedByCase;
  return ended && stopReason === undefined && !suites.some(({ variants }) => variants.some(isUnreached));
}

/** A variant of a run by its names; undefined if the run has none. */
export function findVariant(
  { suites }: Pick<RunSummary, 'suites'>,
  { suite, prompt, provider }: Pick<RowSummary, 'suite' | 'prompt' | 'provider'>,
): VariantSummary | undefined {
  const variants = suites.find(({ recorded }) => recorded.suite === suite)?.variants ?? [];
  return variants.find(({ recorded }) => recorded.prompt === prompt && recorded.provider === provider);
}
