import { defined } from '../json/defined.ts';
import { isOpenBreach } from '../model/comparison/breach.ts';
import type {
  ComparedVariant,
  MetricComparison,
  MetricEvidence,
  SwapCandidate,
  SwapReport,
  SwapRow,
  SwapVerdict,
} from '../model/comparison/comparison.ts';
import type { Breach, Decision } from '../model/comparison/gate.ts';
import type { ProviderSwap, RunSettings } from '../model/run/record.ts';
import type { RunSummary, SuiteSummary, VariantSummary } from '../model/run/summary.ts';
import { defaultGate } from '../model/suite/gate-policy.ts';
import { describeRateChange } from '../reports/comparison.ts';
import { adjustHolm } from '../stats/multiplicity.ts';
import { formatCount, formatPercent } from '../text/format-amount.ts';
import { collectEvidence } from '../verdict/collect-evidence.ts';
import { compareRates } from '../verdict/compare-rates.ts';
import { compareCosts, compareLatencies } from '../verdict/compare-variants.ts';
import { defaultMaxDrop } from '../verdict/default-margins.ts';
import type { JudgedComparison, JudgedRun } from '../verdict/gate/judge-comparisons.ts';
import { describeConclusion, isHolding } from './conclude-swap.ts';

interface JudgedSwap {
  readonly summary: RunSummary;
  readonly settings: RunSettings;
  readonly judged: JudgedRun;
  readonly decision: Decision;
}

/** What a run says of each candidate for a swap. The gate decides who is worse; here is who is better, and who is cheapest. */
export function judgeSwaps(run: JudgedSwap): readonly SwapReport[] {
  const { swap = [] } = run.settings;
  const better = findBetter(run);
  return swap.map((one) => judgeSwap(one, run, better));
}

function judgeSwap(
  { provider, candidates: ids }: ProviderSwap,
  run: JudgedSwap,
  better: ReadonlySet<VariantSummary>,
): SwapReport {
  const found = ids.map((id) => collectRows(id, provider, run, better));
  const candidates = found.map((one) => summarizeCandidate(one));
  const holding = candidates.filter(isHolding);
  const costs = holding.flatMap(({ cellCostUsd }) => cellCostUsd ?? []);
  const least = Math.min(...costs);
  const isCheapest = ({ cellCostUsd }: SwapCandidate) =>
    cellCostUsd !== null && cellCostUsd <= least * (1 + floatTolerance);
  const cheapest = holding.filter(isCheapest).map(({ candidate }) => candidate);
  const rows = found.flatMap((one) => one.rows);
  return {
    provider,
    rows,
    candidates,
    cheapest,
    conclusion: describeConclusion({ provider, rows, candidates, cheapest }),
  };
}

const floatTolerance = 1e-9;

interface CandidateRows {
  readonly candidate: string;
  readonly model: string;
  readonly rows: readonly SwapRow[];
  readonly variants: readonly VariantSummary[];
  readonly compared: readonly ComparedVariant[];
  /** The alpha of the intervals over all suites. */
  readonly alpha: number;
}

/** A row for each variant that the provider has, also where the candidate has no answer to it. */
function collectRows(
  candidate: string,
  provider: string,
  run: JudgedSwap,
  better: ReadonlySet<VariantSummary>,
): CandidateRows {
  const rows: SwapRow[] = [];
  const variants: VariantSummary[] = [];
  const compared: ComparedVariant[] = [];
  const alphas: number[] = [];
  let model = '';
  for (const suite of run.summary.suites) {
    for (const { recorded, planned } of suite.variants) {
      if (recorded.provider !== provider || planned === 0) continue;
      const own = suite.variants.find(
        (other) => other.recorded.provider === candidate && other.recorded.prompt === recorded.prompt,
      );
      const comparison = run.judged.comparisons.find(({ variant }) => variant === own);
      rows.push(judgeRow({ suite, candidate, prompt: recorded.prompt, own, comparison }, run, better));
      if (own === undefined) continue;
      variants.push(own);
      model = `${own.recorded.adapter}:${own.recorded.model}`;
      alphas.push(suite.recorded.gate.alpha);
      if (comparison !== undefined) compared.push(comparison.compared);
    }
  }
  // The strictest gate's, so that the totals do not depend on the order of suites.
  const alpha = alphas.length === 0 ? defaultGate.alpha : Math.min(...alphas);
  return { candidate, model, rows, variants, compared, alpha };
}

interface RowInput {
  readonly suite: SuiteSummary;
  readonly candidate: string;
  readonly prompt: string;
  readonly own: VariantSummary | undefined;
  readonly comparison: JudgedComparison | undefined;
}

