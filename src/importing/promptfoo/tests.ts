import { defined } from '../../json/defined.ts';
import { parseCsv } from '../../text/csv.ts';
import { type ImportContext, isMap, LeftOut, placeAt, readWritten, type Written } from '../draft.ts';

/** The tests of a config, as written there or in the files that it names. */
export async function readTests(written: Written, context: ImportContext): Promise<readonly (Written | LeftOut)[]> {
  const { value } = written;
  if (typeof value === 'string') return readTestFile(value, written, context);
  const tests: (Written | LeftOut)[] = [];
  for (const item of written.items()) {
    if (typeof item.value === 'string') tests.push(...(await readTestFile(item.value, item, context)));
    else if (isMap(item.value) && typeof item.value['path'] === 'string')
      tests.push(context.draft.refuse(item, 'tests that are made by code have no equivalent here'));
    else tests.push(item);
  }
  return tests;
}

async function readTestFile(
  reference: string,
  written: Written,
  context: ImportContext,
): Promise<readonly (Written | LeftOut)[]> {
  const { draft } = context;
  if (!/^\w+:(?!\/\/)|^https?:/.test(reference) && /[*?{}[\]]/.test(reference))
    return readTestFiles(reference, written, context);
  if (/^(?:https?|huggingface|az):/.test(reference) || !/\.(?:ya?ml|json|jsonl|csv)$/i.test(reference)) {
    return [
      draft.refuse(
        written,
        `tests from ${reference} have no equivalent here`,
        'name a .yaml, .json, .jsonl or .csv file of the project',
      ),
    ];
  }
  const text = await context.readText(reference, written);
  if (typeof text !== 'string') return [text];
  const file = reference.replace(/^file:\/\//, '');
  if (/\.csv$/i.test(reference)) return readCsv(file, text, written, context);
  if (/\.jsonl$/i.test(reference)) {
    return text.split('\n').flatMap((line, index): readonly (Written | LeftOut)[] => {
      if (line.trim() === '') return [];
      const parsed = readWritten(file, line);
      if ('problems' in parsed) return [draft.refuse(written, `line ${index + 1} of ${file} is no JSON`)];
      return [placeAt(parsed.value, { file, line: index + 1, column: 1 })];
    });
  }
  const parsed = readWritten(file, text);
  if ('problems' in parsed)
    return [draft.refuse(written, `${file} can't be read: ${parsed.problems[0]?.message ?? ''}`)];
  return readTests(parsed, context);
}

/** The tests of each file that a pattern names. */
async function readTestFiles(
  pattern: string,
  written: Written,
  context: ImportContext,
): Promise<readonly (Written | LeftOut)[]> {
  const names = await context.glob(pattern.replace(/^file:\/\//, ''));
  if (names.length === 0) return [context.draft.refuse(written, `no file of the project matches ${pattern}`)];
  const tests: (Written | LeftOut)[] = [];
  for (const name of names) tests.push(...(await readTestFile(name, written, context)));
  return tests;
}

/** Columns are variables, but for those that begin with two underscores. */
function readCsv(
  file: string,
  text: string,
  written: Written,
  { draft }: ImportContext,
): readonly (Written | LeftOut)[] {
  const csv = parseCsv(text, { mayHoldQuotes: true });
  if ('error' in csv) return [draft.refuse(written, `${file} can't be read: ${csv.error.message}`)];
  const [header, ...rows] = csv.records;
  const columns = (header?.fields ?? []).map((column) => column.trim());
  return rows.map(({ fields, line }) => {
    const row = placeAt(undefined, { file, line, column: 1 });
    const vars: [string, unknown][] = [];
    const assert: object[] = [];
    let metric: string | undefined;
    const test: Record<string, unknown> = {};
    for (const [index, column] of columns.entries()) {
      const cell = fields[index] ?? '';
      if (!column.startsWith('__')) vars.push([column, cell]);
      else if (/^__expected\d*$/.test(column)) {
        if (cell.trim() === '') continue;
        const found = readExpected(cell.trim());
        if (found === undefined)
          return draft.refuse({ ...row, value: cell }, `"${cell}" in ${column} has no equivalent here`);
        assert.push(Object(found) as object);
      } else if (column === '__metric') metric = cell === '' ? undefined : cell;
      else if (column === '__description') test['description'] = cell;
      else if (column === '__threshold') test['threshold'] = cell === '' ? undefined : Number(cell);
      else if (column.startsWith('__metadata:')) draft.note(row, `the column ${column} is left out`);
      else if (cell !== '') return draft.refuse({ ...row, value: cell }, `the column ${column} has no equivalent here`);
    }
    return placeAt(
      {
        ...test,
        vars: Object.fromEntries(vars),
        ...(assert.length === 0 ? {} : { assert: assert.map((one) => ({ ...one, ...defined({ metric }) })) }),
      },
      { file, line, column: 1 },
    );
  });
}

/** `contains: word` in a cell; a text without a type must equal the answer. */
function readExpected(cell: string): unknown {
  const [, code] = /^(?:javascript|fn|eval):([\s\S]*)$/.exec(cell) ?? [];
  if (code !== undefined) return { type: 'javascript', value: code.trim() };
  if (/^file:\/\/\S+\.[cm]?[jt]s(?::\w+)?$/.test(cell)) return { type: 'javascript', value: cell };
  if (/^(?:python|file|grade):/.test(cell)) return undefined;
  const typed =
    /^(not-)?(equals|contains-any|contains-all|contains|icontains-any|icontains-all|icontains|starts-with|regex|is-json|llm-rubric|latency|cost)(?:\(([\d.]+)\))?(?::([\s\S]*))?$/.exec(
      cell,
    );
  if (typed === null)
    return /^(?:not-)?[a-z]+(?:-[a-z]+)*(?:\([\d.]+\))?:/.test(cell)
      ? similarOf(cell)
      : { type: 'equals', value: cell };
  const [, not = '', type = '', threshold, value] = typed;
  return {
    type: not + type,
    ...defined({ value: value?.trim(), threshold: threshold === undefined ? undefined : Number(threshold) }),
  };
}

function similarOf(cell: string): unknown {
  const [, type = '', threshold, value = ''] = /^(similar|levenshtein)(?:\(([\d.]+)\))?:([\s\S]*)$/.exec(cell) ?? [];
  if (type === '') return undefined;
  return {
    type,
    value: value.trim(),
    ...defined({ threshold: threshold === undefined ? undefined : Number(threshold) }),
  };
}

type Vars = Readonly<Record<string, unknown>>;

/** The variables of one test over those of the defaults, once for each combination of its lists of texts. */
export async function expandVars(
  parts: readonly Written[],
  context: ImportContext,
): Promise<readonly Vars[] | LeftOut> {
  const { draft } = context;
  const merged = new Map<string, Written>();
  for (const given of parts) {
    if (given.value === undefined || given.value === null) continue;
    const part = await readVars(given, context);
    if (part instanceof LeftOut) return part;
    if (!isMap(part.value)) return draft.refuse(part, 'variables must be a map');
    for (const key of Object.keys(part.value)) merged.set(key, part.child(key));
  }
  let combinations: Vars[] = [{}];
  for (const [key, written] of merged) {
    const { value } = written;
    // A list of anything else is one value.
    const isMatrix = Array.isArray(value) && typeof value[0] === 'string';
    const values: unknown[] = [];
    for (const item of isMatrix ? written.items() : await findFiles(written, context)) {
      const read = await readValue(item, context);
      if (read instanceof LeftOut) return read;
      values.push(read);
    }
    combinations = combinations.flatMap((vars) => values.map((one) => ({ ...vars, [key]: one })));
    if (combinations.length > 10_000) return draft.refuse(written, 'the lists of variables make more than 10000 cases');
  }
  const filled = combinations.map((vars) => fillIn(vars));
  for (const [name, written] of merged) {
    if (!filled.some((vars) => isTemplate(vars[name]))) continue;
    const reason = `the variable "${name}" is a template of its own, which a value never is here`;
    return draft.refuse(written, reason, 'write out its value');
  }
  return filled;
}

async function readValue(written: Written, { draft, readText }: ImportContext): Promise<unknown> {
  const { value } = written;
  if (typeof value !== 'string') return value;
  if (value.startsWith('package:')) return draft.refuse(written, `${value} is code, which has no equivalent here`);
  if (!value.startsWith('file://')) return value.replace(/\n$/, '');
  if (CODE_FILE.test(value)) return draft.refuse(written, `${value} is code, which has no equivalent here`);
  if (NO_TEXT.test(value) || /\n/.test(value))
    return draft.refuse(written, `${value} is no text that can be taken over`, 'write the text in its place');
  const text = await readText(value, written);
  if (typeof text !== 'string') return text;
  if (!/\.ya?ml$/i.test(value)) return text.trim();
  const parsed = readWritten(value, text);
  return 'problems' in parsed ? draft.refuse(written, `${value} can't be read`) : JSON.stringify(parsed.value);
}

const CODE_FILE = /\.(?:[cm]?[jt]s|py)$/i;
/** What promptfoo sends as data of an image, sound or video, or takes the text out of. */
const NO_TEXT =
  /\.(?:png|jpe?g|gif|bmp|webp|svg|tiff?|ico|avif|heic|heif|pdf|mp3|wav|ogg|flac|aac|m4a|mp4|webm|mov|avi|mkv|m4v|wmv)$/i;

/** A pattern of files stands for each of them. */
async function findFiles(written: Written, { glob }: ImportContext): Promise<readonly Written[]> {
  const { value } = written;
  if (typeof value !== 'string' || !/^file:\/\/[^\n]*[*?]/.test(value)) return [written];
  const names = await glob(value.slice('file://'.length));
  return names.length === 0 ? [written] : names.map((name) => placeAt(`file://${name}`, written.at()));
}

/** The variables of a layer. They may be in files of their own. */
async function readVars(written: Written, context: ImportContext): Promise<Written | LeftOut> {
  const { value } = written;
  const patterns: readonly unknown[] = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  if (patterns.length === 0) return written;
  const vars: Record<string, unknown> = {};
  for (const pattern of patterns) {
    const path = String(pattern).replace(/^file:\/\//, '');
    const names = /[*?]/.test(path) ? await context.glob(path) : [path];
    if (!/\.(?:ya?ml|json)$/i.test(path) || names.length === 0)
      return context.draft.refuse(written, `variables from ${String(pattern)} have no equivalent here`);
    for (const name of names) {
      const text = await context.readText(name, written);
      if (typeof text !== 'string') return text;
      const parsed = readWritten(name, text);
      if ('problems' in parsed || !isMap(parsed.value))
        return context.draft.refuse(written, `${name} is no map of variables`);
      Object.assign(vars, parsed.value);
    }
  }
  return placeAt(vars, written.at());
}

/** Fills the names of other variables into a value, where these are plain texts. */
function fillIn(vars: Vars): Vars {
  return Object.fromEntries(
    Object.entries(vars).map(([key, value]) => {
      if (typeof value !== 'string') return [key, value];
      const filled = value.replaceAll(/\{\{\s*([A-Za-z_][\w-]*)\s*\}\}/g, (whole, name: string) => {
        const other = Object.hasOwn(vars, name) ? vars[name] : undefined;
        return typeof other === 'string' && !isTemplate(other) && name !== key ? other : whole;
      });
      return [key, filled];
    }),
  );
}

function isTemplate(value: unknown): boolean {
  return typeof value === 'string' && /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/.test(value);
}

/** Empty values of the variables that some test does not set, as promptfoo renders them. */
export function findMissingVars(
  checked: ReadonlySet<string>,
  prompts: readonly (LeftOut | { readonly variables: readonly string[] })[],
  cases: readonly unknown[],
): Readonly<Record<string, string>> {
  const read = new Set([
    ...checked,
    ...prompts.flatMap((prompt) => (prompt instanceof LeftOut ? [] : prompt.variables)),
  ]);
  const given = cases.filter((one) => !(one instanceof LeftOut));
  const isMissing = (name: string) => given.some((one) => !Object.hasOwn(Object(Object(one)['vars']), name));
  return Object.fromEntries([...read].filter(isMissing).map((name) => [name, '']));
}

/** A prompt in code may do without a variable that some test lacks: a contract has to say so. */
export function findOptionalVars(
  prompts: readonly (LeftOut | { readonly prompt: Readonly<Record<string, unknown>> })[],
  cases: readonly unknown[],
): object | undefined {
  const isCode = prompts.some(
    (prompt) => !(prompt instanceof LeftOut) && (prompt.prompt['module'] ?? prompt.prompt['exec']) !== undefined,
  );
  const given = cases.filter((one) => !(one instanceof LeftOut)).map((one) => Object(Object(one)['vars']) as Vars);
  const names = [...new Set(given.flatMap((vars) => Object.keys(vars)))];
  if (!isCode || names.every((name) => given.every((vars) => Object.hasOwn(vars, name)))) return undefined;
  return { type: 'object', properties: Object.fromEntries(names.map((name) => [name, {}])) };
}
