import { expect, test } from 'vitest';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { answersOfBaseline, observeAnswers } from '../../src/contracts/observe-answers.ts';
import type { BaselineTrial } from '../../src/model/comparison/baseline.ts';
import type { ObservedAnswers } from '../../src/model/comparison/finding.ts';

const call = { name: 'route', arguments: {}, rawArguments: '{}' };

function answersOf(...trials: readonly Partial<BaselineTrial>[]): readonly string[] {
  const numbered = trials.map((trial, index) => ({ trial: index, status: 'passed', checks: [], ...trial }));
  const lines = [
    { type: 'baseline', format: 1, suite: 'triage' },
    {
      type: 'variant',
      prompt: 'v1',
      provider: 'mini',
      adapter: '',
      model: '',
      params: {},
      messages: [],
      contract: {},
      models: [],
    },
    { type: 'case', prompt: 'v1', provider: 'mini', caseId: 'a', caseHash: 's', trials: numbered },
  ];
  const baseline = openBaselineText(lines.map((line) => JSON.stringify(line)).join('\n'), 'a.baseline.jsonl');
  return [...answersOfBaseline(baseline, { prompt: 'v1', provider: 'mini' })].map(({ text }) => text);
}

test('answers of passed and failed trials are checked against a schema', () => {
  expect(answersOf({ output: 'a' }, { output: 'b', status: 'failed' })).toEqual(['a', 'b']);
});

test('errors, refusals, answers without a text and tool calls are not checked', () => {
  expect(
    answersOf(
      { output: 'a', status: 'errored' },
      { output: '', refusal: 'no' },
      { answerHash: 'abc' },
      { output: '', toolCalls: [call] },
    ),
  ).toEqual([]);
});

test('an empty text is an answer, and so is a text beside a call', () => {
  expect(answersOf({ output: '' }, { output: 'a', toolCalls: [call] })).toEqual(['', 'a']);
});

const topics = { enum: ['billing', 'legal'] };

function observe(texts: readonly string[], sides: { readonly old?: object; readonly replacement?: object }) {
  const baselineAnswers = texts.map((text, index) => ({ caseId: `c${index}`, text }));
  const { old, replacement } = { old: undefined, replacement: topics, ...sides };
  return observeAnswers({
    old: old as ObservedSide,
    replacement: replacement as ObservedSide,
    baselineAnswers,
    newAnswers: baselineAnswers,
  });
}

type ObservedSide = Parameters<typeof observeAnswers>[0]['old'];

test('recorded answers are counted by whether the new schema accepts them', () => {
  const observed: readonly ObservedAnswers[] = observe(['"billing"', '"legal"', '"trash"'], {});
  expect(observed).toMatchObject([
    { answers: 'baseline', schema: 'new', total: 3, rejected: 1, offenders: [{ caseId: 'c2' }] },
  ]);
  expect(observed[0]?.message).toBe('1 of 3 recorded answers would now be rejected');
});

test('new answers are checked against the old schema', () => {
  const observed = observe(['"trash"'], { old: topics, replacement: {} });
  expect(observed).toMatchObject([
    { answers: 'baseline', rejected: 0 },
    { answers: 'new', schema: 'old', total: 1, rejected: 1 },
  ]);
});

test('an answer that is not JSON is rejected, a fenced one included', () => {
  const [observed] = observe(['```json\n"billing"\n```'], {});
  expect(observed?.offenders[0]?.reason).toContain('the answer is not JSON');
});

test('only the first five offenders are named', () => {
  const [observed] = observe(
    Array.from({ length: 40 }, (_, index) => String(index)),
    {},
  );
  expect([observed?.rejected, observed?.offenders.length]).toEqual([40, 5]);
});

test('no answers are no evidence, and neither are equal schemas', () => {
  expect(observe([], {})).toEqual([]);
  expect(observe(['"trash"'], { old: topics })).toEqual([]);
});

test('an answer that broke its own schema was broken before', () => {
  const [observed] = observe(['"billing"', '5', '"trash"'], { old: { type: 'string' } });
  expect(observed).toMatchObject({ total: 3, rejected: 1, alreadyRejected: 1, offenders: [{ caseId: 'c2' }] });
  expect(observed?.message).toContain('1 of 2 recorded answers');
});

test('a schema that can not be compiled rejects nothing and says why', () => {
  const [observed] = observe(['"billing"', '"trash"'], { old: { $ref: 'https://example.com/none.json' } });
  expect(observed).toMatchObject({ total: 2, rejected: 0, unjudged: 1 });
  expect(observed?.message).toContain('1 could not be judged: ');
});
