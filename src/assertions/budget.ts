import * as z from 'zod';
import { defineAssertion } from './define.ts';
import {
  canFail,
  countParam,
  describeBounds,
  durationParam,
  hasBound,
  isOrdered,
  isWithin,
  numberParam,
} from './params.ts';

export const cost = defineAssertion({
  summary: 'the answer cost at most so many US dollars, as if nothing were cached',
  family: 'budget',
  example: 'cost: { max: 0.01 }',
  failsOn: { costUsd: 0.02 },
  definition: "US dollars: the tokens that the API counted times the price table's or the provider's own prices",
  main: 'max',
  params: z.strictObject({
    max: numberParam.refine((max) => max >= 0, { error: 'must be 0 or more' }).describe('US dollars.'),
  }),
  check(_target, { max }, { completion }) {
    const { costUsd } = completion;
    if (costUsd === undefined) {
      return { error: 'the cost is not known: give the provider a price, as in price: {input: 0.15, output: 0.60}' };
    }
    return { pass: costUsd <= max, reason: `cost ${describeUsd(costUsd)}, wanted at most ${describeUsd(max)}` };
  },
});

/** Exact enough to see which of two near amounts is greater. */
function describeUsd(usd: number): string {
  return `$${Number(usd.toPrecision(6))}`;
}

export const latency = defineAssertion({
  summary: 'the answer came within a duration; waiting and retries do not count',
  family: 'budget',
  example: 'latency: { max: 2s }',
  failsOn: { latencyMs: 2500 },
  definition: 'the successful attempt alone, on a monotonic clock',
  main: 'max',
  params: z.strictObject({ max: durationParam }),
  check(_target, { max }, { completion }) {
    const { latencyMs } = completion;
    if (latencyMs === undefined) {
      return { error: 'the latency is not known: an answer of a batch, or one recorded by hand, was not timed' };
    }
    return {
      pass: latencyMs <= max,
      reason: `took ${Number(latencyMs.toFixed(1))} ms, wanted at most ${Number(max.toFixed(1))} ms`,
    };
  },
});

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
