import { expect, test } from 'vitest';
import { openBaselineText } from '../../src/baseline/open-baseline.ts';
import { answersOfBaseline } from '../../src/contracts/stored-answers.ts';
import type { BaselineTrial } from '../../src/model/baseline.ts';

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
    { type: 'case', prompt: 'v1', provider: 'mini', caseId: 'a', stamp: 's', trials: numbered },
  ];
  const baseline = openBaselineText(lines.map((line) => JSON.stringify(line)).join('\n'), 'a.baseline.jsonl');
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
