import { describe, expect, test } from 'vitest';
import { assertions, lookupAssertion } from '../../src/assertions/index.ts';
import { decideCell, judgeChecks } from '../../src/assertions/judge-checks.ts';
import { contractCheck } from '../../src/assertions/structure/json.ts';
import type { CheckSpec, Verdict } from '../../src/model/run/verdict.ts';
import { buildSpec, buildView, combine, judgeOne, outcomeOf, ports } from './judge-one.ts';

const pass = buildSpec('contains', { value: 'a' });
const fail = buildSpec('contains', { value: 'z' });
const error = buildSpec('cost', { max: 1 });
const missing = buildSpec('contains', { value: 'a' }, { select: { kind: 'xmlTag', tag: 'none' } });
const half = buildSpec('containsAll', { value: ['a', 'z'] });
const answer = { text: 'a', costUsd: undefined };
const checks: Readonly<Record<string, CheckSpec>> = { pass, fail, error, missing, half };

describe('combinators', () => {
  test.each([
    ['anyOf', ['fail', 'pass'], 'pass', 1],
    ['anyOf', ['fail', 'fail'], 'fail', 0],
    ['anyOf', ['fail', 'half'], 'fail', 0.5],
    ['anyOf', ['error', 'pass'], 'pass', 1],
    ['anyOf', ['error', 'fail'], 'error', 0],
    ['anyOf', ['missing', 'pass'], 'pass', 1],
    ['anyOf', ['missing', 'fail'], 'fail', 0],
    ['allOf', ['pass', 'pass'], 'pass', 1],
    ['allOf', ['pass', 'half'], 'fail', 0.5],
    ['allOf', ['error', 'fail'], 'fail', 0],
    ['allOf', ['error', 'pass'], 'error', 0],
    ['allOf', ['missing', 'pass'], 'fail', 0],
    ['allOf', ['missing', 'error'], 'error', 0],
  ] as const)('%s of %j is %s', async (combinator, names, expected, score) => {
    const children = names.flatMap((name) => checks[name] ?? []);
    const verdict = await judgeOne(combine(combinator, ...children), answer);
    expect([outcomeOf(verdict), verdict.score]).toEqual([expected, score]);
  });

  test.each([
    ['anyOf', ['missing', 'fail'], 'fail'],
    ['anyOf', ['missing', 'pass'], 'fail'],
    ['anyOf', ['fail'], 'pass'],
    ['allOf', ['missing', 'pass'], 'fail'],
    ['allOf', ['missing', 'fail'], 'pass'],
    ['allOf', ['error', 'pass'], 'error'],
  ] as const)('not of %s of %j is %s', async (combinator, names, expected) => {
    const children = names.flatMap((name) => checks[name] ?? []);
    const verdict = await judgeOne(combine('not', combine(combinator, ...children)), answer);
    expect(outcomeOf(verdict)).toBe(expected);
  });

  test('not gives 1 minus the score', async () => {
    expect(await judgeOne(combine('not', half), answer)).toMatchObject({ pass: true, score: 0.5 });
  });

  test('a missing target does not pass under two nots either', async () => {
    expect((await judgeOne(combine('not', combine('not', missing)), answer)).pass).toBe(false);
  });

  test('not without a child is an error', async () => {
    expect(outcomeOf(await judgeOne(combine('not'), answer))).toBe('error');
  });
});

describe('verdicts', () => {
  test('keep the order of the checks, with their names and weights', async () => {
    const specs = [buildSpec('contains', { value: 'a' }, { name: 'first', weight: 2, required: true }), fail];
    const verdicts = await judgeChecks(specs, buildView(answer), ports);
    expect(verdicts.map(({ assertion, name, weight, required }) => ({ assertion, name, weight, required }))).toEqual([
      { assertion: 'contains', name: 'first', weight: 2, required: true },
      { assertion: 'contains', name: undefined, weight: 1, required: false },
    ]);
  });

  test('an unknown assertion is an error, a prototype key included', async () => {
    for (const assertion of ['nope', 'constructor', '__proto__']) {
      const verdict = await judgeOne({ assertion, params: {}, weight: 1, required: false, source: null }, 'x');
      expect(outcomeOf(verdict)).toBe('error');
    }
  });

  test('a selection that takes too long is an error', async () => {
    const select = { kind: 'regex', pattern: '^(a+)+$', flags: '', group: 0, match: 'first' } as const;
    const verdict = await judgeOne(buildSpec('contains', { value: 'a' }, { select }), `${'a'.repeat(60)}!`, {
      isHasty: true,
    });
    expect(verdict.error).toBe('the check was stopped: it took longer than 500 ms');
  });

  test('an answer that is too long for a regex is an error, and no bug of the run', async () => {
    const verdict = await judgeOne(buildSpec('regex', { value: '(a|aa)+$' }), `${'a'.repeat(5_000_000)}!`);
    expect(verdict.error).toMatch(/^the check was stopped: (?:the answer is too long or too deep for it|it took)/);
  });
});

