import * as z from 'zod';
import { defined } from '../json/defined.ts';
import { defineAssertion } from './define.ts';
import { countParam, describeBounds, durationParam, isOrdered, isWithin, numberParam } from './params.ts';

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
  check(_target, { max }, { completion: { costUsd, usage } }) {
    if (costUsd === undefined) {
      const why =
        usage === undefined
          ? 'the answer came without the tokens that a price counts'
          : 'give the provider a price, as in price: {input: 0.15, output: 0.60}';
      return { error: `the cost is not known: ${why}` };
    }
    return { pass: costUsd <= max, reason: `cost ${describeUsd(costUsd)}, wanted at most ${describeUsd(max)}` };
  },
});

/** Exact enough to see which of two close amounts is greater. */
function describeUsd(usd: number): string {
  return `$${Number(usd.toPrecision(6))}`;
}

export const latency = defineAssertion({
  summary: 'the answer, or its first token, came within a duration; waiting and retries do not count',
  family: 'budget',
  example: 'latency: { max: 2s }',
  failsOn: { latencyMs: 2500 },
  definition: 'the successful attempt alone, on a monotonic clock',
  main: 'max',
  params: z
    .strictObject({
      max: durationParam.optional().describe('The longest time until the whole answer came, such as "2s".'),
      firstToken: durationParam
        .optional()
        .describe('The longest time until its first token came; needs stream: true on the provider.'),
    })
    .refine(({ max, firstToken }) => max !== undefined || firstToken !== undefined, {
      error: 'needs max or firstToken',
    }),
  check(_target, { max, firstToken }, { completion: { latencyMs, firstTokenMs } }) {
    if (max !== undefined && latencyMs === undefined) {
      return { error: 'the latency is not known: an answer of a batch, or one recorded by hand, was not timed' };
    }
    if (firstToken !== undefined && firstTokenMs === undefined) {
      return { error: 'the time to the first token is not known: set stream: true on the provider' };
    }
    const took = compareTimes('took', latencyMs, max);
    const began = compareTimes('the first token came after', firstTokenMs, firstToken);
    const decisive = [took, began].filter((result) => result !== undefined);
    const failed = decisive.filter(({ pass }) => !pass);
    const reason = (failed.length > 0 ? failed : decisive).map((result) => result.reason).join('; ');
    return { pass: failed.length === 0, reason };
  },
});

function compareTimes(what: string, ms: number | undefined, most: number | undefined) {
  if (ms === undefined || most === undefined) return undefined;
  const [found, wanted] = [ms, most].map((value) => `${Number(value.toFixed(1))} ms`);
  return { pass: ms <= most, reason: `${what} ${found}, wanted at most ${wanted}` };
}

/** A number of tokens, or a share of all input tokens. */
const tokensParam = z.union(
  [
    countParam,
    z
      .string()
      .regex(/^(?:100|\d{1,2}(?:\.\d+)?)%$/)
      .transform((text) => ({ percent: Number(text.slice(0, -1)) })),
  ],
  { error: 'must be a whole number, or a percentage such as "60%"' },
);

type TokensBound = z.output<typeof tokensParam>;

export const tokens = defineAssertion({
  summary: 'the answer used a number of tokens, as the API counted them',
  family: 'budget',
  example: 'tokens: { max: 200, of: output }',
  failsOn: { usage: { inputTokens: 10, outputTokens: 300 } },
  definition: 'the usage that the API reports',
  params: z
    .strictObject({
      min: tokensParam.optional().describe('The least that passes; with cachedInput also a share of the input: "60%".'),
      max: tokensParam.optional().describe('The most that passes.'),
      of: z
        .enum(['input', 'output', 'total', 'cachedInput'])
        .default('total')
        .describe("Which tokens are counted; cachedInput are those that were read from the provider's cache."),
    })
    .superRefine(({ min, max, of }, context) => {
      const add = (message: string) => context.addIssue({ code: 'custom', message });
      const bounds = [min, max].filter((bound) => bound !== undefined);
      const kinds = new Set(bounds.map((bound) => typeof bound));
      const [least, most] = [min, max].map((bound) => (bound === undefined ? undefined : amountOf(bound)));
      if (bounds.length === 0) add('needs min or max');
      else if (least === 0 && max === undefined) add('min: 0 can never fail: write a min of 1 or more, or a max');
      else if (kinds.has('object') && of !== 'cachedInput') add('a percentage goes with of: cachedInput alone');
      else if (kinds.size > 1) add('min and max must both be percentages, or neither');
      else if (!isOrdered({ min: least, max: most })) add('min is greater than max');
    }),
  check(_target, { of, min, max }, { completion: { usage } }) {
    if (usage === undefined) {
      return { error: 'the API reported no usage: "length: {unit: tokens}" estimates the tokens of the text' };
    }
    const { inputTokens: input, outputTokens: output, cachedInputTokens: cachedInput } = usage;
    const count = { input, output, total: input + output, cachedInput }[of];
    if (count === undefined) return { error: 'the API did not report how many tokens were read from its cache' };
    const bounds = defined({ min: min && amountOf(min), max: max && amountOf(max) });
    if (typeof (min ?? max) === 'number') {
      return { pass: isWithin(count, bounds), reason: `used ${count} ${of} tokens, wanted ${describeBounds(bounds)}` };
    }
    const percent = input === 0 ? 0 : (count / input) * 100;
    const found = `read ${Number(percent.toFixed(1))}% of ${input} input tokens from the provider's cache`;
    return { pass: isWithin(percent, bounds), reason: `${found}, wanted ${describeBounds(bounds)}%` };
  },
});

function amountOf(bound: TokensBound): number {
  return typeof bound === 'number' ? bound : bound.percent;
}
