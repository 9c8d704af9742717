import { defined } from '../../json/defined.ts';
import type { PageCaseRow, PageCell, PageIndex, PageSuite, PageVariant } from '../../model/report/page.ts';
import type { CaseStatus } from '../../model/run/cell.ts';

/** Which cases are shown. A missing member does not filter. */
export interface CaseFilter {
  readonly text?: string;
  readonly statuses?: readonly CaseStatus[];
  readonly change?: string;
  readonly suite?: string;
  readonly tag?: string;
  readonly prompt?: string;
  readonly provider?: string;
  /** `answers`: whole answers in place of the table. */
  readonly layout?: string;
}

export const caseStatuses = [
  'failed',
  'flaky',
  'errored',
  'skipped',
  'passed',
] as const satisfies readonly CaseStatus[];

/** A variant as a column, which suites may share. */
export interface Column {
  readonly prompt: string;
  readonly provider: string;
}

/** A row of the table; `cells` has the same order as the columns. */
export interface MatrixRow {
  readonly suite: PageSuite;
  readonly row: PageCaseRow;
  readonly cells: readonly (PageCell | undefined)[];
}

export interface Matrix {
  readonly columns: readonly Column[];
  readonly rows: readonly MatrixRow[];
  /** Cells by status that match all but the status filter. */
  readonly counts: Readonly<Record<CaseStatus, number>>;
  readonly total: number;
}

export function readFilter(query: string): CaseFilter {
  const params = new URLSearchParams(query);
  const statuses = (params.get('status') ?? '').split(',');
  const known = caseStatuses.filter((status) => statuses.includes(status));
  return {
    ...defined({ statuses: known.length === 0 ? undefined : known }),
    ...Object.fromEntries(
      textKeys.flatMap((key) => {
        const value = params.get(key);
        return value === null || value === '' ? [] : [[key, value]];
      }),
    ),
  };
}

export function filterQuery(filter: CaseFilter): string {
  const params = new URLSearchParams();
  if (filter.statuses !== undefined && filter.statuses.length > 0) params.set('status', filter.statuses.join(','));
  for (const key of textKeys) {
    const value = filter[key];
    if (value !== undefined && value !== '') params.set(key, value);
  }
  const query = params.toString();
  return query === '' ? '' : `?${query}`;
}

const textKeys = ['text', 'change', 'suite', 'tag', 'prompt', 'provider', 'layout'] as const;

/** Shows a case if one of its cells matches, and a column if its variant matches. */
export function filterRows({ suites }: Pick<PageIndex, 'suites'>, filter: CaseFilter): Matrix {
  const columns: Column[] = [];
  const places = new Map<string, number>();
  const rows: MatrixRow[] = [];
  const counts = { passed: 0, failed: 0, flaky: 0, errored: 0, skipped: 0 };
  const words = (filter.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const statuses = filter.statuses === undefined ? undefined : new Set<CaseStatus>(filter.statuses);
  let total = 0;
  for (const suite of suites) {
    if (filter.suite !== undefined && suite.suite !== filter.suite) continue;
    const columnOf = suite.variants.map((variant) => (isWanted(variant, filter) ? place(variant) : undefined));
    const tag = filter.tag === undefined ? undefined : suite.tags.indexOf(filter.tag);
    for (const row of suite.cases) {
      total += 1;
      if (tag !== undefined && row.tags?.includes(tag) !== true) continue;
      const cells: (PageCell | undefined)[] = [];
      let fits = false;
      for (const cell of row.cells) {
        const column = columnOf[cell.variant];
        if (column === undefined) continue;
        cells[column] = cell;
        if (!fitsChange(cell, filter.change) || !fitsText(suite, row, cell, words)) continue;
        counts[cell.status] += 1;
        if (statuses === undefined || statuses.has(cell.status)) fits = true;
      }
      if (fits) rows.push({ suite, row, cells });
    }
  }
  return { columns, rows, counts, total };

  function place({ prompt, provider }: PageVariant): number {
    const key = JSON.stringify([prompt, provider]);
    const known = places.get(key);
    if (known !== undefined) return known;
    columns.push({ prompt, provider });
    places.set(key, columns.length - 1);
    return columns.length - 1;
  }
}

/** The cells that match a filter, in the order of the table. */
export function listCells(
  { rows }: Matrix,
  filter: CaseFilter,
): readonly { readonly row: MatrixRow; readonly cell: PageCell }[] {
  const words = (filter.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return rows.flatMap((row) =>
    row.cells.flatMap((cell) =>
      cell !== undefined &&
      (filter.statuses === undefined || filter.statuses.includes(cell.status)) &&
      fitsChange(cell, filter.change) &&
      fitsText(row.suite, row.row, cell, words)
        ? [{ row, cell }]
        : [],
    ),
  );
}

function isWanted({ prompt, provider }: PageVariant, filter: CaseFilter): boolean {
  return (
    (filter.prompt === undefined || filter.prompt === prompt) &&
    (filter.provider === undefined || filter.provider === provider)
  );
}

function fitsChange(cell: PageCell, change: string | undefined): boolean {
  return change === undefined || cell.change === change;
}

function fitsText(suite: PageSuite, row: PageCaseRow, cell: PageCell, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = textOf(suite, row, cell);
  return words.every((word) => text.includes(word));
}

/** Prepares the searched texts before the first letter is typed. */
export function prepareSearch({ suites }: Pick<PageIndex, 'suites'>): void {
  for (const suite of suites) {
    for (const row of suite.cases) for (const cell of row.cells) textOf(suite, row, cell);
  }
}

/** The searched text of each cell. Lowering the case of 10,000 answers takes longer than searching them. */
const texts = new WeakMap<PageCell, string>();

function textOf(suite: PageSuite, row: PageCaseRow, cell: PageCell): string {
  const known = texts.get(cell);
  if (known !== undefined) return known;
  const tags = (row.tags ?? []).map((place) => suite.tags[place] ?? '').join(' ');
  const text = `${row.id} ${tags} ${cell.reason ?? ''} ${cell.answer ?? ''}`.toLowerCase();
  texts.set(cell, text);
  return text;
}
