import { describe, expect, test } from 'vitest';
import { checkRow } from '../../src/baseline/validate-rows.ts';

const typeOf = (value: unknown): string => {
  const row = checkRow(value);
  return typeof row === 'string' ? 'none' : row.type;
};

const check = { assertion: 'equals', pass: true, score: 1, reason: 'equal' };
const trial = { trial: 0, status: 'passed', checks: [check] };
const row = { type: 'case', prompt: 'v1', provider: 'p', caseId: 'a', caseHash: 'h', trials: [trial] };
const pooled = {
  runs: 2,
  trials: 4,
  failures: 1,
  score: { n: 4, mean: 0.75, squares: 1 },
  answered: 4,
  answers: ['x'],
};
const variant = {
  type: 'variant',
  prompt: 'v1',
  provider: 'p',
  adapter: 'openai',
  model: 'm',
  params: {},
  messages: [{ role: 'user', content: 'x' }],
  contract: {},
  models: [],
};

describe('a case', () => {
  test.each<[object, boolean]>([
    [{}, true],
    [{ type: 'variant' }, false],
    [{ caseHash: '' }, false],
    [{ mustPass: true }, true],
    [{ mustPass: false }, false],
    [{ group: 'g' }, true],
    [{ group: '' }, false],
    [{ trials: [] }, false],
    [{ trials: {} }, false],
    [{ trials: [trial, 1] }, false],
    [{ trials: [{ ...trial, status: 'lost' }] }, false],
    [{ trials: [{ ...trial, checks: {} }] }, false],
    [{ trials: [{ ...trial, checks: [] }] }, true],
    [{ trials: [{ ...trial, checks: [{ ...check, pass: 1 }] }] }, false],
    [{ trials: [{ ...trial, finishReason: 'stop' }] }, true],
    [{ trials: [{ ...trial, finishReason: 'other thing' }] }, false],
    [{ trials: [{ ...trial, output: 7 }] }, false],
    [{ confirmations: [] }, true],
    [{ confirmations: [1] }, false],
    [{ otherVariant: true }, true],
    [{ otherVariant: 1 }, false],
    [{ pooled }, true],
    [{ pooled: {} }, false],
    [{ pooled: { ...pooled, runs: 0 } }, false],
    [{ pooled: { ...pooled, runs: 1 } }, true],
    [{ pooled: { ...pooled, trials: 0, failures: 0, answered: 0, score: { ...pooled.score, n: 0 } } }, false],
    [{ pooled: { ...pooled, trials: 1, failures: 1, answered: 1, score: { ...pooled.score, n: 1 } } }, true],
    [{ pooled: { ...pooled, failures: 4 } }, true],
    [{ pooled: { ...pooled, failures: 5 } }, false],
    [{ pooled: { ...pooled, answered: 5 } }, false],
    [{ pooled: { ...pooled, answered: 3 } }, true],
    [{ pooled: { ...pooled, score: { ...pooled.score, n: 3 } } }, false],
    [{ pooled: { ...pooled, usage: { inputTokens: 1.5, outputTokens: 2 } } }, true],
    [{ pooled: { ...pooled, usage: { inputTokens: -1, outputTokens: 2 } } }, false],
  ])('is valid with %j: %s', (more, isOne) => {
    expect(typeOf({ ...row, ...more }) === 'case').toBe(isOne);
  });

  test.each([null, 1, 'x', [], undefined])('is not %j', (value) => {
    expect(typeOf(value)).toBe('none');
  });
});

describe('a variant', () => {
  const code = (rendered?: object) => ({
    messages: [{ role: 'user', content: 'x', language: { name: 'code', ...(rendered !== undefined && { rendered }) } }],
  });
  const table = (runs: unknown, lines: readonly unknown[] = ['a', 'b', 'c']) =>
    code({ lines, cases: { one: [['user', runs]] } });
  test.each<[object, boolean]>([
    [{}, true],
    [{ type: 'case' }, false],
    [{ params: [] }, false],
    [{ contract: 'x' }, false],
    [{ models: ['m'] }, true],
    [{ models: [1] }, false],
    [{ messages: [] }, true],
    [{ messages: [{ role: 'user' }] }, false],
    [{ messages: [{ role: 'user', content: 'x', language: { name: 'jinja' } }] }, true],
    [{ messages: [{ role: 'user', content: 'x', language: { name: 'perl' } }] }, false],
    [{ messages: [{ role: 'user', content: 'x', language: { name: 'jinja', partials: { a: 'x' } } }] }, true],
    [{ messages: [{ role: 'user', content: 'x', language: { name: 'jinja', partials: { a: 1 } } }] }, false],
    [{ messages: [{ role: 'user', content: 'x', language: { name: 'jinja', partials: 1 } }] }, false],
    [code(), false],
    [code([]), false],
    [code({ lines: ['a'] }), false],
    [code({ lines: 'a', cases: {} }), false],
    [code({ lines: [1], cases: {} }), false],
    [code({ lines: [], cases: {} }), true],
    [code({ lines: ['a'], cases: { one: {} } }), false],
    [code({ lines: ['a'], cases: { one: ['x'] } }), false],
    [code({ lines: ['a'], cases: { one: [['user', '0', 'x']] } }), false],
    [code({ lines: ['a'], cases: { one: [[1, '0']] } }), false],
    [table('0'), true],
    [table('2'), true],
    [table('3'), false],
    [table('0-2'), true],
    [table('1-1 0'), true],
    [table('2-1'), false],
    [table('0-3'), false],
    [table(''), false],
    [table('0  1'), false],
    [table('x'), false],
    [table(0), false],
  ])('is valid with %j: %s', (more, isOne) => {
    expect(typeOf({ ...variant, ...more }) === 'variant').toBe(isOne);
  });
});

test.each([
  [1, 'it is not a JSON object'],
  [{}, 'its "type" is neither "variant", "case" nor "checks"'],
  [{ type: 'header' }, 'its "type" is neither "variant", "case" nor "checks"'],
  [{ type: 'case' }, 'it has no "caseId"'],
  [{ ...row, caseId: 1 }, 'its "caseId" has the wrong type or value'],
  [{ ...row, trials: undefined }, 'its "trials" has the wrong type or value'],
  [{ ...variant, model: null }, 'its "model" has the wrong type or value'],
  [{ type: 'variant', prompt: 'v1' }, 'it has no "provider"'],
])('the fault of %j: %s', (value, fault) => {
  expect(checkRow(value)).toBe(fault);
});
