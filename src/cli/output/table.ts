import Table from 'cli-table3';
import { toSafeLine } from '../text/sanitize.ts';
import type { Io } from './io.ts';

type Row = Readonly<Record<string, string | number | readonly string[] | null>>;

/** Prints a list as a plain table, or as JSON for scripts. */
export function printRows(
  rows: readonly Row[],
  options: { readonly json: boolean; readonly noun: string; readonly columns?: readonly string[] },
  io: Io,
): void {
  if (options.json) {
    io.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return;
  }
  const [first] = rows;
  if (first === undefined) {
    io.stderr.write(`no ${options.noun}\n`);
    return;
  }
  const columns = [...(options.columns ?? Object.keys(first))];
  const table = new Table({ head: columns, style: { head: [], border: [], compact: true }, chars: plainBorders });
  table.push(...rows.map((row) => columns.map((column) => cellText(row[column]))));
  const lines = table.toString().split('\n');
  io.stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`);
}

/** A value on one line, safe for a terminal. */
export function cellText(value: Row[string] | undefined): string {
  if (value === undefined || value === null) return '–';
  return toSafeLine(Array.isArray(value) ? value.join(', ') : String(value));
}

const plainBorders = {
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
  middle: '  ',
};
