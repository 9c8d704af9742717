import { plainNumbers } from '../../text/exact-numbers.ts';
import { childOf, type Located } from '../documents/locate.ts';

/** Names that other tools give to assertions, and what to write here; "…" is the parameter. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ['icontains', 'contains: { value: …, ignoreCase: true }'],
  ['icontains-all', 'containsAll: { value: …, ignoreCase: true }'],
  ['icontains-any', 'containsAny: { value: …, ignoreCase: true }'],
  ['is-json', 'json: true'],
  ['is-valid-json', 'json: true'],
  ['contains-json', 'json: true, select: { codeBlock: json }'],
  ['is-xml', 'xml: true'],
  ['is-html', 'html: true'],
  ['is-sql', 'sql: true'],
  ['is-refusal', 'refusal: true'],
  ['rouge-n', 'rouge: { value: …, min: 0.75 }'],
  ['levenshtein', 'levenshtein: { value: …, min: 0.8 }'],
  ['similar', 'similar: { value: …, min: 0.8 }'],
  ['llm-rubric', 'rubric: …'],
  ['g-eval', 'rubric: …'],
  ['model-graded-closedqa', 'rubric: …'],
  ['factuality', 'factual: …'],
  ['model-graded-factuality', 'factual: …'],
  ['select-best', 'pairwise: …'],
  ['javascript', 'module: FILE'],
  ['python', 'exec: "python FILE"'],
  ['ruby', 'exec: "ruby FILE"'],
]);

/** The next step for `type: contains, value: …` and `name: contains, value: …`; undefined for anything else. */
export function hintOfOtherStyle(located: Located, known: readonly string[]): string | undefined {
  const [type, name] = ['type', 'name'].map((key) => childOf(located, key).value);
  const written = type ?? (known.includes(String(name)) ? name : undefined);
  if (typeof written !== 'string') return undefined;
  const isNot = written.startsWith('not-');
  const form = findForm(isNot ? written.slice(4) : written, known);
  if (form === undefined) return undefined;
  const value = plainNumbers(childOf(located, 'value').value);
  const own = form.replace('…', () => (value === undefined ? '…' : JSON.stringify(value)));
  return `here the name is the key: write ${isNot ? `not: { ${own} }` : own}`;
}

function findForm(name: string, known: readonly string[]): string | undefined {
  const camel = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return otherNames.get(name) ?? (known.includes(camel) ? `${camel}: …` : undefined);
}
