import { describe, expect, test } from 'vitest';
import { classifyCase, isSuspect } from '../../src/verdict/pair-cases.ts';
import { buildCaseSummary } from '../support/build-side.ts';

describe('what became of a case', () => {
  test.each([
    ['p', 'p', 'stillPassing', false],
    ['p', 'f', 'regressed', true],
    ['f', 'p', 'fixed', false],
    ['f', 'f', 'stillFailing', false],
    ['ppp', 'ppf', 'flaky', false],
    ['ppp', 'pff', 'flaky', false],
    ['ppf', 'fff', 'regressed', true],
    ['pff', 'fff', 'stillFailing', false],
    // Half is no majority.
    ['pf', 'ff', 'stillFailing', false],
    ['pf', 'pp', 'fixed', false],
    ['p', 'f+fff', 'regressed', true],
    // The planned trials make it a suspect, and a fresh trial clears it.
    ['p', 'f+fp', 'flaky', true],
    ['f', 'f+p', 'flaky', false],
    // Only verdicts count.
    ['p', 'ef', 'regressed', true],
    ['pe', 'f', 'regressed', true],
    ['p', 'e', 'unjudged', false],
    ['e', 'f', 'unjudged', false],
    ['p', 's', 'unjudged', false],
    ['', 'p', 'unjudged', false],
  ])('of %s to %s is %s', (before, after, change, suspect) => {
    const [baseline, candidate] = [buildCaseSummary('a', before), buildCaseSummary('a', after)];
    expect([classifyCase(baseline, candidate), isSuspect(baseline, candidate)]).toEqual([change, suspect]);
  });
});
