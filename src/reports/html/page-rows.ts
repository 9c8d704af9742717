import { defined } from '../../json/defined.ts';
import { judgedLatencies } from '../../model/cell.ts';
import type { PageCaseRow, PageCell, PageSuite } from '../../model/page.ts';
import type { CaseReport, SuiteReport } from '../../model/report.ts';
import { clipText } from '../../text/shorten.ts';
import { describeSkip, explainCase } from '../cases/explain-case.ts';
import { caseRanks, type GateEffect, rankCase, variantKey } from '../cases/gate-effect.ts';

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
        ...(rowBlocks.length > 0 && { rowBlocks }),
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

/** Where the details of a cell are: the block, and the index in it. */
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
    score: mean(
      planned.flatMap(({ score }) => score ?? []),
      4,
    ),
    latencyMs: mean(judgedLatencies(planned), 1),
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

/** Undefined where there are no values. */
function mean(values: readonly number[], digits: number): number | undefined {
  if (values.length === 0) return undefined;
  return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(digits));
}

/** Null where a cost is unknown; undefined where nothing was answered. */
function sumCosts(trials: CaseReport['trials']): number | null | undefined {
  let sum: number | undefined;
  for (const { costUsd } of trials) {
    if (costUsd === null) return null;
    if (costUsd !== undefined) sum = (sum ?? 0) + costUsd;
  }
  return sum;
}
