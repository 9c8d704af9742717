import * as z from 'zod';
import { defineAssertion } from './define.ts';
import { boundsParams, describeBounds, durationParam, isWithin, numberParam, withBounds } from './params.ts';

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
  check(_target, { max }, { completion: { costUsd } }) {
    if (costUsd === undefined) {
      return { error: 'the cost is not known: give the provider a price, as in price: {input: 0.15, output: 0.60}' };
    }
    return { pass: costUsd <= max, reason: `cost ${describeUsd(costUsd)}, wanted at most ${describeUsd(max)}` };
  },
});

/** Exact enough to see which of two close amounts is greater. */
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
  check(_target, { max }, { completion: { latencyMs } }) {
    if (latencyMs === undefined) {
      return { error: 'the latency is not known: an answer of a batch, or one recorded by hand, was not timed' };
    }
    const [took, most] = [latencyMs, max].map((ms) => `${Number(ms.toFixed(1))} ms`);
    return { pass: latencyMs <= max, reason: `took ${took}, wanted at most ${most}` };
  },
});

export const tokens = defineAssertion({
  summary: 'the answer used a number of tokens, as the API counted them',
  family: 'budget',
  example: 'tokens: { max: 200, of: output }',
  failsOn: { usage: { inputTokens: 10, outputTokens: 300 } },
  definition: 'the usage that the API reports',
  params: withBounds(
    z.strictObject({
      ...boundsParams,
      of: z.enum(['input', 'output', 'total']).default('total').describe('Which tokens are counted.'),
    }),
  ),
  check(_target, { of, ...bounds }, { completion: { usage } }) {
    if (usage === undefined) {
      return { error: 'the API reported no usage: "length: {unit: tokens}" estimates the tokens of the text' };
    }
    const { inputTokens: input, outputTokens: output } = usage;
    const count = { input, output, total: input + output }[of];
    return { pass: isWithin(count, bounds), reason: `used ${count} ${of} tokens, wanted ${describeBounds(bounds)}` };
  },
});
