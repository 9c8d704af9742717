import type { CaseStatus } from '../model/cell.ts';
import type { EndRow, RecordedSuite, RecordedVariant, RunHeader } from '../model/record.ts';
import type { CaseSummary, RowSummary, RunSummary, VariantSummary } from '../model/summary.ts';
import { quantiles } from '../stats/quantiles.ts';
import { scoreMeanInterval } from '../stats/score-interval.ts';
import { wilsonInterval } from '../stats/wilson.ts';

/**
 * Counts a run from its rows, over the cells that its header planned: a cell without a row was not reached, and of one
 * that ran again the last row counts.
 */
export function summarizeRun(header: RunHeader, rows: Iterable<RowSummary>, end: EndRow | undefined): RunSummary {
  const byVariant = groupByVariant(rows);
  return {
    suites: header.suites.map((recorded) => ({
      recorded,
      variants: recorded.variants.map((variant) =>
        summarizeVariant(
          recorded,
          variant,
          byVariant.get(variantKey(recorded.suite, variant.prompt, variant.provider)) ?? [],
        ),
      ),
    })),
    stopReason: end === undefined ? 'interrupted' : end.stopReason,
    ended: end !== undefined,
  };
}

/** Rows of a variant mostly follow each other, so that a key is made for few of them. */
function groupByVariant(rows: Iterable<RowSummary>): ReadonlyMap<string, readonly RowSummary[]> {
  const byVariant = new Map<string, RowSummary[]>();
  let last: RowSummary | undefined;
  let group: RowSummary[] = [];
  for (const row of rows) {
    if (row.suite !== last?.suite || row.prompt !== last.prompt || row.provider !== last.provider) {
      const key = variantKey(row.suite, row.prompt, row.provider);
      group = byVariant.get(key) ?? [];
      byVariant.set(key, group);
      last = row;
    }
    group.push(row);
  }
  return byVariant;
}

/** Passed (all trials), failed (none), flaky (mixed). A failure is certain whatever an errored or skipped trial would have said, a pass is not. */
export function caseStatusOf(trials: readonly Pick<RowSummary, 'status'>[]): CaseStatus {
  // Most cases have one trial, and there are a hundred thousand of them.
  const [only] = trials;
  if (only !== undefined && trials.length === 1) return only.status;
  const statuses = new Set(trials.map(({ status }) => status));
  if (statuses.has('passed') && statuses.has('failed')) return 'flaky';
  if (statuses.has('failed')) return 'failed';
  if (statuses.has('errored')) return 'errored';
  if (statuses.has('skipped') || trials.length === 0) return 'skipped';
  return 'passed';
}

function summarizeVariant(
  suite: RecordedSuite,
  recorded: RecordedVariant,
  rows: readonly RowSummary[],
): VariantSummary {
  const cases = groupByCase(rows);
  const { passed, failed, errored, gated, latencies, ...counted } = countRows(cases.values());
  const [p50, p95] = quantiles(latencies, [0.5, 0.95]);
  // A record that was written by hand or by two runs may hold more rows than its header planned.
  const planned = Math.max(recorded.planned, gated);
  const replacement = suite.variants.find(
    (other) => other.replaces === recorded.prompt && other.provider === recorded.provider && other.planned > 0,
  );
  return {
    recorded,
    planned,
    passed,
    failed,
    errored,
    skipped: planned - passed - failed - errored,
    observed: recorded.observed,
    ...counted,
    ...estimate(cases.values(), suite.gate.alpha),
    latencyMs: { p50, p95 },
    ...(recorded.baselineOf === undefined ? {} : { replacedBy: recorded.baselineOf }),
    ...(replacement === undefined ? {} : { replacedBy: replacement.prompt }),
    cases,
  };
}

