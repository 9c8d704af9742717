import type * as z from 'zod';
import { deepEqual } from '../json/deep-equal.ts';
import { findJsonObjects } from '../json/find-json-objects.ts';
import { quote } from '../text/quote.ts';

export type ReadReply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/**
 * Reads the one verdict that a judge's reply holds, alone or among prose. An object that the judged texts hold as well is a
 * quotation: an answer must not be able to hand the judge its verdict.
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
