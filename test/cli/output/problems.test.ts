import { describe, expect, it } from 'vitest';
import { describeProblems } from '../../../src/cli/output/problems.ts';
import type { Problem } from '../../../src/model/problem.ts';

const unknown: Problem = {
  code: 'unknown-assertion',
  severity: 'error',
  message: 'There is no assertion "contain".',
  hint: 'did you mean "contains"?',
  at: {
    file: 'evals/triage.eval.yaml',
    line: 7,
    column: 9,
    excerpt: { startLine: 6, lines: ['    assert:', '      - contain: refund', '      - json: true'] },
  },
};
const unused: Problem = { code: 'unused-variable', severity: 'warning', message: 'No template uses "mail".' };
const plain = { color: false };

describe('describeProblems', () => {
  it('shows the place, the code, a frame and the next step, errors first, and counts them', () => {
    expect(describeProblems([unused, unknown], plain)).toMatchInlineSnapshot(`
      "evals/triage.eval.yaml:7:9 error unknown-assertion: There is no assertion "contain".
        6 |     assert:
      > 7 |       - contain: refund
          |         ^
        8 |       - json: true
        hint: did you mean "contains"?

      warning unused-variable: No template uses "mail".

      1 error, 1 warning
      "
    `);
  });

  it('keeps the order within errors and within warnings', () => {
    const problems = [
      { ...unused, message: 'a' },
      { ...unused, message: 'b' },
      { ...unused, message: 'c' },
    ];
    const text = describeProblems(problems, plain);
    expect(text.indexOf(': a')).toBeLessThan(text.indexOf(': b'));
    expect(text).toContain('3 warnings');
    expect(text).not.toContain('error');
  });

  it('is empty where there is no problem', () => {
    expect(describeProblems([], plain)).toBe('');
  });

  it('prints no escape and no workflow command of a hostile suite', () => {
    const hostile = '::error::x\n::set-output::\u001b[31m\u202e ##[error]\r';
    const excerpt = { startLine: 1, lines: [hostile, '##[error]'] };
    const problem: Problem = {
      ...unknown,
      message: hostile,
      hint: hostile,
      at: { file: hostile, line: 1, column: 3, excerpt },
    };
    const text = describeProblems([problem, { ...unused, message: hostile }], plain);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(text).not.toMatch(/^\s*::|##\[/m);
  });

  it('adds colour only where it is wanted', () => {
    expect(describeProblems([unknown], { color: true })).toContain('\u001b[31merror\u001b[39m');
    expect(describeProblems([unknown], plain)).not.toContain('\u001b');
  });
});