describe('the output contract', () => {
  const check = contractCheck({ type: 'object', required: ['queue'] });

  test('is a check of its own name that has to pass', async () => {
    expect(await judgeOne(check, '{"queue":"x"}')).toMatchObject({ assertion: 'contract', pass: true, required: true });
    expect(await judgeOne(check, '{}')).toMatchObject({ pass: false, reason: expect.stringContaining('queue') });
  });

  test('is broken by an answer that is not JSON', async () => {
    expect(await judgeOne(check, 'billing')).toMatchObject({
      pass: false,
      reason: expect.stringContaining('not JSON'),
    });
  });

  test('is an error where its schema can not be compiled', async () => {
    expect(outcomeOf(await judgeOne(contractCheck({ type: 'nope' }), '{}'))).toBe('error');
  });

  test('can not be named by a suite', () => {
    expect(Object.hasOwn(assertions, 'contract')).toBe(false);
    expect(lookupAssertion('contract')).toBeDefined();
  });
});

describe('decideCell', () => {
  const verdict = (over: Partial<Verdict>): Verdict => ({
    assertion: 'contains',
    pass: true,
    score: over.pass === false || over.error !== undefined ? 0 : 1,
    reason: '',
    weight: 1,
    required: false,
    ...over,
  });
  const failed = verdict({ pass: false });
  const broken = verdict({ pass: false, error: 'no price' });

  test.each<[string, readonly Verdict[], number | undefined, unknown]>([
    ['passes if every check passes', [verdict({}), verdict({})], undefined, { passed: true, score: 1 }],
    ['fails if one check fails', [verdict({}), failed], undefined, { passed: false, score: 0.5 }],
    [
      'takes no note of weight 0',
      [verdict({}), verdict({ pass: false, weight: 0 })],
      undefined,
      { passed: true, score: 1 },
    ],
    [
      'takes no note of an error of weight 0',
      [verdict({}), { ...broken, weight: 0 }],
      undefined,
      { passed: true, score: 1 },
    ],
    ['weighs scores', [verdict({ weight: 3 }), failed], undefined, { passed: false, score: 0.75 }],
    ['passes at the threshold', [verdict({}), failed], 0.5, { passed: true, score: 0.5 }],
    ['fails below the threshold', [verdict({}), failed], 0.51, { passed: false, score: 0.5 }],
    [
      'fails above the threshold if a required check fails',
      [verdict({ weight: 9 }), verdict({ pass: false, required: true })],
      0.5,
      { passed: false, score: 0.9 },
    ],
    [
      'survives rounding',
      [verdict({ score: 0.1, weight: 0.1 }), verdict({ score: 0.7, weight: 0.2 })],
      0.5,
      { passed: true, score: expect.closeTo(0.5) },
    ],
    ['is errored by an error', [verdict({}), broken], undefined, { errored: 'contains: no price' }],
    ['is errored by an error under a threshold', [verdict({}), failed, broken], 0.1, { errored: 'contains: no price' }],
    ['has failed where a failure decides beside an error', [failed, broken], undefined, { passed: false, score: 0 }],
    [
      'has failed where a required check decides beside an error',
      [verdict({ pass: false, required: true }), broken],
      0.5,
      { passed: false, score: 0 },
    ],
    ['passes without checks', [], undefined, { passed: true, score: 1 }],
  ])('a cell %s', (_, verdicts, threshold, expected) => {
    expect(decideCell(verdicts, threshold)).toEqual(expected);
  });
});

test('no check is made after the run was stopped, alone or in a combinator', async () => {
  const made: Verdict[] = [];
  const stopping = { ...ports, onVerdict: (verdict: Verdict) => made.push(verdict), isStopped: () => made.length > 0 };
  const verdicts = await judgeChecks([pass, pass, combine('anyOf', pass)], buildView(answer), stopping);
  expect(verdicts.map(outcomeOf)).toEqual(['pass', 'error', 'error']);
  expect(verdicts[1]?.error).toBe('the run was stopped before the check');
});