/** In the order of the cases, so that sums come out alike whichever cell finished first. */
function countRows(cases: Iterable<CaseSummary>) {
  const latencies: number[] = [];
  let [gated, passed, failed, errored, skippedByCase, cached] = [0, 0, 0, 0, 0, 0];
  let [costUsd, spentUsd, judgeCostUsd]: [number | null, number | null, number | null] = [0, 0, 0];
  const count = (row: RowSummary) => {
    // Confirmations and observed cells are outside the counts, but not outside the bill.
    spentUsd = addKnown(spentUsd, row.spentUsd);
    judgeCostUsd = addKnown(judgeCostUsd, row.judgeCostUsd);
    if (row.observe || row.confirmation) return;
    gated += 1;
    costUsd = addKnown(costUsd, row.costUsd);
    if (row.cached) cached += 1;
    if (row.skipReason === 'case') skippedByCase += 1;
    if (row.status === 'errored') errored += 1;
    if (row.status !== 'passed' && row.status !== 'failed') return;
    if (row.status === 'passed') passed += 1;
    else failed += 1;
    // A conversation that broke off has the latency of its beginning, which is a sample of nothing.
    if (row.latencyMs !== undefined) latencies.push(row.latencyMs);
  };
  for (const { trials, confirmations } of cases) {
    for (const row of trials) count(row);
    for (const row of confirmations) count(row);
  }
  return { gated, passed, failed, errored, skippedByCase, cached, latencies, costUsd, spentUsd, judgeCostUsd };
}

/** Null as soon as one answered cell has no known price: a partial sum would read as the whole. */
function addKnown(sum: number | null, value: number | null | undefined): number | null {
  return sum === null || value === null ? null : sum + (value ?? 0);
}

function groupByCase(rows: readonly RowSummary[]): ReadonlyMap<string, CaseSummary> {
  const cases = new Map<string, CaseSummary>();
  // Sorted in one array: a map of groups beside that of the cases would double what a large record needs.
  const sorted = rows.toSorted((a, b) => (a.caseId < b.caseId ? -1 : a.caseId === b.caseId ? a.trial - b.trial : 1));
  for (let start = 0; start < sorted.length; ) {
    const caseId = sorted[start]?.caseId ?? '';
    let end = start + 1;
    while (sorted[end]?.caseId === caseId) end += 1;
    cases.set(caseId, summarizeCase(caseId, lastOfEach(sorted.slice(start, end))));
    start = end;
  }
  return cases;
}

/** The last row of each trial; they are sorted by trial. */
function lastOfEach(rows: RowSummary[]): readonly RowSummary[] {
  const isRepeated = rows.some(({ trial }, index) => index > 0 && rows[index - 1]?.trial === trial);
  return isRepeated ? rows.filter(({ trial }, index) => rows[index + 1]?.trial !== trial) : rows;
}

/** Of the rows of one case, by trial. */
function summarizeCase(caseId: string, group: readonly RowSummary[]): CaseSummary {
  const trials = group.some(({ confirmation }) => confirmation) ? group.filter((row) => !row.confirmation) : group;
  const [first] = group;
  return {
    caseId,
    status: caseStatusOf(trials),
    observe: first?.observe ?? false,
    mustPass: first?.mustPass ?? false,
    stamp: first?.stamp ?? '',
    trials,
    confirmations: trials === group ? none : group.filter(({ confirmation }) => confirmation),
  };
}

const none: readonly RowSummary[] = [];

/** The case is the unit of evidence: its valid trials are averaged first, and cases weigh alike. */
function estimate(cases: Iterable<CaseSummary>, alpha: number): Pick<VariantSummary, 'passRate' | 'score'> {
  const passMeans: number[] = [];
  const scoreMeans: number[] = [];
  let isSingleTrial = true;
  for (const { trials, observe } of cases) {
    if (observe) continue;
    let [valid, passed, score] = [0, 0, 0];
    for (const trial of trials) {
      if (trial.status !== 'passed' && trial.status !== 'failed') continue;
      valid += 1;
      if (trial.status === 'passed') passed += 1;
      score += trial.score ?? 0;
    }
    if (valid === 0) continue;
    if (valid > 1) isSingleTrial = false;
    passMeans.push(passed / valid);
    scoreMeans.push(score / valid);
  }
  const n = passMeans.length;
  if (n === 0) {
    return { passRate: { value: null, low: null, high: null, n }, score: { mean: null, low: null, high: null } };
  }
  const total = passMeans.reduce((sum, mean) => sum + mean, 0);
  const interval = isSingleTrial ? wilsonInterval(Math.round(total), n, alpha) : scoreMeanInterval(passMeans, alpha);
  const scoreInterval = scoreMeanInterval(scoreMeans, alpha);
  return {
    passRate: { value: total / n, low: interval.low, high: interval.high, n },
    score: {
      mean: scoreMeans.reduce((sum, mean) => sum + mean, 0) / n,
      low: scoreInterval.low,
      high: scoreInterval.high,
    },
  };
}

function variantKey(suite: string, prompt: string, provider: string): string {
  return `${suite}\u0000${prompt}\u0000${provider}`;
}
