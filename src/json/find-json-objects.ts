import { parseJson } from './parse-json.ts';

export interface FoundObject {
  /** As it stands in the text. */
  readonly text: string;
  readonly value: unknown;
}

/** Beyond these a text is no message with an object in it, and looking for more would take time squared. */
const maxStarts = 200;

/** The JSON objects in a text, outermost ones alone, in order: the text itself, or what stands among prose. */
export function findJsonObjects(text: string): readonly FoundObject[] {
  const found: FoundObject[] = [];
  let starts = 0;
  for (let start = text.indexOf('{'); start !== -1 && starts < maxStarts; starts += 1) {
    const end = endOfObject(text, start);
    const candidate = end === undefined ? undefined : text.slice(start, end);
    const parsed = candidate === undefined ? undefined : parseJson(candidate);
    if (candidate !== undefined && parsed?.ok === true) found.push({ text: candidate, value: parsed.value });
    start = text.indexOf('{', parsed?.ok === true && end !== undefined ? end : start + 1);
  }
  return found;
}

/** Behind the brace that closes the one at `start`; braces in strings don't count. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  let isInString = false;
  for (let index = start; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (isInString) {
      if (char === '\\') index += 1;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '{') depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return undefined;
}
