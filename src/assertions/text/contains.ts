import * as z from 'zod';
import { defined } from '../../json/defined.ts';
import { findFaultOfAnyMode, findRegexFault, matchesEveryText } from '../../text/patterns/regex.ts';
import { lastWords, quote } from '../../text/shorten.ts';
import { defineAssertion, runRegex } from '../define.ts';
import { ignoreCaseParam, soughtParam, trimAnswerParam } from '../params.ts';
import { textOf } from '../targets.ts';

export const contains = defineAssertion({
  summary: 'the text contains another',
  family: 'text',
  example: 'contains: refund',
  failsOn: { text: 'It is on its way.' },
  definition: 'substring of code points; case by Unicode, section 3.13 (default conversion)',
  main: 'value',
  spelled: true,
  params: z.strictObject({ value: soughtParam.describe('The text to look for.'), ignoreCase: ignoreCaseParam }),
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const pass = searchIn(text, ignoreCase)(value);
    return { pass, reason: `${pass ? 'contains' : 'does not contain'} ${quote(value)}: found ${quote(text)}` };
  },
});

const listParams = z.strictObject({
  value: z.array(soughtParam).min(1, { error: 'needs at least one text' }).describe('The texts to look for.'),
  ignoreCase: ignoreCaseParam,
});

export const containsAll = defineAssertion({
  summary: 'the text contains every one of several texts; the score is the share found',
  family: 'text',
  example: 'containsAll: [refund, 14 days]',
  failsOn: { text: 'A refund takes a month.' },
  definition: 'substrings of code points; the score is the share found',
  main: 'value',
  spelled: true,
  params: listParams,
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const isFound = searchIn(text, ignoreCase);
    const absent = value.filter((part) => !isFound(part));
    const pass = absent.length === 0;
    const result = pass ? `contains all ${value.length} texts` : `does not contain ${listTexts(absent)}`;
    return { pass, score: 1 - absent.length / value.length, reason: `${result}: found ${quote(text)}` };
  },
});

export const containsAny = defineAssertion({
  summary: 'the text contains at least one of several texts',
  family: 'text',
  example: 'containsAny: [refund, money back]',
  failsOn: { text: 'It is on its way.' },
  definition: 'substrings of code points',
  main: 'value',
  spelled: true,
  params: listParams,
  check(target, { value, ignoreCase }) {
    const text = textOf(target);
    const found = value.find(searchIn(text, ignoreCase));
    const result = found === undefined ? `contains none of ${listTexts(value)}` : `contains ${quote(found)}`;
    return { pass: found !== undefined, reason: `${result}: found ${quote(text)}` };
  },
});

function searchIn(text: string, ignoreCase: boolean): (part: string) => boolean {
  const searched = ignoreCase ? text.toLowerCase() : text;
  return (part) => searched.includes(ignoreCase ? part.toLowerCase() : part);
}

function listTexts(texts: readonly string[]): string {
  return texts
    .slice(0, 10)
    .map((text) => quote(text, 60))
    .join(', ');
}

export const startsWith = defineAssertion({
  summary: 'the text starts with another',
  family: 'text',
  example: 'startsWith: "Dear"',
  failsOn: { text: 'Hello Ada,' },
  definition: 'prefix of code points',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: soughtParam.describe('The text it starts with.'),
    ignoreCase: ignoreCaseParam,
    trim: trimAnswerParam,
  }),
  check(target, { value, ignoreCase, trim }) {
    const text = trim ? textOf(target).trim() : textOf(target);
    const pass = ignoreCase ? text.toLowerCase().startsWith(value.toLowerCase()) : text.startsWith(value);
    return { pass, reason: `${pass ? 'starts' : 'does not start'} with ${quote(value)}: found ${quote(text)}` };
  },
});

export const endsWith = defineAssertion({
  summary: 'the text ends with another',
  family: 'text',
  example: 'endsWith: "Kind regards."',
  failsOn: { text: 'Bye!' },
  definition: 'suffix of code points',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: soughtParam.describe('The text it ends with.'),
    ignoreCase: ignoreCaseParam,
    trim: trimAnswerParam,
  }),
  check(target, { value, ignoreCase, trim }) {
    const text = trim ? textOf(target).trim() : textOf(target);
    const pass = ignoreCase ? text.toLowerCase().endsWith(value.toLowerCase()) : text.endsWith(value);
    const found = quote(lastWords(text, 200));
    return { pass, reason: `${pass ? 'ends' : 'does not end'} with ${quote(value)}: found ${found}` };
  },
});

