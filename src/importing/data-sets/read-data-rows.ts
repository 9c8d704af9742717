import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { parseJson } from '../../json/parse-json.ts';
import { isTemplate } from '../../templates/template.ts';
import { attemptOr } from '../../text/attempt.ts';
import { parseCsv } from '../../text/csv.ts';
import { plainNumbers, replaceLongNumbers } from '../../text/yaml/exact-numbers.ts';
import { isMap, placeAt, type Unreadable, type Written } from '../draft.ts';
import { CutJsonError, type IsPart, splitJson } from './split-json.ts';

/** Reads the rows of a data set: JSON lines, a list, a list in a wrapper such as `{"data": […]}`, or CSV. */
export function readDataRows(file: string, text: string): readonly Written[] | Unreadable {
  const written = /\.[ct]sv$/i.test(file) ? readTable(file, text) : readJsonRows(file, text);
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

function readTable(file: string, text: string): readonly Written[] | Unreadable {
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
    return fail(
      `the columns are separated by ${separator === '\t' ? 'tabs' : `"${separator}"`}, not by commas`,
      1,
      'save the file with commas between the columns',
    );
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

/** Reads a cell. Other tools write objects and lists as JSON. */
function readCell(cell: string): unknown {
  const parsed = /^\s*[[{]/.test(cell) ? parseJson(cell) : undefined;
  return parsed?.ok === true ? readValue(parsed.value) : cell;
}

function readJsonRows(file: string, text: string): readonly Written[] | Unreadable {
  const start = text.trimStart();
  const [first = ''] = start.split('\n', 1);
  const line = parseJson(first);
  // A row may contain a list like a wrapper, but nothing follows a wrapper.
  const isAlone = start.slice(first.length).trim() === '';
  const isLines = line.ok && isMap(line.value) && !(isAlone && findKeys(line.value).length > 0);
  // If only the first line of a JSON lines file is broken, the others are valid.
  const isBroken = !line.ok && !start.startsWith('[') && !parseJson(text).ok;
  return isLines || isBroken ? readLines(file, text) : readDocument(file, text);
}

function readLines(file: string, text: string): readonly Written[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const parsed = parseJson(line);
    return [placeAt(parsed.ok ? readValue(parsed.value) : line, { file, line: index + 1, column: 1 })];
  });
}

function readDocument(file: string, text: string): readonly Written[] | Unreadable {
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

/** Path of the rows. promptfoo stores them in `results.results`. */
function findKeys(value: unknown): readonly string[] {
  if (!isMap(value)) return [];
  const { results } = value;
  if (isMap(results) && findList(results) === 'results') return ['results', 'results'];
  const key = findList(value);
  return key === undefined ? [] : [key];
}

/** Key of a wrapper's only list of objects. */
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
  return attemptOr(() => Array.from(splitJson([text], isPart), ({ line }) => line), CutJsonError, []);
}

/** Converts a number that no double can hold to its text, as prompts and answers show it. */
function readValue(value: unknown): unknown {
  return plainNumbers(replaceLongNumbers(value, (number) => number.source));
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads input and golden answer from a row that another tool wrote about a run. The model's answer, scores and checks
 * are ignored. Other rows are returned as they are; undefined for a repeated row.
 */
function readKnownRow(row: Row): Row | undefined {
  return (
    readInspectSample(row) ?? readPromptfooResult(row) ?? readHelmInstance(row) ?? (isRepeated(row) ? undefined : row)
  );
}

function isRepeated({ epoch }: Row): boolean {
  return typeof epoch === 'number' && epoch > 1;
}

/** Reads a sample in a log of Inspect, which repeats it in each epoch. */
function readInspectSample(row: Row): Row | undefined {
  const isSample = Object.hasOwn(row, 'input') && Object.hasOwn(row, 'target') && Object.hasOwn(row, 'epoch');
  return isSample && !isRepeated(row) ? pick(row, ['id', 'input', 'choices', 'target']) : undefined;
}

/** Reads a result of promptfoo: its variables, and the value of its only `equals` check. */
function readPromptfooResult(row: Row): Row | undefined {
  const { vars, testCase } = row;
  if (!isMap(vars) || !(Object.hasOwn(row, 'promptIdx') || (isMap(testCase) && Object.hasOwn(row, 'response'))))
    return undefined;
  const checks = isMap(testCase) && Array.isArray(testCase['assert']) ? testCase['assert'].filter(isMap) : [];
  const [only, ...others] = checks.filter(({ type }) => type === 'equals');
  const { value } = only ?? {};
  const isGolden = others.length === 0 && value !== undefined && !(typeof value === 'string' && isTemplate(value));
  return { ...vars, ...defined({ expected: isGolden ? value : undefined }) };
}

/** Reads an instance of HELM, or a request state with one. If some references are wrong, all are choices. */
function readHelmInstance(row: Row): Row | undefined {
  const instance = isMap(row['instance']) ? row['instance'] : row;
  const { id, input, references } = instance;
  if (!isMap(input) || !Array.isArray(references) || !references.every(isReference)) return undefined;
  const texts = references.map(({ output }) => output.text);
  const right = references.flatMap(({ tags }, index) => (tags.includes('correct') ? [index] : []));
  const isChoice = right.length > 0 && right.length < references.length;
  const answers = right.map((index) => (isChoice ? String.fromCodePoint(65 + index) : texts[index]));
  const [answer, ...more] = answers;
  return {
    ...defined({ id: typeof id === 'string' ? id : undefined }),
    ...(Array.isArray(input['messages']) ? { messages: input['messages'] } : { input: input['text'] }),
    ...defined({ choices: isChoice ? texts : undefined }),
    ...(answer === undefined ? {} : { target: more.length === 0 ? answer : answers }),
  };
}

interface HelmReference {
  readonly output: { readonly text: string };
  readonly tags: readonly unknown[];
}

function isReference(value: unknown): value is HelmReference {
  return (
    isMap(value) &&
    isMap(value['output']) &&
    typeof value['output']['text'] === 'string' &&
    Array.isArray(value['tags'])
  );
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.filter((name) => Object.hasOwn(row, name)).map((name) => [name, row[name]]));
}
