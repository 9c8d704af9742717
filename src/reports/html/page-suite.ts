import { defined } from '../../json/defined.ts';
import type { VariantTrend } from '../../model/report/history.ts';
import type {
  PageCaseRow,
  PageCell,
  PageComparison,
  PageLatencies,
  PagePromptChange,
  PageRemark,
  PageSuite,
  PageVariant,
} from '../../model/report/page.ts';
import type { CaseReport, Report, SuiteReport, VariantComparison, VariantReport } from '../../model/report/report.ts';
import { judgedLatencies, variantKey } from '../../model/run/cell.ts';
import { mean, quantile } from '../../stats/descriptive.ts';
import { listFirst } from '../../text/format-amount.ts';
import { clipText } from '../../text/shorten.ts';
import { describeSkip, explainCase } from '../cases/explain-case.ts';
import type { VariantName } from '../cases/failed-cases.ts';
import { caseRanks, type GateEffect, rankCase } from '../cases/gate-effect.ts';
import { nameVariants } from '../cases/name-cases.ts';
import { describeClasses } from '../classes.ts';
import { describeComparison, describeMetrics, listPromptChanges, mapChanges } from '../comparison.ts';
import { listRemarks } from '../run-facts.ts';

export function buildPrompts(suite: SuiteReport): readonly PagePromptChange[] {
  return listPromptChanges(suite).map(({ name, expected, found }) => ({
    name,
    baseline: clipText(expected, maxPromptChars),
    candidate: clipText(found, maxPromptChars),
  }));
}

const maxPromptChars = 65_536;

/** Remarks without most lists of cases, because the table of cases shows them. */
export function buildRemarks(report: Report, suite: SuiteReport): readonly PageRemark[] {
  return listRemarks(report, suite, { isVerbose: true }).flatMap((remark) => {
    const { label, text, caseNames = [], variants, isAdvice } = remark;
    if (text === undefined && !namedInText.has(label)) return [];
    if (isAdvice === true && variants.every((variant) => hasPassed(suite, variant))) return [];
    return [
      {
        label,
        text: clipText(text ?? listFirst(caseNames, maxNames), maxTextChars),
        ...defined({ variants: suite.variants.length > 1 ? nameVariants(variants, suite, (name) => name) : undefined }),
      },
    ];
  });
}

/** A comparison that passed needs no advice. */
function hasPassed({ variants }: SuiteReport, { prompt, provider }: VariantName): boolean {
  const variant = variants.find((one) => one.prompt === prompt && one.provider === provider);
  return variant?.comparison?.outcome === 'passed';
}

/** Lists whose cases have no row in the table, or a row that does not say it. */
const namedInText: ReadonlySet<string> = new Set(['accepted in this change', 'removed']);
const maxNames = 20;
const maxTextChars = 4000;

/** A variant with its figures, its comparison and the data of its charts. */
export function buildPageVariant(variant: VariantReport, trend: VariantTrend | undefined): PageVariant {
  const {
    comparison,
    latencies,
    classes: _classes,
    slices: _slices,
    spentUsd: _spentUsd,
    spentApartUsd: _spentApartUsd,
    // The page has the cases themselves.
    failedCases: _failedCases,
    erroredCases: _erroredCases,
    ...counts
  } = variant;
  return {
    ...counts,
    ...defined({
      byClass: describeClasses(variant),
      comparison: comparison && buildComparison(comparison),
      latencies: latencies && binLatencies(latencies()),
      trend: trend?.points.length === 0 ? undefined : trend?.points,
    }),
  };
}

function buildComparison(comparison: VariantComparison): PageComparison {
  const { outcome, against, cases } = comparison;
  return {
    outcome,
    against,
    text: describeComparison(comparison),
    metrics: describeMetrics(comparison).flatMap(({ key, label, text }) => {
      const metric = comparison[key];
      return metric === undefined ? [] : [{ key, label, text, ...metric }];
    }),
    counts: mapChanges(cases, ({ length }) => length),
  };
}

/** Counts in bins of equal ratio, because latencies differ by orders of magnitude; undefined if nothing was timed. */
function binLatencies(samples: {
  readonly candidate: readonly number[];
  readonly baseline: readonly number[];
}): PageLatencies | undefined {
  const { candidate, baseline } = samples;
  if (candidate.length === 0) return undefined;
  const low = Math.max(1, minOf(candidate, baseline));
  const high = Math.max(low * 1.2, maxOf(candidate, baseline));
  const ratio = Math.log(high / low);
  const bins = Math.min(maxBins, Math.max(minBins, 2 * Math.round(Math.sqrt(candidate.length))));
  const edgesMs = Array.from({ length: bins + 1 }, (_, index) => Math.round(low * Math.exp((ratio * index) / bins)));
  const count = (values: readonly number[]): number[] => {
    const counts = Array.from({ length: bins }, () => 0);
    for (const value of values) {
      const place = Math.floor((Math.log(Math.max(value, low) / low) / ratio) * bins);
      const bin = Math.min(bins - 1, Math.max(0, place));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  };
  return {
    edgesMs,
    candidate: count(candidate),
    candidateMs: median(candidate),
    ...(baseline.length > 0 && { baseline: count(baseline), baselineMs: median(baseline) }),
  };
}

/** An even number: a chart names the edge in the middle. */
const minBins = 8;
const maxBins = 24;

/** Spreading a list of 100,000 values into `Math.min` could overflow the stack. */
function minOf(...lists: readonly (readonly number[])[]): number {
  return lists.reduce((least, list) => list.reduce((a, b) => Math.min(a, b), least), Number.POSITIVE_INFINITY);
}

function maxOf(...lists: readonly (readonly number[])[]): number {
  return lists.reduce((most, list) => list.reduce((a, b) => Math.max(a, b), most), 0);
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5) ?? 0;
}

