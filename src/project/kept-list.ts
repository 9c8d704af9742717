import * as z from 'zod';
import { readOrUndefined, replaceWhereChanged, withStorageErrors } from '../files/write-files.ts';
import { isJsonObject } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import { UserError } from '../model/problem.ts';
import { compareText } from '../text/compare-text.ts';

interface KeptOptions<Row> {
  /** The member of the file that holds the rows. */
  readonly name: string;
  /** The name of that member in older files. */
  readonly formerName?: string;
  readonly format: number;
  readonly row: z.ZodType<Row>;
  /** The key that orders the rows. */
  readonly keyOf: (row: Row) => readonly string[];
  /** The end of a sentence about a damaged file: `holds no validations of judges`. */
  readonly lack: string;
  /** Writes the file again. */
  readonly command: string;
}

interface KeptList<Row> {
  /** Empty if there is no file. Throws a `UserError` or a `StorageError`. */
  readonly read: (path: string, shown: string) => readonly Row[];
  /** Replaces the whole file, sorted; true if it changed. */
  readonly write: (path: string, rows: readonly Row[]) => boolean;
}

/** A file of JSON that keeps findings beside a suite. */
export function defineKeptList<Row>(options: KeptOptions<Row>): KeptList<Row> {
  const { name, formerName, format, row, keyOf, lack, command } = options;
  const schema = z.object({ format: z.literal(format), [name]: z.array(row) });
  const withName = (value: unknown) =>
    formerName !== undefined && isJsonObject(value) && !(name in value) && formerName in value
      ? { ...value, [name]: value[formerName] }
      : value;
  return {
    read(path, shown) {
      const text = withStorageErrors('Reading', path, () => readOrUndefined(path));
      if (text === undefined) return [];
      const json = parseJson(text);
      const parsed = json.ok ? schema.safeParse(withName(json.value)) : undefined;
      if (parsed?.success === true) return parsed.data[name] as readonly Row[];
      const [issue] = parsed?.error.issues ?? [];
      const fault = json.ok
        ? [issue?.path.join('.'), issue?.message].filter((part) => part !== '').join(': ')
        : `it is no JSON: ${json.reason}`;
      throw new UserError({
        code: 'record',
        message: `${shown} ${lack}: ${fault}`,
        hint: `restore it, or remove it and run ${command}`,
      });
    },
    write(path, rows) {
      const textOf = (one: Row) => keyOf(one).join('\u0000');
      const sorted = rows.toSorted((a, b) => compareText(textOf(a), textOf(b)));
      return replaceWhereChanged(path, `${JSON.stringify({ format, [name]: sorted }, undefined, 2)}\n`);
    },
  };
}
