import { defined } from '../json/defined.ts';
import { type Problem, UserError } from '../model/problem.ts';

/** A mistake on the command line; the hint is a next step that works. */
export function usageProblem(message: string, hint?: string): Problem {
  return { code: 'usage', severity: 'error', message, ...defined({ hint }) };
}

export function usageError(message: string, hint?: string): UserError {
  return new UserError([usageProblem(message, hint)]);
}
