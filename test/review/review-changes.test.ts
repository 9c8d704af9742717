import { describe, expect, test } from 'vitest';
import type { CellRow } from '../../src/model/run/record.ts';
import type { Case, Suite } from '../../src/model/suite/suite.ts';
import { type AnswerChange, describeChange, isPromotable, matchChanges } from '../../src/review/review-changes.ts';
import { buildRow } from '../record/build-rows.ts';
import { buildCase } from '../support/build-case.ts';

function buildChange(more: Partial<AnswerChange> = {}, row: Partial<CellRow> = {}): AnswerChange {
  return {
    suite: { id: 'support' } as Suite,
    testCase: buildCase(),
    prompt: 'v2',
    provider: 'mini',
    row: buildRow('refund', { status: 'failed', ...row }),
    summary: {} as never,
    variant: {} as never,
    before: { from: 'baseline', text: 'billing' },
    after: 'sales',
    ...more,
  };
}

const style = { color: false, verbose: false, quiet: false, width: 60, position: '', isPlain: false };
const asked = (...contents: readonly string[]): Partial<CellRow> => ({
  asked: { messages: contents.map((content) => ({ role: 'user', content })) },
});

describe('a changed answer', () => {
  test('is shown with its place, its question and both answers', () => {
    const change = buildChange({}, asked('first', 'Read this:\n\n \nIs  it\nbilling? '));
    expect(describeChange(change, { ...style, position: '3 of 10' })).toEqual([
      '3 of 10  support/refund · v2 × mini',
      '  failed (evals/triage.eval.yaml:12); - baseline  + this run',
      '  asked  Is it billing?',
      '  - billing',
      '  + sales',
    ]);
  });

  test.each([
    [{ before: { from: 'expected' as const, text: 'billing' } }, '- expected  + this run', ['- billing', '+ sales']],
    [{ before: undefined }, 'nothing is accepted yet', ['- ', '+ sales']],
  ])('compared with %j', (more, against, diff) => {
    expect(describeChange(buildChange(more), style)).toEqual([
      'support/refund · v2 × mini',
      `  failed (evals/triage.eval.yaml:12); ${against}`,
      ...diff.map((line) => `  ${line}`),
    ]);
  });

  test('for a screen reader has words in place of signs', () => {
    const plain = { ...style, isPlain: true };
    expect(describeChange(buildChange({}, asked('Which queue?')), { ...plain, position: '1 of 2' })).toEqual([
      '1 of 2  support/refund · v2 × mini',
      'Status: failed. Place: evals/triage.eval.yaml line 12.',
      'Asked: Which queue?',
      'Old answer, from the baseline: billing',
      'New answer: sales',
    ]);
    const none = buildChange({ before: undefined, after: '' });
    expect(describeChange(none, plain).slice(2)).toEqual(['Nothing is accepted yet.', 'New answer: (empty)']);
    const lines = buildChange({ after: 'one\ntwo\u001b[31m', before: { from: 'expected', text: '' } });
    const [, , old, found] = describeChange(lines, plain);
    expect(old).toBe('Old answer, from the expected: (empty)');
    expect(found).toMatch(/^New answer: one\ntwo/);
    expect(found).not.toContain('\u001b');
  });

  test('is asked by the last message of a user, of its turns too, cut to the width', () => {
    const turns = {
      asked: {
        messages: [{ role: 'user', content: 'first' }],
        turns: [
          { role: 'user', content: 'x'.repeat(90) },
          { role: 'assistant', content: 'no' },
        ],
      } as never,
    };
    const [, , line] = describeChange(buildChange({}, turns), style);
    expect(line).toBe(`  asked  ${'x'.repeat(49)}…`);
    const empty = describeChange(buildChange({}, { asked: { messages: [] } }), style);
    expect(empty.some((shown) => shown.includes('asked'))).toBe(false);
  });

  test('has colours on a terminal that shows them', () => {
    const [title] = describeChange(buildChange(), { ...style, color: true, position: '3 of 10' });
    expect(title?.replaceAll('\u001b', '␛')).toBe('␛[2m3 of 10  ␛[22m␛[1msupport/refund · v2 × mini␛[22m');
  });
});

test.each<[Partial<Case>, boolean]>([
  [{ observe: true, expected: 'x' }, true],
  [{ observe: true, expected: '' }, true],
  [{ observe: true }, false],
  [{ observe: false, expected: 'x' }, false],
])('a case with %j can be promoted: %s', (more, isPossible) => {
  expect(isPromotable(buildCase(more))).toBe(isPossible);
});

test.each([
  [[], []],
  [['support/*'], ['a', 'b']],
  [['*/b'], ['b']],
  [
    ['*/b', '*/a'],
    ['a', 'b'],
  ],
  [['other/*'], []],
])('the globs %j match the cases %j', (globs, ids) => {
  const changes = ['a', 'b'].map((id) => buildChange({ testCase: buildCase({ id }) }));
  expect([...matchChanges(changes, globs)].map(({ testCase }) => testCase.id)).toEqual(ids);
});
