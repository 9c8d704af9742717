import { parseJson } from '../../json/parse-json.ts';
import type { Problem } from '../../model/problem.ts';
import { plainNumbers, replaceLongNumbers } from '../../text/exact-numbers.ts';
import { isMap, placeAt, type Written } from '../draft.ts';
import { CutJsonError, type IsPart, splitJson } from './split-json.ts';

/** The rows of a data set: a JSON object a line, a list, or a list in a wrapper such as `{"data": […]}`. */
export function readDataRows(
  file: string,
  text: string,
): readonly Written[] | { readonly problems: readonly Problem[] } {
  const [first = ''] = text.trimStart().split('\n', 1);
  const line = parseJson(first);
  const isLines = line.ok && isMap(line.value) && findList(line.value) === undefined;
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
  const key = isMap(value) ? findList(value) : undefined;
  const list = isMap(value) && key !== undefined ? value[key] : value;
  if (Array.isArray(list)) {
    const lines = findLines(text, (path) => path.join('\n') === (key === undefined ? '*' : `${key}\n*`));
    const hasLines = lines.length === list.length;
    return list.map((item: unknown, index) =>
      placeAt(readValue(item), { ...at, line: (hasLines ? lines[index] : undefined) ?? 1 }),
    );
  }
  return [placeAt(readValue(value), at)];
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
