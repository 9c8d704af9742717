import * as z from 'zod';
import { findFaultOfAnyMode, findRegexFault } from '../text/regex-fault.ts';

const flagsPattern = /^[dgimsuvy]*$/;

/** A pattern and its flags in JavaScript's syntax; V8's own message where it is not. */
export const regexParams = {
  value: z
    .string()
    // It would match everywhere.
    .min(1, { error: 'must not be empty' })
    .superRefine((pattern, context) => {
      // Here too, since nothing is asked of a map with a key that is unknown.
      const fault = findFaultOfAnyMode(pattern);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    })
    .describe('The pattern, in JavaScript syntax.'),
  flags: z
    .string()
    .regex(flagsPattern, { error: 'flags are letters of "dgimsuvy"' })
    .refine((flags) => new Set(flags).size === flags.length, { error: 'a flag stands twice' })
    .default('')
    .describe('Such as "i" for upper and lower case alike.'),
};

/** For `superRefine`: reports a pattern that JavaScript can't compile at the parameter it stands in. */
export function checkRegex(
  { value, flags }: { readonly value: string; readonly flags: string },
  context: z.RefinementCtx,
): void {
  // What is wrong with the flags, or with the pattern alone, is said where it stands.
  const problem = flagsPattern.test(flags) ? findRegexFault(value, flags) : undefined;
  if (problem !== undefined && findFaultOfAnyMode(value) === undefined)
    context.addIssue({ code: 'custom', path: ['value'], message: problem });
}
