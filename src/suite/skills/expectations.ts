import { defined } from '../../json/defined.ts';
import { childOf, itemsOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { literal } from './skill-file.ts';

/** Where evals list what must hold; files have one or two of them. */
export const expectationKeys = [
  'expectations',
  'assertions',
  'expect',
  'expected_behavior',
  'scorers',
  'criteria',
] as const;

const textKeys = ['text', 'expectation', 'assertion', 'description', 'criterion', 'statement', 'check', 'requirement'];

export interface Expectation {
  readonly check: Readonly<Record<string, unknown>>;
  readonly written: Located;
}

/** The checks of an eval. Without a list, its expected output is the one that a judge is asked about. */
export function readExpectations(written: Located, judge: string | undefined, problems: Problems): Expectation[] {
  const found: Expectation[] = [];
  for (const key of expectationKeys) {
    const list = childOf(written, key);
    if (list.value === undefined || list.value === null) continue;
    if (isText(list.value)) {
      found.push({ check: askJudge(list.value, judge), written: list });
      continue;
    }
    if (!Array.isArray(list.value)) {
      problems.report({ code: 'invalid-value', message: `${key} must be a list`, at: locate(list) });
      continue;
    }
    for (const item of itemsOf(list)) {
      const check = readExpectation(item, judge);
      if (check !== undefined) found.push({ check, written: item });
      else {
        const hint = 'write a text, or a map with text or description';
        problems.report({ code: 'invalid-value', message: `an item of ${key} has no text`, hint, at: locate(item) });
      }
    }
  }
  const expected = childOf(written, 'expected_output');
  if (found.length > 0 || problems.errorCount() > 0 || !isText(expected.value)) return found;
  const check = askJudge(`The answer is what this description of the result asks for: ${expected.value}`, judge);
  return [{ check, written: expected }];
}

function readExpectation(item: Located, judge: string | undefined): Expectation['check'] | undefined {
  if (isText(item.value)) return askJudge(item.value, judge);
  const name = ['name', 'id'].map((key) => childOf(item, key).value).find(isText);
  const check = readTyped(item) ?? readText(item, judge);
  return check && { ...check, ...defined({ name }) };
}

/** Forms that need no judge. */
function readTyped(item: Located): Expectation['check'] | undefined {
  const [type, pattern, value] = ['type', 'pattern', 'value'].map((key) => childOf(item, key).value);
  if (type === 'regex' && isText(pattern)) return { regex: literal(pattern) };
  if (type === 'contains' && isText(value)) return { contains: literal(value) };
  // An empty answer holds nothing at all.
  if (type === 'not_contains' && isText(value)) {
    return { allOf: [{ not: { contains: literal(value) } }, { regex: '\\S' }] };
  }
  return undefined;
}

function readText(item: Located, judge: string | undefined): Expectation['check'] | undefined {
  const text = textKeys.map((key) => childOf(item, key).value).find(isText);
  return text === undefined ? undefined : askJudge(text, judge);
}

function askJudge(text: string, judge: string | undefined): Expectation['check'] {
  return { rubric: { value: literal(text), ...defined({ judge }) } };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
