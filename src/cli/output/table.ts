import { renderPlainTable } from '../../terminal/plain-table.ts';
import { toSafeLine } from '../../text/sanitize.ts';
import type { Io } from '../io.ts';

type Row = Readonly<Record<string, string | number | readonly string[] | null>>;

/** Prints a list as a plain table, or as JSON for scripts. */
export function printRows(
  rows: readonly Row[],
  { json, noun }: { readonly json: boolean; readonly noun: string },
  io: Io,
): void {
  const [first] = rows;
  if (json) printJson(rows, io);
  else if (first === undefined) io.stderr.write(`no ${noun}\n`);
  else {
    const columns = Object.keys(first);
    const cells = rows.map((row) => columns.map((column) => cellText(row[column])));
    io.stdout.write(`${renderPlainTable([columns, ...cells], { padding: { left: 1, right: 3 } }).join('\n')}\n`);
  }
}

export function printJson(value: unknown, io: Io): void {
  io.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** A value on one line, safe for a terminal. */
export function cellText(value: Row[string] | undefined): string {
  if (value === undefined || value === null) return '–';
  return toSafeLine(Array.isArray(value) ? value.join(', ') : String(value));
}
