import { defined } from '../json/defined.ts';
import { judgedLatencies } from '../model/cell.ts';
import type { PageCaseRow, PageCell, PageSuite } from '../model/page.ts';
import type { CaseReport, SuiteReport } from '../model/report.ts';
import { clipText } from '../text/shorten.ts';
import { explainCase } from './explain-case.ts';
import type { Standing } from './find-standing.ts';
import { caseRanks, rankCase } from './rank-case.ts';

/** Rows of one suite's table, taken out of memory; `number` counts from 0 over the whole page. */
export interface RowBlock {
  readonly number: number;
  readonly rows: readonly PageCaseRow[];
}

/** What the tables of cases need, a row a case. Of all suites together `maxCells` cells stay at most, the others are handed out in blocks. */
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
      add(entry: CaseReport, standing: Standing, place: { readonly block: number; readonly item: number }): void {
        const variant = variants.get(variantKey(entry));
        if (variant === undefined) return;
        let row = rows.at(-1);
        // Cells of a case come one after the other.
        if (row === undefined || row.id !== entry.caseId) {
          row = { id: entry.caseId, ...placeTags(entry), cells: [] };
          rows.push(row);
        }
        row.cells.push(buildCell(entry, standing, variant, place));
        cells += 1;
      },
      /** A block where there are enough rows for one. */
      takeFull(): RowBlock | undefined {
        const last = cells > maxCells ? rows.pop() : undefined;
        if (last === undefined) return undefined;
        // The last case may have cells to come.
        const block = rows.length === 0 ? undefined : take();
        rows = [last];
        cells = last.cells.length;
        return block;
      },
      /** The suite's last block, where there is no room for its rows in the index. */
      end(): RowBlock | undefined {
        if (cells > 0 && keptCells + cells > maxCells) return take();
        keptCells += cells;
        return undefined;
      },
      list: (): Pick<PageSuite, 'tags' | 'cases' | 'rowBlocks'> => ({
        tags: [...tagPlaces.keys()],
        cases: rows,
        ...(rowBlocks.length === 0 ? {} : { rowBlocks }),
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

    function placeTags({ trials }: CaseReport): { tags?: readonly number[] } {
      const { tags = [] } = trials[0]?.asked ?? {};
      if (tags.length === 0) return {};
      for (const tag of tags) if (!tagPlaces.has(tag)) tagPlaces.set(tag, tagPlaces.size);
      return { tags: tags.map((tag) => tagPlaces.get(tag) ?? 0) };
    }
  }
}

function variantKey({ prompt, provider }: { readonly prompt: string; readonly provider: string }): string {
  return JSON.stringify([prompt, provider]);
}

function buildCell(
  entry: CaseReport,
  standing: Standing,
  variant: number,
  { block, item }: { readonly block: number; readonly item: number },
): PageCell {
  const { status, change, trials } = entry;
  const rank = rankCase(entry, standing);
  const planned = trials.filter(({ confirmation }) => confirmation !== true);
  const scores = planned.flatMap(({ score }) => score ?? []);
  const latencies = judgedLatencies(planned);
  const costs = planned.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  const answer = trials.find(({ output }) => output !== undefined && output !== '')?.output;
  const reason = status === 'passed' ? undefined : describeReason(entry);
  return {
    variant,
    status,
    block,
    item,
    ...defined({ change }),
    ...(rank === undefined ? {} : { rank: caseRanks.indexOf(rank) }),
    ...(standing.kind === 'tolerated' ? { tolerated: standing.reason } : {}),
    ...(scores.length === 0 ? {} : { score: round(mean(scores), 4) }),
    ...(latencies.length === 0 ? {} : { latencyMs: round(mean(latencies), 1) }),
    ...(costs.length === 0 ? {} : { costUsd: sumCosts(costs) }),
    ...(trials.length > 1
      ? { trials: [trials.filter((row) => row.status === 'passed').length, trials.length] as const }
      : {}),
    ...(answer === undefined ? {} : { answer: clipText(answer, snippetChars) }),
    ...(reason === undefined ? {} : { reason: clipText(reason, snippetChars) }),
  };
}

const snippetChars = 160;

function describeReason(entry: CaseReport): string | undefined {
  const skip = entry.trials.find((row) => row.skip !== undefined)?.skip;
  if (entry.status === 'skipped') return skip?.message ?? skip?.reason;
  const [first] = explainCase(entry).reasons;
  return first === undefined ? undefined : `${first.label}: ${first.reason}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function sumCosts(costs: readonly (number | null)[]): number | null {
  return costs.reduce<number | null>((sum, cost) => (sum === null || cost === null ? null : sum + cost), 0);
}
