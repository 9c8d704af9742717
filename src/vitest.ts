/** Cases of suites as tests of vitest, and their checks as a matcher. */
import { expect } from 'vitest';
import { type CheckAnswerOptions, type CheckedAnswer, checkAnswer } from './api/check-answer.ts';
import type { Assertion } from './api/suite-definition.ts';

export type { CheckAnswerOptions, CheckedAnswer } from './api/check-answer.ts';
export { type DescribeSuiteOptions, describeSuite } from './api/describe-suite.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/no-explicit-any -- the form that vitest documents for matchers of one's own
  interface Matchers<T = any> {
    /** Makes checks as a suite does; a check that can't be made throws, under `not` too. Await it. */
    toPassChecks(checks: readonly Assertion[], options?: CheckAnswerOptions): Promise<T>;
  }
}

expect.extend({
  async toPassChecks(answer: string | CheckedAnswer, checks: readonly Assertion[], options?: CheckAnswerOptions) {
    const verdicts = await checkAnswer(answer, checks, options);
    const broken = verdicts.find(({ error }) => error !== undefined);
    if (broken !== undefined) throw new Error(`${broken.name ?? broken.assertion}: ${broken.error}`);
    const deciding = verdicts.filter(({ weight, required }) => weight > 0 || required);
    const failed = deciding.filter(({ pass }) => !pass);
    const pass = failed.length === 0;
    const shown = pass ? deciding : failed;
    return {
      pass,
      message: () => shown.map(({ assertion, name, reason }) => `${name ?? assertion}: ${reason}`).join('\n'),
    };
  },
});
