import * as z from 'zod';
import { defineAssertion } from '../define.ts';
import { valueParam } from '../params.ts';
import { textOf } from '../targets.ts';
import { judgeAnswerBy, judgeParams, thresholdParam } from './judge-answer.ts';

export const factual = defineAssertion({
  summary: 'a judge finds that the answer says what a reference says and contradicts nothing of it',
  family: 'judge',
  example: 'factual: "{{expected}}"',
  failsOn: { text: 'It is a technical matter.' },
  definition: "the judge's verdict on a reference answer; Zheng et al. 2023, https://arxiv.org/abs/2306.05685",
  main: 'value',
  asks: { kind: 'judge', param: 'judge', wording: 1 },
  params: z.strictObject({
    value: valueParam.describe('The reference answer.'),
    ...judgeParams,
    threshold: thresholdParam,
  }),
  check(target, { value, threshold, ...options }, context) {
    const reference = typeof value === 'string' ? value : textOf({ kind: 'json', value });
    return judgeAnswerBy({ title: 'reference', text: reference }, target, { ...options, threshold, task }, context);
  },
});

const task =
  'You compare the facts of an answer with those of a reference, which is right. The answer passes if it states what the ' +
  'reference states and contradicts nothing of it. Wording, style, length and further facts that fit do not matter.';
