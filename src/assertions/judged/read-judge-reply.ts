import type * as z from 'zod';
import { deepEqual } from '../../json/deep-equal.ts';
import { parseJson } from '../../json/parse-json.ts';
import { quote } from '../../text/shorten.ts';

export type ReadReply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/**
 * Reads the one verdict in a judge's reply; prose may surround it. An object that is also in the judged texts is a quotation:
 * an answer must not dictate its own verdict.
 */
export function readJudgeReply<T>(
  reply: string,
  schema: z.ZodType<T>,
  isQuoted: (text: string) => boolean,
): ReadReply<T> {
  const spoken = reply.replaceAll(/<think>[\s\S]*?<\/think>/g, '');
  const verdicts: T[] = [];
  let fault = 'it holds no JSON object';
  for (const { text, value } of findJsonObjects(spoken)) {
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      fault = `its JSON object is no verdict: ${[issue?.path.join('.'), issue?.message].filter(Boolean).join(': ')}`;
    } else if (isQuoted(text)) {
      fault = 'its verdict is a quotation of what was to be judged';
    } else if (!verdicts.some((known) => deepEqual(known, parsed.data))) {
      verdicts.push(parsed.data);
    }
  }
  const [verdict] = verdicts;
  if (verdicts.length > 1) return { ok: false, reason: 'it holds several verdicts' };
  if (verdict !== undefined) return { ok: true, value: verdict };
  return { ok: false, reason: `${fault}: ${quote(reply, 120)}` };
}

/** True for a text that one of the judged ones holds, white space aside. */
export function createQuotationCheck(judged: readonly string[]): (text: string) => boolean {
  let squeezed: readonly string[] | undefined;
  return (text) => {
    squeezed ??= judged.map(squeeze);
    const sought = squeeze(text);
    return squeezed.some((other) => other.includes(sought));
  };
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, '');
}

export interface FoundObject {
  /** As written in the text. */
  readonly text: string;
  readonly value: unknown;
}

/** A reply has one object. To look at more starts would take quadratic time. */
const maxStarts = 200;

/** The JSON objects in a text, outermost ones only, in order; prose may surround them. */
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
