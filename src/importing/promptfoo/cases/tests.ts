import { posix } from 'node:path';
import { defined } from '../../../json/defined.ts';
import { parseCsv } from '../../../text/csv.ts';
import {
  type Draft,
  type ImportContext,
  isMap,
  LeftOut,
  placeAt,
  quote,
  readWritten,
  type Written,
  withValue,
} from '../../draft.ts';
import { fillIn } from '../code/nunjucks.ts';
import { picturePattern } from './pictures.ts';

/** Keys of which promptfoo requires one per test; `config` is a scenario's. */
const testKeys = 'assert vars options metadata provider providerOutput threshold config $ref'.split(' ');

/** Reads the tests in a config, or in the files that it names. */
export async function readTests(written: Written, context: ImportContext): Promise<readonly (Written | LeftOut)[]> {
  const { value } = written;
  if (typeof value === 'string') return readTestFile(value, written, context);
  if (isMap(value) && typeof value['path'] === 'string') return readTestFile(value['path'], written, context);
  if (isMap(value)) return [context.draft.refuse(written, 'tests must be a list: promptfoo does not read a map')];
  return readItems(written.items(), context);
}

/** Reads the tests of each scenario, once per set of its data. */
export async function readScenarios(
  written: Written,
  context: ImportContext,
): Promise<readonly { readonly found: readonly (Written | LeftOut)[]; readonly data?: Written }[]> {
  const read: { readonly found: readonly (Written | LeftOut)[]; readonly data?: Written }[] = [];
  for (const scenario of written.value === undefined ? [] : await readTests(written, context)) {
    if (scenario instanceof LeftOut) read.push({ found: [scenario] });
    else
      for (const data of listOf(scenario, 'config', context.draft))
        if (data instanceof LeftOut) read.push({ found: [data] });
        else read.push({ found: await readTests(scenario.child('tests'), context), data });
  }
  return read;
}

/** Items of a part that promptfoo accepts only as a list. */
export function listOf(whole: Written, key: string, draft: Draft): readonly (Written | LeftOut)[] {
  const part = whole.child(key);
  if (part.value === undefined || part.value === null || Array.isArray(part.value)) return part.items();
  return [draft.refuse(part, `${key} must be a list`, 'begin each item with "- "')];
}

