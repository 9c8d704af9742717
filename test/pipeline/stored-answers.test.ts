import { expect, test } from 'vitest';
import type { Baseline, BaselineTrial } from '../../src/model/baseline.ts';
import { answersOfBaseline } from '../../src/pipeline/stored-answers.ts';

const call = { name: 'route', arguments: {}, rawArguments: '{}' };

function answersOf(...trials: readonly Partial<BaselineTrial>[]): readonly string[] {
  const baseline: Baseline = {
    suite: 'triage',
    variants: [],
    cases: [
      {
        type: 'case',
        prompt: 'v1',
        provider: 'mini',
        caseId: 'a',
        stamp: '',
        trials: trials.map((trial, index) => ({ trial: index, status: 'passed', checks: [], ...trial })),
      },
    ],
  };
  return [...answersOfBaseline(baseline, { prompt: 'v1', provider: 'mini' })].map(({ text }) => text);
}

test('answers that were judged are held against a schema, failed ones too', () => {
  expect(answersOf({ output: 'a' }, { output: 'b', status: 'failed' })).toEqual(['a', 'b']);
});

test('what is no answer is not: errors, refusals, answers that were not kept, calls of a tool', () => {
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
