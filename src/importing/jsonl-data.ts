import type { Problem } from '../model/problem.ts';
import { createDraft } from './draft.ts';
import type { ImportedSuite } from './promptfoo.ts';
import { isMap, placeAt, readWritten } from './written.ts';

export interface JsonlFields {
  /** The field that holds the golden answer; by default the first of the usual names. */
  readonly expected?: string;
}

const EXPECTED = ['expected', 'ideal', 'expected_output', 'answer', 'target', 'output', 'completion', 'label'];

/** Reads rows of JSON as cases: the golden answer by its field's name, every other field a variable. */
export function importJsonl(
  file: string,
  text: string,
  { expected }: JsonlFields = {},
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
      ...(isId ? { id: String(id) } : {}),
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

/** A list holds answers of which each is right. */
function buildCheck(answer: unknown): unknown {
  if (Array.isArray(answer) && answer.every((item) => typeof item === 'string')) return { oneOf: '{{expected}}' };
  return typeof answer === 'object'
    ? { equals: '{{expected}}', select: { json: true } }
    : { equals: { value: '{{expected}}', trim: true } };
}