function judgeRow(input: RowInput, run: JudgedSwap, better: ReadonlySet<VariantSummary>): SwapRow {
  const { suite, candidate, prompt, own, comparison } = input;
  const breaches = run.decision.breaches.filter(
    (breach) =>
      breach.suite === suite.recorded.suite &&
      (breach.prompt ?? prompt) === prompt &&
      (breach.provider ?? candidate) === candidate,
  );
  const failures = breaches.filter((breach) => !isOpenBreach(breach));
  const missing = findMissing(own, comparison, run.settings);
  const open = findOpen(input, breaches, run);
  const verdict = verdictOf({ failures, missing, open, isBetter: own !== undefined && better.has(own) });
  const certainty = comparison?.certainty;
  return {
    candidate,
    suite: suite.recorded.suite,
    prompt,
    verdict,
    reasons: [failures.map(({ message }) => message), missing, open].find((texts) => texts.length > 0) ?? [],
    cases: comparison?.compared.passRate.n ?? 0,
    broken: [...new Set(failures.flatMap(({ caseId }) => caseId ?? []))],
    passRate: toComparison(comparison?.compared.passRate),
    ...defined({
      unseen: isHolding({ verdict }) && certainty?.kind === 'unseen' ? (certainty.drop ?? null) : undefined,
    }),
    costUsd: toComparison(comparison?.compared.costUsd),
    latencyMs: toComparison(comparison?.compared.latencyMs),
  };
}

interface RowFindings {
  readonly failures: readonly Breach[];
  readonly missing: readonly string[];
  readonly open: readonly string[];
  readonly isBetter: boolean;
}

function verdictOf({ failures, missing, open, isBetter }: RowFindings): SwapVerdict {
  if (failures.length > 0) return 'worse';
  if (missing.length > 0) return 'partial';
  if (open.length > 0) return 'undecided';
  return isBetter ? 'better' : 'holds';
}

/** What was not compared: a candidate holds only where it was asked everything that the provider was. */
function findMissing(
  own: VariantSummary | undefined,
  comparison: JudgedComparison | undefined,
  { maxErrors }: RunSettings,
): readonly string[] {
  if (own === undefined || own.planned === 0) return ['it was not asked here'];
  const { planned, errored, skipped, skippedByCase } = own;
  const allowed = 'count' in maxErrors ? maxErrors.count : maxErrors.fraction * planned;
  const unreached = skipped - skippedByCase;
  const cells = [
    ...(errored > allowed + floatTolerance ? [`${errored} of ${formatCount(planned, 'cell')} errored`] : []),
    ...(unreached > 0 ? [`${unreached} of ${formatCount(planned, 'cell')} have no result`] : []),
  ];
  if (cells.length > 0) return cells;
  const compared = comparison?.compared.passRate.n ?? 0;
  if (compared === 0) return ['no case was compared'];
  const asked = [...own.cases.values()].filter(
    ({ observe, trials }) => !observe && trials.some(({ status }) => status === 'passed' || status === 'failed'),
  ).length;
  return compared < asked
    ? [`${asked - compared} of ${formatCount(asked, 'case')} have no answer of the provider`]
    : [];
}

/** What keeps a candidate undecided that nothing has failed: none of the breaches is a failure. */
function findOpen(
  { suite, comparison }: RowInput,
  breaches: readonly Breach[],
  { settings, judged }: JudgedSwap,
): readonly string[] {
  const breachMessages = breaches.map(({ message }) => message);
  if (comparison === undefined) return breachMessages;
  const { isInconclusive, unsettled, certainty, report } = comparison;
  if (unsettled.length > 0) return [...breachMessages, ...unsettled.map(({ message }) => message)];
  const change = describeRateChange(report.passRate) ?? 'unknown';
  if (isInconclusive) return [...breachMessages, `neither confirmed nor cleared: pass rate ${change}`];
  if (isBelowMargin(suite, comparison) && !isCleared(comparison, judged)) {
    return [
      ...breachMessages,
      `below by more than is tolerated, which these cases can't tell from chance: pass rate ${change}`,
    ];
  }
  const isAsked = settings.requireConclusive || suite.recorded.gate.certify;
  if (!isAsked || certainty.kind !== 'unseen') return breachMessages;
  const { drop = null } = certainty;
  const size = drop === null ? 'of any size' : `of up to ${formatPercent(drop)}`;
  return [...breachMessages, `a drop ${size} is not excluded`];
}

