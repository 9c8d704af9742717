import type { EndRow, RecordedSuite, RecordedVariant, RunHeader } from '../model/record.ts';
import type { RowSummary, RunSummary, VariantSummary } from '../model/summary.ts';
import { quantiles } from '../stats/quantiles.ts';
import { scoreMeanInterval } from '../stats/score-interval.ts';
import { wilsonInterval } from '../stats/wilson.ts';
import { CaseTable, rankCases } from './case-table.ts';
import { RowTable } from './row-table.ts';

/**
 * Counts a run from its rows, over the cells that its header planned: a cell without a row was not reached, and of one
 * that ran again the last row counts.
 */
export function summarizeRun(
  header: RunHeader,
  rows: RowTable | Iterable<RowSummary>,
  end: EndRow | undefined,
): RunSummary {
  const table = rows instanceof RowTable ? rows : tableOf(rows);
  const ranks = rankCases(table);
  return {
    suites: header.suites.map((recorded) => ({
      recorded,
      variants: recorded.variants.map((variant) => {
        const { prompt, provider } = variant;
        const selected = table.rowsOf({ suite: recorded.suite, prompt, provider });
        return summarizeVariant(recorded, variant, { table, cases: new CaseTable(table, selected, ranks) });
      }),
    })),
    ...endSummary(end),
  };
}

function tableOf(rows: Iterable<RowSummary>): RowTable {
  const table = new RowTable();
  for (const row of rows) table.addSummary(row);
  return table;
}

function summarizeVariant(
  suite: RecordedSuite,
  recorded: RecordedVariant,
  { table, cases }: { readonly table: RowTable; readonly cases: CaseTable },
): VariantSummary {
  const { passed, failed, errored, gated, latencies, ...counted } = countRows(table, cases, suite.gate.alpha);
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
    latencyMs: { p50, p95 },
    ...(recorded.baselineOf === undefined ? {} : { replacedBy: recorded.baselineOf }),
    ...(replacement === undefined ? {} : { replacedBy: replacement.prompt }),
    cases,
  };
}

/** What a summary says of how a run ended. */
export function endSummary(end: EndRow | undefined): Pick<RunSummary, 'stopReason' | 'ended'> {
  return { stopReason: end === undefined ? 'interrupted' : end.stopReason, ended: end !== undefined };
}

/** In the order of the cases, so that sums come out alike whichever cell finished first. */
function countRows(table: RowTable, cases: CaseTable, alpha: number) {
  const latencies = new Float64Array(cases.rowCount);
  const means = createMeans(table, cases.size);
  let [gated, passed, failed, errored, skippedByCase, confirmations, cached, timed] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [costUsd, spentUsd, spentApartUsd, judgeCostUsd]: Amounts = [0, 0, 0, 0];
  const count = (row: number) => {
    // Confirmations and observed cells are outside the counts, but not outside the bill.
    spentUsd = addKnown(spentUsd, table.spentUsdAt(row));
    judgeCostUsd = addKnown(judgeCostUsd, table.judgeCostUsdAt(row));
    const isConfirmation = table.isConfirmation(row);
    if (isConfirmation) confirmations += 1;
    if (isConfirmation || table.isObserved(row)) {
      spentApartUsd = addKnown(spentApartUsd, table.spentUsdAt(row));
      return;
    }
    gated += 1;
    costUsd = addKnown(costUsd, table.costUsdAt(row));
    if (table.isCached(row)) cached += 1;
    if (table.skipReasonAt(row) === 'case') skippedByCase += 1;
    const status = table.statusAt(row);
    if (status === 'errored') errored += 1;
    if (status !== 'passed' && status !== 'failed') return;
    if (status === 'passed') passed += 1;
    else failed += 1;
    // A conversation that broke off has the latency of its beginning, which is a sample of nothing.
    const latencyMs = table.latencyMsAt(row);
    if (latencyMs === undefined) return;
    latencies[timed] = latencyMs;
    timed += 1;
  };
  cases.visitRows((order, start, end) => {
    for (let index = start; index < end; index += 1) count(order[index] ?? 0);
    means.add(order, start, end);
  });
  return {
    ...means.estimate(alpha),
    gated,
    passed,
    failed,
    errored,
    skippedByCase,
    confirmations,
    cached,
    latencies: latencies.subarray(0, timed),
    costUsd,
    spentUsd,
    spentApartUsd,
    judgeCostUsd,
  };
}

type Amounts = [number | null, number | null, number | null, number | null];

/** Null as soon as one answered cell has no known price: a partial sum would read as the whole. */
function addKnown(sum: number | null, value: number | null | undefined): number | null {
  return sum === null || value === null ? null : sum + (value ?? 0);
}

/** The case is the unit of evidence: its valid trials are averaged first, and cases weigh alike. */
function createMeans(table: RowTable, caseCount: number) {
  const passMeans = new Float64Array(caseCount);
  const scoreMeans = new Float64Array(caseCount);
  let judged = 0;
  let isSingleTrial = true;
  return {
    add(order: Uint32Array, start: number, end: number): void {
      if (start === end || table.isObserved(order[start] ?? 0)) return;
      let [valid, passed, score] = [0, 0, 0];
      for (let index = start; index < end; index += 1) {
        const row = order[index] ?? 0;
        const status = table.statusAt(row);
        if (table.isConfirmation(row) || (status !== 'passed' && status !== 'failed')) continue;
        valid += 1;
        if (status === 'passed') passed += 1;
        score += table.scoreAt(row) ?? 0;
      }
      if (valid === 0) return;
      if (valid > 1) isSingleTrial = false;
      passMeans[judged] = passed / valid;
      scoreMeans[judged] = score / valid;
      judged += 1;
    },
    estimate: (alpha: number) =>
      estimate(
        { passMeans: passMeans.subarray(0, judged), scoreMeans: scoreMeans.subarray(0, judged), isSingleTrial },
        alpha,
      ),
  };
}

interface CaseMeans {
  readonly passMeans: Float64Array;
  readonly scoreMeans: Float64Array;
  /** True where no case has more than one trial with a verdict. */
  readonly isSingleTrial: boolean;
}

function estimate(
  { passMeans, scoreMeans, isSingleTrial }: CaseMeans,
  alpha: number,
): Pick<VariantSummary, 'passRate' | 'score'> {
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