const flagsPattern = /^[dgimsuvy]*$/;

/** A pattern and its flags in JavaScript's syntax. V8's own message describes a mistake. */
const regexParams = {
  value: z
    .string()
    // It would match everywhere.
    .min(1, { error: 'must not be empty' })
    .superRefine((pattern, context) => {
      // Here too, because `checkRegex` doesn't run on a map with an unknown key.
      const fault = findFaultOfAnyMode(pattern) ?? findSlashes(pattern);
      if (fault === undefined) return;
      if (typeof fault !== 'string') return context.addIssue({ code: 'custom', ...fault });
      // Python and PCRE write flags within the pattern.
      const [within, flags] = /^\(\?([a-z]+)\)/.exec(pattern) ?? [];
      const hint = within && `write { value: ${JSON.stringify(pattern.slice(within.length))}, flags: ${flags} }`;
      context.addIssue({ code: 'custom', message: fault, params: defined({ hint }) });
    })
    .describe('The pattern, in JavaScript syntax.'),
  flags: z
    .string()
    .regex(flagsPattern, { error: 'flags are letters of "dgimsuvy"' })
    .refine((flags) => new Set(flags).size === flags.length, { error: 'a flag is repeated' })
    .default('')
    .describe('Such as "i" for upper and lower case alike.'),
};

/**
 * Describes slashes copied from a regex literal in code. The pattern would search for them, so `not` would always pass.
 */
function findSlashes(pattern: string) {
  const [, inner, flags = ''] = /^\/(.+)\/([dgimsuvy]*)$/s.exec(pattern) ?? [];
  // A path may begin and end with a slash.
  if (inner === undefined || (flags === '' && !/[\\^$*+?()[\]{}|]/.test(inner))) return undefined;
  const value = JSON.stringify(inner);
  const plain = flags === '' ? `write ${value}` : `write { value: ${value}, flags: ${flags} }`;
  const hint = `${plain}; if the answer has these slashes, write \\/ for the first`;
  return { message: 'the pattern is between slashes, which the answer would have to contain', params: { hint } };
}

/** For `superRefine`: reports a pattern that JavaScript can't compile. */
function checkRegex(
  { value, flags }: { readonly value: string; readonly flags: string },
  context: z.RefinementCtx,
): void {
  // A fault of the flags, or of the pattern with any flags, is reported by its own schema.
  const problem = flagsPattern.test(flags) ? findRegexFault(value, flags) : undefined;
  if (problem !== undefined && findFaultOfAnyMode(value) === undefined)
    context.addIssue({ code: 'custom', path: ['value'], message: problem });
}

// The parameters of one check are one object for all its cells.
const compiled = new WeakMap<object, RegExp>();

export const regex = defineAssertion({
  summary: 'a regular expression matches somewhere in the text; stopped after half a second',
  family: 'text',
  example: 'regex: "^(billing|technical|sales)$"',
  failsOn: { text: 'accounting' },
  definition: 'ECMA-262, section 22.2; Unicode where the flags say so',
  main: 'value',
  params: z.strictObject(regexParams).superRefine(checkRegex),
  findIdle: ({ value, flags }) =>
    matchesEveryText(value, flags) ? `/${value}/${flags} matches every text, also an empty one` : undefined,
  check(target, params, { ports }) {
    const text = textOf(target);
    const pattern = compiled.get(params) ?? new RegExp(params.value, params.flags);
    compiled.set(params, pattern);
    // With the flags g and y the regex would keep its position in an earlier answer.
    pattern.lastIndex = 0;
    const found = runRegex(pattern, text.length, ports, () => pattern.exec(text));
    const shown = `/${params.value}/${params.flags}`;
    return found === null
      ? { pass: false, reason: `${shown} matches nothing in ${quote(text)}` }
      : { pass: true, reason: `${shown} matches ${quote(found[0])}` };
  },
});
