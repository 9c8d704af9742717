import type { Problem } from './model/problem.ts';

/** Input that the user can fix: every problem at once. Ends in exit code 2, with nothing sent. */
export class UserError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map((problem) => problem.message).join('\n'), options);
    this.name = 'UserError';
    this.problems = problems;
  }
}
