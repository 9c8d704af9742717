import * as z from 'zod';
import { defineAssertion } from './define.ts';
import { canFail, countParam, describeBounds, hasBound, isOrdered, isWithin } from './param-schemas.ts';

export const tokens = defineAssertion({
  summary: 'the answer used a number of tokens, as the API counted them',
  family: 'budget',
  example: 'tokens: { max: 200, of: output }',
  failsOn: { usage: { inputTokens: 10, outputTokens: 300 } },
  definition: 'the usage that the API reports',
  params: z
    .strictObject({
      min: countParam.optional().describe('The least that passes.'),
      max: countParam.optional().describe('The most that passes.'),
      of: z.enum(['input', 'output', 'total']).default('total').describe('Which tokens are counted.'),
    })
    .refine(hasBound, { error: 'needs min or max' })
    .refine(canFail, { error: 'min: 0 can never fail: write a min of 1 or more, or a max' })
    .refine(isOrdered, { error: 'min is greater than max' }),
  check(_target, { of, ...bounds }, { completion }) {
    const { usage } = completion;
    if (usage === undefined) {
      return { error: 'the API reported no usage: "length: {unit: tokens}" estimates the tokens of the text' };
    }
    const counts = {
      input: usage.inputTokens,
      output: usage.outputTokens,
      total: usage.inputTokens + usage.outputTokens,
    };
    const count = counts[of];
    return { pass: isWithin(count, bounds), reason: `used ${count} ${of} tokens, wanted ${describeBounds(bounds)}` };
  },
});
