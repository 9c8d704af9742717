import * as z from 'zod';
import { findFaultOfAnyMode, findRegexFault } from '../../text/regex.ts';
import { quote } from '../../text/shorten.ts';
import { defineAssertion, runRegex } from '../define.ts';
import { textOf } from '../targets.ts';

const flagsPattern = /^[dgimsuvy]*$/;

/** A pattern and its flags in JavaScript's syntax; V8's own message where it is not. */
export const regexParams = {
  value: z
    .string()
    // It would match everywhere.
    .min(1, { error: 'must not be empty' })
    .superRefine((pattern, context) => {
      // Here too, since `checkRegex` doesn't run on a map with an unknown key.
      const fault = findFaultOfAnyMode(pattern);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .describe('The pattern, in JavaScript syntax.'),
  flags: z
    .string()
    .regex(flagsPattern, { error: 'flags are letters of "dgimsuvy"' })
    .refine((flags) => new Set(flags).size === flags.length, { error: 'a flag is repeated' })
    .default('')
    .describe('Such as "i" for upper and lower case alike.'),
};

/** For `superRefine`: reports a pattern that JavaScript can't compile. */
export function checkRegex(
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
