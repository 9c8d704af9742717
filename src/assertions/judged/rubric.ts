import * as z from 'zod';
import { defineAssertion } from '../define.ts';
import { soughtParam } from '../params.ts';
import { judgeAnswerBy, judgeParams, thresholdParam } from './judge-answer.ts';

export const rubric = defineAssertion({
  summary: 'a judge finds that the answer meets a criterion',
  family: 'judge',
  example: 'rubric: The answer is polite and promises no refund.',
  failsOn: { text: 'You will surely get your money back!' },
  definition: "the judge's verdict; LLM as a judge: Zheng et al. 2023, https://arxiv.org/abs/2306.05685",
  main: 'value',
  asks: { kind: 'judge', param: 'judge', wording: 1 },
  params: z.strictObject({
    value: soughtParam.describe('The criterion, in plain words.'),
    ...judgeParams,
    threshold: thresholdParam,
  }),
  check: (target, { value, threshold, ...options }, context) =>
    judgeAnswerBy({ title: 'criterion', text: value }, target, { ...options, threshold, task }, context),
});

const task = 'You judge one answer by one criterion. Say whether the answer meets the criterion, no more and no less.';
