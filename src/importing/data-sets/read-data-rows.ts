import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { parseJson } from '../../json/parse-json.ts';
import type { Problem } from '../../model/problem.ts';
import { parseCsv } from '../../text/csv.ts';
import { plainNumbers, replaceLongNumbers } from '../../text/exact-numbers.ts';
import { isMap, placeAt, type Written } from '../draft.ts';
import { readKnownRow } from './known-rows.ts';
import { CutJsonError, type IsPart, splitJson } from './split-json.ts';

/** The rows of a data set: a JSON object a line, a list, a list in a wrapper such as `{"data": […]}`, or a table in CSV. */
export function readDataRows(
  file: string,
  text: string,
): readonly Written[] | { readonly problems: readonly Problem[] } {
  const written = /\.csv$/i.test(file) ? readTable(file, text) : readJsonRows(file, text);
  if ('problems' in written) return written;
  const seen = new Set<string>();
  return written.flatMap((row) => {
    const { value } = row;
    const known = isMap(value) ? readKnownRow(value) : value;
    if (known === value) return [row];
    // Other tools repeat a row for each prompt and model of a run.
    const key = canonicalJson(known ?? null);
    const isNew = known !== undefined && !seen.has(key);
    seen.add(key);
    return isNew ? [placeAt(known, row.at())] : [];
  });
}

function readTable(file: string, text: string): readonly Written[] | { readonly problems: readonly Problem[] } {
  const fail = (message: string, line: number, hint?: string) => ({
    problems: [
      { code: 'syntax', severity: 'error', message, ...defined({ hint }), at: { file, line, column: 1 } } as const,
    ],
  });
  const csv = parseCsv(text);
  if ('error' in csv) return fail(csv.error.message, csv.error.line);
  const [header, ...records] = csv.records;
  const [only, second] = header?.fields ?? [];
  const separator = second === undefined ? /[;\t|]/.exec(only ?? '')?.[0] : undefined;
  if (separator !== undefined)
    return fail(`the columns are separated by ${separator === '\t' ? 'tabs' : separator}, not by commas`, 1);
  const columns = (header?.fields ?? []).map((name) => name.trim());
  const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice !== undefined) return fail(`two columns are named "${twice}"`, 1);
  const uneven = records.find(({ fields }) => fields.length !== columns.length);
  if (uneven !== undefined) {
    const message = `the row has ${uneven.fields.length} fields, the header ${columns.length}`;
    return fail(message, uneven.line, 'quote a field that holds a comma');
  }
  return records.map(({ fields, line }) => {
    const cells = columns.map((name, index) => [name, readCell(fields[index] ?? '')] as const);
    return placeAt(Object.fromEntries(cells.filter(([, value]) => value !== '')), { file, line, column: 1 });
  });
}

/** Other tools write objects and lists as JSON into a cell. */
function readCell(cell: string): unknown {
  const parsed = /^\s*[[{]/.test(cell) ? parseJson(cell) : undefined;
  return parsed?.ok === true ? readValue(parsed.value) : cell;
}

function readJsonRows(file: string, text: string): readonly Written[] | { readonly problems: readonly Problem[] } {
  const [first = ''] = text.trimStart().split('\n', 1);
  const line = parseJson(first);
  const isLines = line.ok && isMap(line.value) && findKeys(line.value).length === 0;
  // A file of lines whose first is broken has other lines that are not.
  const isBroken = !line.ok && !text.trimStart().startsWith('[') && !parseJson(text).ok;
  return isLines || isBroken ? readLines(file, text) : readDocument(file, text);
}

function readLines(file: string, text: string): readonly Written[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = parseJson(line);
    return [placeAt(parsed.ok ? readValue(parsed.value) : line, { file, line: index + 1, column: 1 })];
  });
}

function readDocument(file: string, text: string): readonly Written[] | { readonly problems: readonly Problem[] } {
  const parsed = parseJson(text);
  const at = { file, line: 1, column: 1 };
  if (!parsed.ok)
    return { problems: [{ code: 'syntax', severity: 'error', message: `${file} is not JSON: ${parsed.reason}`, at }] };
  const { value } = parsed;
  const keys = findKeys(value);
  const list = keys.reduce<unknown>((inner, key) => (isMap(inner) ? inner[key] : undefined), value);
  if (Array.isArray(list)) {
    const lines = findLines(text, (path) => path.join('\n') === [...keys, '*'].join('\n'));
    const hasLines = lines.length === list.length;
    return list.map((item: unknown, index) =>
      placeAt(readValue(item), { ...at, line: (hasLines ? lines[index] : undefined) ?? 1 }),
    );
  }
  return [placeAt(readValue(value), at)];
}

/** The keys that lead to the rows. promptfoo has them in `results.results`. */
function findKeys(value: unknown): readonly string[] {
  if (!isMap(value)) return [];
  const { results } = value;
  if (isMap(results) && findList(results) === 'results') return ['results', 'results'];
  const key = findList(value);
  return key === undefined ? [] : [key];
}

/** The key of a wrapper's only list of objects. */
function findList(value: Readonly<Record<string, unknown>>): string | undefined {
  const wrappers = [
    'data',
    'examples',
    'rows',
    'items',
    'samples',
    'goldens',
    'records',
    'cases',
    'test_cases',
    'tests',
    'questions',
    'dataset',
    'instances',
    'request_states',
    'results',
  ];
  const lists = wrappers.filter((key) => {
    const list = value[key];
    return Object.hasOwn(value, key) && Array.isArray(list) && list.length > 0 && list.every(isMap);
  });
  return lists.length === 1 ? lists[0] : undefined;
}

function findLines(text: string, isPart: IsPart): readonly number[] {
  try {
    return Array.from(splitJson([text], isPart), ({ line }) => line);
  } catch (error) {
    if (!(error instanceof CutJsonError)) throw error;
    return [];
  }
}

/** A number that no double keeps becomes its text, which is what a prompt and an answer hold of it. */
function readValue(value: unknown): unknown {
  return plainNumbers(replaceLongNumbers(value, (number) => number.source));
}
