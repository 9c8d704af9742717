import { describe, expect, test } from 'vitest';
import type { AcceptedAnswer } from '../../src/assertions/define.ts';
import { judgeChecks } from '../../src/assertions/judge-checks.ts';
import type { SelectSpec } from '../../src/model/run/verdict.ts';
import { buildSpec, buildToolCall, buildView, combine, findProblems, judgeOne, outcomeOf, ports } from './judge-one.ts';

interface Sides {
  readonly params?: unknown;
  readonly select?: SelectSpec;
  readonly answer: Parameters<typeof buildView>[0];
  readonly accepted: Partial<AcceptedAnswer>;
}

async function judge({ params = {}, select, answer, accepted }: Sides) {
  const spec = buildSpec('snapshot', params, { select });
  const old = { text: '', toolCalls: [], ...accepted };
  const [verdict, inverse] = await judgeChecks([spec, combine('not', spec)], buildView(answer), ports, old);
  if (verdict === undefined || inverse === undefined) throw new Error('There is a verdict for every check.');
  return { ...verdict, outcome: outcomeOf(verdict), inverse: outcomeOf(inverse) };
}

describe('the assertion snapshot', () => {
  test('is an error without an accepted answer, and no pass under not', async () => {
    const spec = buildSpec('snapshot', {});
    expect(await judgeOne(spec, 'a')).toMatchObject({
      pass: false,
      error: expect.stringMatching(/^no accepted answer/),
    });
    expect(await judgeOne(combine('not', spec), 'a')).toMatchObject({ pass: false, error: expect.any(String) });
  });

  test('passes for the very answer', async () => {
    const verdict = await judge({ answer: 'Hello', accepted: { text: 'Hello' } });
    expect(verdict).toMatchObject({ outcome: 'pass', inverse: 'fail', score: 1 });
  });

  test('fails for another, and shows both', async () => {
    const verdict = await judge({ answer: 'hello', accepted: { text: 'Hello' } });
    expect(verdict).toMatchObject({
      outcome: 'fail',
      inverse: 'pass',
      reason: 'is not the accepted answer: accepted "Hello", found "hello"',
      diff: { expected: 'Hello', found: 'hello' },
    });
  });

  test('normalised, white space and case do not count', async () => {
    const params = { value: 'normalised' };
    expect(await judge({ params, answer: 'hello\n\tyou ', accepted: { text: 'Hello you' } })).toMatchObject({
      pass: true,
    });
    expect(await judge({ params, answer: 'hello, you', accepted: { text: 'Hello you' } })).toMatchObject({
      pass: false,
    });
  });

  test('passes by similarity with min, and the similarity is its score', async () => {
    const sides = { answer: 'abcx', accepted: { text: 'abcd' } };
    const similar = await judge({ ...sides, params: { min: 0.75 } });
    expect(similar).toMatchObject({ outcome: 'pass', score: 0.75 });
    expect(similar).not.toHaveProperty('diff');
    expect(await judge({ ...sides, params: { min: 0.8 } })).toMatchObject({
      outcome: 'fail',
      inverse: 'pass',
      score: 0.75,
      reason: expect.stringMatching(/^is similar to the accepted answer by 0\.750, wanted 0\.8/),
    });
  });

  test('is an error where the answers are too long for a similarity', async () => {
    const sides = { answer: 'ab'.repeat(30_000), accepted: { text: 'xy'.repeat(30_000) } };
    expect(await judge({ ...sides, params: { min: 0.1 } })).toMatchObject({
      outcome: 'error',
      inverse: 'error',
      error: expect.stringMatching(/too long to compare/),
    });
  });

  test('compares the same selection of both', async () => {
    const select = { kind: 'jsonPath', path: '$.a' } as const;
    const sides = { select, answer: '{"a": {"x": 1, "y": 2}, "b": 1}' };
    expect(await judge({ ...sides, accepted: { text: '{"b": 2, "a": {"y": 2, "x": 1}}' } })).toMatchObject({
      pass: true,
    });
    expect(await judge({ ...sides, accepted: { text: '{"a": {"x": 1}}' } })).toMatchObject({
      pass: false,
      diff: { expected: expect.stringContaining('"x": 1'), found: expect.stringContaining('"y": 2') },
    });
  });

  test('is an error where the accepted answer lacks the selection, and a failure where the new one does', async () => {
    const select = { kind: 'json' } as const;
    expect(await judge({ select, answer: '{}', accepted: { text: 'Hello' } })).toMatchObject({
      outcome: 'error',
      inverse: 'error',
      error: expect.stringMatching(/^the accepted answer can't be compared: the answer is not JSON/),
    });
    expect(await judge({ select, answer: 'Hello', accepted: { text: '{}' } })).toMatchObject({
      outcome: 'fail',
      inverse: 'fail',
    });
  });

  test('compares tool calls and reasoning where they are selected', async () => {
    const call = buildToolCall('refund', { order: 1 });
    const calls = { select: { kind: 'toolCalls' }, answer: { toolCalls: [call] } } as const;
    expect(await judge({ ...calls, accepted: { toolCalls: [call] } })).toMatchObject({ pass: true });
    expect(await judge({ ...calls, accepted: { toolCalls: [buildToolCall('refund', { order: 2 })] } })).toMatchObject({
      pass: false,
    });
    const thought = { select: { kind: 'reasoning' }, answer: { reasoning: 'a' } } as const;
    expect(await judge({ ...thought, accepted: { reasoning: 'a' } })).toMatchObject({ pass: true });
    expect(await judge({ ...thought, accepted: { text: 'a' } })).toMatchObject({ outcome: 'error' });
  });

  test.each([
    [{ value: 'same' }, /^value: /],
    [{ min: 0 }, /^min: must be more than 0/],
    [{ text: 'a' }, /unrecognized|text/i],
  ])('refuses %j', (params, problem) => {
    expect(findProblems('snapshot', params).join('\n')).toMatch(problem);
  });
});
