import * as z from 'zod';
import { defineAssertion } from './define.ts';
import { numberParam } from './param-schemas.ts';

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
