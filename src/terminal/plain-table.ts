import Table from 'cli-table3';

interface TableStyle {
  /** Spaces around each cell; none by default. */
  readonly padding?: { readonly left: number; readonly right: number };
  /** Stands between two columns; empty by default. */
  readonly gap?: string;
  /** The number of columns that are aligned to the left; the others are aligned to the right. By default all are. */
  readonly leading?: number;
}

/** Lines of a table without borders. Cells may have colours and several lines. */
export function renderPlainTable(rows: readonly (readonly string[])[], style: TableStyle): string[] {
  const { padding = { left: 0, right: 0 }, gap = '', leading = Number.POSITIVE_INFINITY } = style;
  const table = new Table({
    chars: { ...noBorders, middle: gap },
    // By default the library colours heads and borders even where colour is off.
    style: { head: [], border: [], 'padding-left': padding.left, 'padding-right': padding.right },
    colAligns: (rows[0] ?? []).map((_, column) => (column < leading ? 'left' : 'right')),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
} as const;
