import { parseCsv } from '../text/csv.ts';
import type { Draft, LeftOut } from './draft.ts';
import { isMap, placeAt, readWritten, type Written } from './written.ts';

export interface TestContext {
  readonly draft: Draft;
  readonly readText: (reference: string, written: Written) => Promise<string | LeftOut>;
}

/** Tests as they are written, in whatever file. */
export async function readTests(written: Written, context: TestContext): Promise<readonly (Written | LeftOut)[]> {
  const { value } = written;
  if (typeof value === 'string') return readTestFile(value, written, context);
  const tests: (Written | LeftOut)[] = [];
  for (const item of written.items()) {
    if (typeof item.value === 'string') tests.push(...(await readTestFile(item.value, item, context)));
    else if (isMap(item.value) && typeof item.value['path'] === 'string')
      tests.push(context.draft.refuse(item, 'tests that are made by code have no equal here'));
    else tests.push(item);
  }
  return tests;
}

async function readTestFile(
  reference: string,
  written: Written,
  context: TestContext,
): Promise<readonly (Written | LeftOut)[]> {
  const { draft } = context;
  if (
    /^(?:https?|huggingface|az):/.test(reference) ||
    /[*?{}]/.test(reference) ||
    !/\.(?:ya?ml|json|jsonl|csv)$/i.test(reference)
  ) {
    return [
      draft.refuse(
        written,
        `tests from ${reference} have no equal here`,
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

/** Columns are variables, but for those that begin with two underscores. */
function readCsv(file: string, text: string, written: Written, { draft }: TestContext): readonly (Written | LeftOut)[] {
  const csv = parseCsv(text);
  if ('error' in csv) return [draft.refuse(written, `${file} can't be read: ${csv.error.message}`)];
  const [header, ...rows] = csv.records;
  const columns = (header?.fields ?? []).map((column) => column.trim());
  return rows.map(({ fields, line }) => {
    const row = placeAt(undefined, { file, line, column: 1 });
    const vars: [string, unknown][] = [];
    const assert: unknown[] = [];
    const test: Record<string, unknown> = {};
    for (const [index, column] of columns.entries()) {
      const cell = fields[index] ?? '';
      if (!column.startsWith('__')) vars.push([column, cell]);
      else if (/^__expected\d*$/.test(column)) {
        if (cell.trim() === '') continue;
        const found = readExpected(cell.trim());
        if (found === undefined)
          return draft.refuse({ ...row, value: cell }, `"${cell}" in ${column} has no equal here`);
        assert.push(found);
      } else if (column === '__description') test['description'] = cell;
      else if (column === '__threshold') test['threshold'] = cell === '' ? undefined : Number(cell);
      else if (cell !== '') return draft.refuse({ ...row, value: cell }, `the column ${column} has no equal here`);
    }
    return placeAt(
      { ...test, vars: Object.fromEntries(vars), ...(assert.length === 0 ? {} : { assert }) },
      { file, line, column: 1 },
    );
  });
}

/** `contains: word` in a cell; a text without a type must equal the answer. */
function readExpected(cell: string): unknown {
  if (/^(?:fn|eval|javascript|python|file|grade):/.test(cell)) return undefined;
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
    ...(value === undefined ? {} : { value: value.trim() }),
    ...(threshold === undefined ? {} : { threshold: Number(threshold) }),
  };
}

function similarOf(cell: string): unknown {
  const [, type = '', threshold, value = ''] = /^(similar|levenshtein)(?:\(([\d.]+)\))?:([\s\S]*)$/.exec(cell) ?? [];
  if (type === '') return undefined;
  return { type, value: value.trim(), ...(threshold === undefined ? {} : { threshold: Number(threshold) }) };
}
