import { isJsonObject } from '../json/json.ts';
import { guardOf } from '../json/stored.ts';
import { decidingLineSchema } from '../model/run/deciding-lines.ts';
import {
  cellRowSchema,
  endRowSchema,
  type RunHeader,
  recordFormat,
  resumeRowSchema,
  rowHeadSchema,
  runHeaderSchema,
} from '../model/run/record.ts';

export const isCellRow = guardOf(cellRowSchema);

/** Whether a row has the members for counting and comparing. Other members are ignored. */
export const isRowHead = guardOf(rowHeadSchema);

export const isResumeRow = guardOf(resumeRowSchema);

export const isEndRow = guardOf(endRowSchema);

/** True for a line that a decision needs. Lines of a baseline are checked when they are read. */
export const isDecidingLine = guardOf(decidingLineSchema);

/** The header in a row, with what older records lack; the format if it is another one; undefined for any other row. */
export function parseRunHeader(row: unknown): RunHeader | { readonly otherFormat: unknown } | undefined {
  if (!isJsonObject(row) || row['type'] !== 'run' || row['format'] === undefined) return undefined;
  // The fields of another format are unknown.
  if (row['format'] !== recordFormat) return { otherFormat: row['format'] };
  const header = runHeaderSchema.safeParse(row);
  return header.success ? header.data : undefined;
}
