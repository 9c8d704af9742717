import * as z from 'zod';

const flagsPattern = /^[dgimsuvy]*$/;

/** A pattern and its flags in JavaScript's syntax; V8's own message where it is not. */
export const regexParams = {
  value: z.string().describe('The pattern, in JavaScript syntax.'),
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
  // What is wrong with the flags is said where they stand.
  const problem = flagsPattern.test(flags) ? findRegexProblem(value, flags) : undefined;
  if (problem !== undefined) context.addIssue({ code: 'custom', path: ['value'], message: problem });
}

/** What V8 says of a pattern; undefined where it compiles. */
function findRegexProblem(pattern: string, flags: string): string | undefined {
  try {
    return new RegExp(pattern, flags) instanceof RegExp ? undefined : 'not a regular expression';
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return error.message;
  }
}
