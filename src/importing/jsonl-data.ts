import { defined } from '../json/defined.ts';
import type { Problem } from '../model/problem.ts';
import { createDraft, type ImportedSuite } from './draft.ts';
import { isMap, placeAt, readWritten } from './written.ts';

/** The usual names of the field that holds the golden answer. */
const EXPECTED = ['expected', 'ideal', 'expected_output', 'answer', 'target', 'output', 'completion', 'label'];

/** Reads rows of JSON as cases. The golden answer is the field `expected`, or one of a usual name; the others are variables. */
export function importJsonl(
  file: string,
  text: string,
  expected: string | undefined,
): ImportedSuite | { readonly problems: readonly Problem[] } {
  const draft = createDraft();
  const cases: unknown[] = [];
  const seen = new Set<string>();
  let names: readonly string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const parsed = readWritten(file, line);
    const row = placeAt('problems' in parsed ? line : parsed.value, { file, line: index + 1, column: 1 });
    if (!isMap(row.value)) {
      cases.push(draft.refuse(row, 'the row is no JSON object'));
      continue;
    }
    const entries = Object.entries(row.value);
    const golden = expected ?? EXPECTED.find((name) => entries.some(([key]) => key === name));
    const { id } = row.value;
    const isId = typeof id === 'string' || typeof id === 'number';
    const vars = Object.fromEntries(entries.filter(([key]) => key !== golden && !(key === 'id' && isId)));
    const answer = golden === undefined ? undefined : row.value[golden];
    const key = JSON.stringify(vars);
    if (seen.has(key) && !isId) {
      cases.push(draft.refuse(row, 'the row has the variables of an earlier one', 'give each an id'));
      continue;
    }
    seen.add(key);
    if (names.length === 0) names = Object.keys(vars);
    cases.push({
      ...defined({ id: isId ? String(id) : undefined }),
      vars,
      ...(answer === undefined ? { observe: true } : { expected: answer, assert: [buildCheck(answer)] }),
    });
  }
  const simple = names.filter((name) => /^[A-Za-z_][\w-]*$/.test(name));
  return {
    suite: {
      prompts: [{ id: 'v1', text: simple.map((name) => `${name}: {{ ${name} }}`).join('\n') }],
      providers: ['openai:gpt-4o-mini'],
      cases,
    },
    refused: draft.refused,
    notes: [],
  };
}

/** Each answer of a list is right. */
function buildCheck(answer: unknown): unknown {
  if (Array.isArray(answer) && answer.every((item) => typeof item === 'string')) return { oneOf: '{{expected}}' };
  return typeof answer === 'object'
    ? { equals: '{{expected}}', select: { json: true } }
    : { equals: { value: '{{expected}}', trim: true } };
}