async function readItems(items: readonly Written[], context: ImportContext): Promise<readonly (Written | LeftOut)[]> {
  const tests: (Written | LeftOut)[] = [];
  for (const item of items) {
    const { value } = item;
    if (typeof value === 'string') tests.push(...(await readTestFile(value, item, context)));
    else if (isMap(value) && typeof value['path'] === 'string')
      tests.push(...(await readTestFile(value['path'], item, context)));
    else if (isMap(value) && testKeys.some((key) => Boolean(value[key]))) tests.push(item);
    else tests.push(context.draft.refuse(item, 'promptfoo takes no test without assert, vars, options or metadata'));
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
  const [, code, name] = /^(?:file:\/\/)?(.+\.(?:py|[cm]?[jt]s))(?::(\w+))?$/.exec(reference) ?? [];
  if (code !== undefined) {
    const made = name === undefined ? 'the code' : `the function ${name}`;
    const hint = `write what it returns into a file, and name that under tests: ${describeRun(code, name)}`;
    return [draft.refuse(written, `${made} of ${quote(code)} makes tests, and an import runs nothing`, hint)];
  }
  if (/^(?:https?|huggingface|az):/.test(reference) || !/\.(?:ya?ml|json|jsonl|csv)$/i.test(reference)) {
    return [
      draft.refuse(
        written,
        `tests from ${quote(reference)} have no equivalent here`,
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
  // A map is a single test. promptfoo reads its variables from the folder of its file.
  const found = isMap(parsed.value) ? [parsed] : parsed.items();
  const folder = posix.dirname(file);
  return readItems(folder === '.' ? found : found.map((test) => moveVars(test, folder)), context);
}

function moveVars(test: Written, folder: string): Written {
  const { vars } = Object(test.value) as { readonly vars?: unknown };
  const move = (path: unknown): unknown =>
    typeof path === 'string' ? posix.join(folder, path.replace(/^file:\/\//, '')) : path;
  if (typeof vars !== 'string' && !Array.isArray(vars)) return test;
  return withValue(test, { ...Object(test.value), vars: typeof vars === 'string' ? move(vars) : vars.map(move) });
}

/** Command that prints the tests made by code. */
function describeRun(code: string, name: string | undefined): string {
  const path = code.startsWith('.') ? code : `./${code}`;
  if (!code.endsWith('.py')) {
    const made = `m${name === undefined ? '.default' : `.${name}`}`;
    return `node -e "import('${path}').then(async (m) => console.log(JSON.stringify(${made} instanceof Function ? await ${made}() : ${made})))" > tests.json`;
  }
  const folder = posix.dirname(code);
  const module = posix.basename(code, '.py');
  return `python3 -c "import json, sys; sys.path.insert(0, '${folder}'); import ${module}; print(json.dumps(${module}.${name ?? 'generate_tests'}()))" > tests.json`;
}

/** Reads the tests of every file that matches a pattern. */
async function readTestFiles(
  pattern: string,
  written: Written,
  context: ImportContext,
): Promise<readonly (Written | LeftOut)[]> {
  const names = await context.glob(pattern.replace(/^file:\/\//, ''));
  if (names.length === 0) return [context.draft.refuse(written, `no file of the project matches ${quote(pattern)}`)];
  const tests: (Written | LeftOut)[] = [];
  for (const name of names) tests.push(...(await readTestFile(name, written, context)));
  return tests;
}

/** Reads a CSV of tests. Columns are variables, unless their name starts with two underscores. */
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
    const given: [string, unknown][] = [];
    const assert: object[] = [];
    const thresholds = new Map<number, number>();
    let metric: string | undefined;
    const test: Record<string, unknown> = {};
    for (const [index, column] of columns.entries()) {
      const cell = fields[index] ?? '';
      if (!column.startsWith('__')) given.push([column, cell]);
      else if (/^__expected\d*$/.test(column)) {
        if (cell.trim() === '') continue;
        const found = readExpected(cell.trim());
        if (found === undefined)
          return draft.refuse({ ...row, value: cell }, `"${quote(cell)}" in ${column} has no equivalent here`);
        assert.push(found);
      } else if (column === '__metric') metric = cell === '' ? undefined : cell;
      else if (column === '__description') test['description'] = cell;
      else if (column === '__threshold') test['threshold'] = cell === '' ? undefined : Number(cell);
      else if (/^__config:__expected\d*:threshold$/.test(column)) {
        const number = Number(/\d+/.exec(column)?.[0] ?? 1);
        if (cell.trim() !== '') thresholds.set(number - 1, Number(cell));
      } else if (column.startsWith('__metadata:')) draft.note(row, `the column ${column} is left out`);
      else if (cell !== '') return draft.refuse({ ...row, value: cell }, `the column ${column} has no equivalent here`);
    }
    const checks = assert.map((one, index) => ({
      ...one,
      ...defined({ metric }),
      ...defined({ threshold: thresholds.get(index) }),
    }));
    const vars = Object.fromEntries(given);
    return placeAt({ ...test, vars, ...defined({ assert: checks.length === 0 ? undefined : checks }) }, row.at());
  });
}

/** Assertion types in a cell. */
const cellPattern =
  /^((?:not-)?(?:agent-rubric|answer-relevance|bleu|classifier|contains|contains-all|contains-any|contains-html|contains-json|contains-sql|contains-xml|context-faithfulness|context-recall|context-relevance|conversation-relevance|cost|equals|factuality|finish-reason|g-eval|gleu|guardrails|icontains|icontains-all|icontains-any|is-html|is-json|is-refusal|is-sql|is-valid-function-call|is-valid-openai-function-call|is-valid-openai-tools-call|is-xml|javascript|latency|levenshtein|llm-rubric|pi|meteor|model-graded-closedqa|model-graded-factuality|moderation|perplexity|perplexity-score|python|regex|rouge-n|ruby|similar|similar:cosine|similar:dot|similar:euclidean|starts-with|tool-call-f1|skill-used|trajectory:[a-z-]+|trace-[a-z-]+|search-rubric|webhook|word-count))(?:\((\d+(?:\.\d+)?)\))?(?::([\s\S]*))?$/;
/** Types whose number in brackets is a threshold, and `similar`, which also has a default. */
const cellThresholdPattern =
  /^(?:not-)?(?:answer-relevance|classifier|context-faithfulness|context-recall|context-relevance|cost|latency|levenshtein|perplexity-score|perplexity|rouge-n|similar)$/;

/** Reads an expected cell, such as `contains: word`. A text without a type must equal the answer. */
function readExpected(cell: string): Readonly<Record<string, unknown>> | undefined {
  const [, code] = /^(?:javascript|fn|eval):([\s\S]*)$/.exec(cell) ?? [];
  if (code !== undefined) return { type: 'javascript', value: code.trim() };
  if (/^file:\/\/\S+\.[cm]?[jt]s(?::\w+)?$/.test(cell)) return { type: 'javascript', value: cell };
  // promptfoo reads the name of a Python file in a cell as code.
  if (/^file:\/\/.*\.py(?::|$)/.test(cell)) return undefined;
  const [, rubric] = /^(?:grade|llm-rubric):([\s\S]*)$/.exec(cell) ?? [];
  if (rubric !== undefined) return { type: 'llm-rubric', value: rubric };
  const [, type, number, value] = cellPattern.exec(cell) ?? [];
  if (type === undefined) return { type: 'equals', value: cell };
  const usual = type.endsWith('similar') ? 0.8 : 0.75;
  const threshold = cellThresholdPattern.test(type) ? Number(number ?? usual) : undefined;
  return { type, ...defined({ value: type.endsWith('json') ? value : value?.trim(), threshold }) };
}

type Vars = Readonly<Record<string, unknown>>;

/** Expands a test's variables: one set for each combination of its lists of texts. */
export async function expandVars(
  merged: ReadonlyMap<string, Written>,
  context: ImportContext,
): Promise<readonly Vars[] | LeftOut> {
  const { draft } = context;
  let combinations: Vars[] = [{}];
  for (const [key, written] of merged) {
    const { value } = written;
    // A list of anything but texts is one value.
    const isMatrix = Array.isArray(value) && typeof value[0] === 'string';
    const values: unknown[] = [];
    for (const item of isMatrix ? written.items() : await findFiles(written, context)) {
      const read = await readValue(item, key, context);
      if (read instanceof LeftOut) return read;
      values.push(read);
    }
    combinations = combinations.flatMap((vars) => values.map((one) => ({ ...vars, [key]: one })));
    if (combinations.length > 10_000) return draft.refuse(written, 'the lists of variables make more than 10000 cases');
  }
  return combinations.map(fillIn);
}

/** Merges the variables of a test over those of the defaults, each with its place. */
export async function mergeVars(
  parts: readonly Written[],
  context: ImportContext,
): Promise<ReadonlyMap<string, Written> | LeftOut> {
  const merged = new Map<string, Written>();
  for (const given of parts) {
    if (given.value === undefined || given.value === null) continue;
    const part = await readVars(given, context);
    if (part instanceof LeftOut) return part;
    if (!isMap(part.value)) return context.draft.refuse(part, 'variables must be a map');
    for (const key of Object.keys(part.value)) merged.set(key, part.child(key));
  }
  return merged;
}

async function readValue(
  written: Written,
  name: string,
  { draft, readText, pictures, readPicture }: ImportContext,
): Promise<unknown> {
  const { value } = written;
  const isPicture = typeof value === 'string' && value.startsWith('file://') && picturePattern.test(value);
  if (readPicture !== undefined && (isPicture || pictures?.has(name) === true)) return readPicture(written, name);
  // A missing value is an empty text in a prompt.
  if (typeof value !== 'string') return value ?? '';
  const isFile = value.startsWith('file://');
  if (value.startsWith('package:') || (isFile && codeFilePattern.test(value)))
    return draft.refuse(
      written,
      `${quote(value)} is code, which has no equivalent here`,
      'write the text in its place',
    );
  if (!isFile) return value.replace(/\n$/, '');
  // promptfoo reads all lines as a file name.
  if (/\n/.test(value)) return draft.refuse(written, `no file of the project matches ${quote(value)}`);
  if (mediaFilePattern.test(value))
    return draft.refuse(written, `${quote(value)} is no text that can be taken over`, 'write the text in its place');
  const text = await readText(value, written);
  if (typeof text !== 'string') return text;
  if (!/\.ya?ml$/i.test(value)) return text.trim();
  const parsed = readWritten(value, text);
  return 'problems' in parsed ? draft.refuse(written, `${quote(value)} can't be read`) : JSON.stringify(parsed.value);
}

const codeFilePattern = /\.(?:[cm]?[jt]s|py)$/i;
/** Other files that promptfoo sends as data or extracts text from. */
const mediaFilePattern = /\.(?:tiff?|ico|avif|heic|heif|pdf|mp3|wav|ogg|flac|aac|m4a|mp4|webm|mov|avi|mkv|m4v|wmv)$/i;

/** Expands a pattern to its files. */
async function findFiles(written: Written, { glob }: ImportContext): Promise<readonly Written[]> {
  const { value } = written;
  if (typeof value !== 'string' || !/^file:\/\/[^\n]*[*?]/.test(value)) return [written];
  const names = await glob(value.slice('file://'.length));
  return names.length === 0 ? [written] : names.map((name) => placeAt(`file://${name}`, written.at()));
}

/** Reads the variables of a layer, possibly from files. */
async function readVars(written: Written, context: ImportContext): Promise<Written | LeftOut> {
  const { value } = written;
  const patterns: readonly unknown[] = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  if (patterns.length === 0) return written;
  const vars: Record<string, unknown> = {};
  for (const pattern of patterns) {
    const path = String(pattern).replace(/^file:\/\//, '');
    const names = /[*?]/.test(path) ? await context.glob(path) : [path];
    if (!/\.(?:ya?ml|json)$/i.test(path) || names.length === 0)
      return context.draft.refuse(written, `variables from ${quote(String(pattern))} have no equivalent here`);
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