/** The gate blames a change only for what is shown. A candidate must show itself that it is no worse. */
function isBelowMargin({ recorded: { gate } }: SuiteSummary, { compared }: JudgedComparison): boolean {
  const { passRate, judgedMargin } = compared;
  const margin = judgedMargin?.margin ?? gate.passRate.maxDrop ?? defaultMaxDrop;
  return passRate.delta !== null && passRate.delta < -margin - floatTolerance;
}

/** True where fresh trials of both sides showed no drop of the pass rate. */
function isCleared({ variant }: JudgedComparison, { suspicions, settled }: JudgedRun): boolean {
  return (suspicions.claims.get(variant) ?? []).some(
    ({ id, hypothesis: { metric, slice } }) =>
      metric === 'passRate' && slice === undefined && settled.averages.get(id)?.kind === 'cleared',
  );
}

/**
 * Variants that pass more cases than chance explains: Holm over all candidates and suites. The gate tests for a drop at
 * α/2. At α/4 a false "better" is rarer than its false alarms.
 */
function findBetter({ summary, judged: { comparisons } }: JudgedSwap): ReadonlySet<VariantSummary> {
  const alphas = new Map(
    summary.suites.flatMap(({ recorded, variants }) => variants.map((variant) => [variant, recorded.gate.alpha])),
  );
  const adjusted = adjustHolm(comparisons.map(({ compared }) => pOfBetter(compared)));
  const isBetter = ({ variant }: JudgedComparison, index: number) =>
    (adjusted[index] ?? 1) <= betterShare * (alphas.get(variant) ?? 0);
  return new Set(comparisons.filter(isBetter).map(({ variant }) => variant));
}

const betterShare = 1 / 4;

/** The test of a drop, with the sides exchanged; 1 where nothing was compared. */
function pOfBetter({ baseline, candidate, cases }: ComparedVariant): number {
  const { results, errors } = collectEvidence(cases, { baseline, candidate, latencyComparable: false });
  const exchanged = {
    ...results,
    baseline: results.candidate,
    candidate: results.baseline,
    baselineErrors: errors.candidateErrors,
    candidateErrors: errors.baselineErrors,
  };
  const policy = { alpha: defaultGate.alpha, margin: defaultMaxDrop, scope: 'population', binary: true } as const;
  return compareRates(exchanged, policy).evidence.p ?? 1;
}

const worstFirst: readonly SwapVerdict[] = ['worse', 'partial', 'undecided', 'holds', 'better'];

function summarizeCandidate({ candidate, model, rows, variants, compared, alpha }: CandidateRows): SwapCandidate {
  const verdicts = new Set(rows.map(({ verdict }) => verdict));
  const verdict = worstFirst.find((one) => verdicts.has(one)) ?? 'partial';
  const all = compared.map((one) =>
    collectEvidence(one.cases, {
      baseline: one.baseline,
      candidate: one.candidate,
      latencyComparable: one.latencyComparable,
    }),
  );
  const costs = all.map((one) => one.costs);
  const latencies = all.map((one) => one.latencies);
  const isTimed = compared.every(({ latencyComparable }) => latencyComparable);
  return {
    candidate,
    model,
    verdict,
    cellCostUsd: findCellCost(variants),
    costUsd: toComparison(
      compareCosts(
        {
          before: costs.flatMap(({ before }) => before),
          after: costs.flatMap(({ after }) => after),
          isUnknown: costs.some(({ isUnknown }) => isUnknown),
        },
        { alpha, cost: {} },
      ),
    ),
    latencyMs: toComparison(
      compareLatencies(
        {
          before: Float64Array.from(latencies.flatMap(({ before }) => [...before])).sort(),
          after: Float64Array.from(latencies.flatMap(({ after }) => [...after])).sort(),
          cases: latencies.reduce((sum, { cases }) => sum + cases, 0),
          logs: latencies.flatMap(({ logs }) => logs),
        },
        alpha,
        isTimed,
      ),
    ),
  };
}

/** Errors have no answer to pay for, so the price of an answer is compared, not that of the run. */
function findCellCost(variants: readonly VariantSummary[]): number | null {
  let [usd, cells] = [0, 0];
  for (const { costUsd, passed, failed } of variants) {
    if (costUsd === null) return null;
    usd += costUsd;
    cells += passed + failed;
  }
  return cells === 0 ? null : usd / cells;
}

function toComparison(evidence: MetricEvidence | undefined): MetricComparison {
  if (evidence === undefined) return { baseline: null, candidate: null, delta: null, low: null, high: null, p: null };
  const { baseline, candidate, delta, low, high, p } = evidence;
  return { baseline, candidate, delta, low, high, p };
}