/** Rows of one suite's table; `number` counts from 0 over the whole page. */
export interface RowBlock {
  readonly number: number;
  readonly rows: readonly PageCaseRow[];
}

/** The table rows of all suites, one for each case. Memory holds at most `maxCells` cells; other rows become blocks. */
export function createPageRows(maxCells: number) {
  let taken = 0;
  let keptCells = 0;
  return { open: (suite: SuiteReport) => createRows(suite) };

  function createRows(suite: SuiteReport) {
    const variants = new Map(suite.variants.map((variant, index) => [variantKey(variant), index]));
    const tagPlaces = new Map<string, number>();
    const rowBlocks: number[] = [];
    let rows: { id: string; tags?: readonly number[]; cells: PageCell[] }[] = [];
    let cells = 0;
    return {
      /** Returns a block once it is full. */
      add(entry: CaseReport, effect: GateEffect, place: CellPlace): RowBlock | undefined {
        const variant = variants.get(variantKey(entry));
        if (variant === undefined) return undefined;
        let row = rows.at(-1);
        // Cells of a case come one after the other.
        if (row === undefined || row.id !== entry.caseId) {
          row = { id: entry.caseId, ...placeTags(entry, tagPlaces), cells: [] };
          rows.push(row);
        }
        row.cells.push(buildCell(entry, effect, variant, place));
        cells += 1;
        if (cells <= maxCells || rows.length === 1) return undefined;
        // More cells of the last case may follow.
        rows.pop();
        const block = take();
        rows = [row];
        cells = row.cells.length;
        return block;
      },
      /** The suite's last block, if the index has no room for its rows. */
      end(): RowBlock | undefined {
        if (cells > 0 && keptCells + cells > maxCells) return take();
        keptCells += cells;
        return undefined;
      },
      list: (): Pick<PageSuite, 'tags' | 'cases' | 'rowBlocks'> => ({
        tags: [...tagPlaces.keys()],
        cases: rows,
        ...defined({ rowBlocks: rowBlocks.length > 0 ? rowBlocks : undefined }),
      }),
    };

    function take(): RowBlock {
      const block = { number: taken, rows };
      rowBlocks.push(taken);
      taken += 1;
      rows = [];
      cells = 0;
      return block;
    }
  }
}

/** The tags of a case as indices into the suite's list of tags. Adds new tags to the list. */
function placeTags({ trials }: CaseReport, places: Map<string, number>): { readonly tags?: readonly number[] } {
  const { tags = [] } = trials[0]?.asked ?? {};
  if (tags.length === 0) return {};
  for (const tag of tags) if (!places.has(tag)) places.set(tag, places.size);
  return { tags: tags.map((tag) => places.get(tag) ?? 0) };
}

/** The place of a cell's details: the block, and the index in it. */
interface CellPlace {
  readonly block: number;
  readonly item: number;
}

function buildCell(entry: CaseReport, effect: GateEffect, variant: number, { block, item }: CellPlace): PageCell {
  const { status, change, trials } = entry;
  const rank = rankCase(entry, effect);
  const planned = trials.filter(({ confirmation }) => confirmation !== true);
  const passed = trials.filter((row) => row.status === 'passed').length;
  const answer = trials.find(({ output }) => output !== undefined && output !== '')?.output;
  const reason = status === 'passed' ? undefined : describeReason(entry);
  return defined({
    variant,
    status,
    block,
    item,
    change,
    rank: rank && caseRanks.indexOf(rank),
    tolerated: effect.kind === 'tolerated' ? effect.reason : undefined,
    score: roundedMean(
      planned.flatMap(({ score }) => score ?? []),
      4,
    ),
    latencyMs: roundedMean(judgedLatencies(planned), 1),
    costUsd: sumCosts(planned),
    trials: trials.length > 1 ? ([passed, trials.length] as const) : undefined,
    answer: answer && clipText(answer, snippetChars),
    reason: reason && clipText(reason, snippetChars),
  });
}

const snippetChars = 160;

function describeReason(entry: CaseReport): string | undefined {
  const skip = entry.trials.find((row) => row.skip !== undefined)?.skip;
  if (entry.status === 'skipped') return skip && describeSkip(skip);
  const [first] = explainCase(entry).reasons;
  return first === undefined ? undefined : `${first.label}: ${first.reason}`;
}

function roundedMean(values: readonly number[], digits: number): number | undefined {
  return values.length === 0 ? undefined : Number(mean(values).toFixed(digits));
}

/** Null if a cost is unknown; undefined if nothing was answered. */
function sumCosts(trials: CaseReport['trials']): number | null | undefined {
  let sum: number | undefined;
  for (const { costUsd } of trials) {
    if (costUsd === null) return null;
    if (costUsd !== undefined) sum = (sum ?? 0) + costUsd;
  }
  return sum;
}
