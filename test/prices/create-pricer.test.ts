import { describe, expect, it } from 'vitest';
import { createPricer, type PricedModel, priceBatched } from '../../src/prices/create-pricer.ts';
import fc from '../support/property.ts';

const mini: PricedModel = {
  providerId: 'openai:gpt-4o-mini',
  adapter: 'openai',
  model: 'gpt-4o-mini',
  priceProvider: 'openai',
};
const million = { inputTokens: 1_000_000, outputTokens: 1_000_000 };
const none = await createPricer({ prices: {} });

describe('the built-in table', () => {
  it('prices input, cached input and output of gpt-4o-mini as published', () => {
    // USD 0.15, 0.075 and 0.60 per million (OpenAI, 2024-07).
    const usage = { inputTokens: 1000, cachedInputTokens: 200, outputTokens: 500 };
    expect(none.priceOf({ ...mini, usage })).toBeCloseTo((800 * 0.15 + 200 * 0.075 + 500 * 0.6) / 1e6, 12);
  });

  it('prices a single cached token as cached', () => {
    const usage = { inputTokens: 1, cachedInputTokens: 1, outputTokens: 0 };
    expect(none.priceOf({ ...mini, usage })).toBeCloseTo(0.075 / 1e6, 15);
  });

  it('finds a dated snapshot, and a model without its provider', () => {
    const { priceProvider: _, ...alone } = mini;
    expect(none.priceOf({ ...alone, usage: million })).toBeCloseTo(0.75, 12);
    expect(none.priceOf({ ...mini, model: 'gpt-4o-mini-2024-07-18', usage: million })).toBeCloseTo(0.75, 12);
  });

  it('applies the tier of a long prompt', () => {
    // Gemini 2.5 Pro: USD 1.25 per million up to 200,000 tokens, 2.50 above (Google, 2025).
    const model = { ...mini, model: 'gemini-2.5-pro', priceProvider: 'google' };
    expect(none.priceOf({ ...model, usage: { inputTokens: 100_000, outputTokens: 0 } })).toBeCloseTo(0.125, 12);
    expect(none.priceOf({ ...model, usage: { inputTokens: 400_000, outputTokens: 0 } })).toBeCloseTo(1, 12);
  });

  it('takes the price of the day that is asked for', () => {
    const at = (day: string) => none.priceOf({ ...mini, model: 'o3', usage: million, at: new Date(day) });
    // o3 went from USD 10 and 40 to 2 and 8 per million on 2025-06-10.
    expect(at('2025-06-01T00:00:00Z')).toBeCloseTo(50, 9);
    expect(at('2025-07-01T00:00:00Z')).toBeCloseTo(10, 9);
  });

  it('takes parts that exceed their total for no more than the total', () => {
    expect(none.priceOf({ ...mini, usage: { inputTokens: 10, outputTokens: 0, cachedInputTokens: 900 } })).toBeCloseTo(
      (10 * 0.075) / 1e6,
      15,
    );
  });

  it.each([
    { model: 'no-such-model', priceProvider: 'openai' },
    { model: 'qwen2.5:7b', priceProvider: 'ollama' },
    { model: 'gpt-4o-mini', priceProvider: 'ollama' },
    { model: 'gpt-4o-mini', priceProvider: 'exec' },
    { model: 'constructor', priceProvider: 'openai' },
  ])('does not know $model of $priceProvider, and unknown is not 0', (over) => {
    const model = { ...mini, ...over };
    expect(none.priceOf({ ...model, usage: million })).toBeUndefined();
    expect(none.boundOf({ ...model, inputTokens: 1, maxOutputTokens: 1 })).toBeUndefined();
    expect(none.hasPrice(model)).toBe(false);
  });

  it('keeps apart what one model costs at two providers, and two models at one', () => {
    const oss = { ...mini, model: 'gpt-oss-120b' };
    const costs = [oss, { ...oss, priceProvider: 'cerebras' }, mini].map((model) =>
      none.priceOf({ ...model, usage: million }),
    );
    expect(new Set(costs).size).toBe(3);
    expect(costs).not.toContain(undefined);
  });

  it('gives no cost without usage', () => {
    expect(none.priceOf({ ...mini, usage: undefined })).toBeUndefined();
    expect(none.hasPrice(mini)).toBe(true);
  });
});

describe('what an API reports', () => {
  it('is the cost of a model without a price, and of no other', () => {
    const usage = { ...million, costUsd: 0.5 };
    expect(none.priceOf({ ...mini, model: 'no-such-model', usage })).toBe(0.5);
    expect(none.priceOf({ ...mini, usage })).toBeCloseTo(0.75, 12);
    expect(none.priceOf({ ...mini, ownPrice: { input: 0, output: 0 }, usage })).toBe(0);
  });

  it('is priced as tokens of sound where it says so, up to their total', () => {
    const sound = { ...mini, model: 'gpt-audio' };
    const priceOf = (usage: object) => none.priceOf({ ...sound, usage: { ...million, ...usage } }) ?? 0;
    expect(priceOf({ inputAudioTokens: 1_000_000 })).toBeGreaterThan(priceOf({}));
    expect(priceOf({ inputAudioTokens: 2_000_000 })).toBe(priceOf({ inputAudioTokens: 1_000_000 }));
    expect(priceOf({ outputAudioTokens: 1_000_000 })).toBeGreaterThan(priceOf({}));
    expect(priceOf({ outputAudioTokens: 2_000_000 })).toBe(priceOf({ outputAudioTokens: 1_000_000 }));
    const parts = { cachedInputTokens: 300_000, cacheWriteTokens: 300_000 };
    expect(priceOf({ ...parts, inputAudioTokens: 900_000 })).toBe(priceOf({ ...parts, inputAudioTokens: 400_000 }));
    expect(priceOf({ ...parts, inputAudioTokens: 400_000 })).toBeGreaterThan(
      priceOf({ ...parts, inputAudioTokens: 399_000 }),
    );
    // USD 2.50 and 10 per million tokens of text (OpenAI, 2025).
    expect(priceOf({ inputTokens: 4, outputTokens: 0 })).toBeCloseTo(10 / 1e6, 12);
    expect(none.boundOf({ ...sound, inputTokens: 0, maxOutputTokens: 1_000_000 })).toBeCloseTo(
      priceOf({ inputTokens: 0, outputAudioTokens: 1_000_000 }),
      9,
    );
  });
});

describe("the user's own price", () => {
  it('wins over the table: by the provider, then its id, adapter:model, model', async () => {
    const price = (input: number) => ({ input, output: 0 });
    const steps = [
      { prices: {}, ownPrice: price(5), expected: 5 },
      { prices: { box: price(4), 'openai:m': price(3), m: price(2) }, expected: 4 },
      { prices: { 'openai:m': price(3), m: price(2) }, expected: 3 },
      { prices: { m: price(2) }, expected: 2 },
    ];
    for (const { prices, expected, ...own } of steps) {
      const pricer = await createPricer({ prices });
      const usage = { inputTokens: 1_000_000, outputTokens: 0 };
      expect(pricer.priceOf({ providerId: 'box', adapter: 'openai', model: 'm', usage, ...own })).toBe(expected);
    }
  });

  it('of 0 is a price', async () => {
    const pricer = await createPricer({ prices: { 'qwen2.5:7b': { input: 0, output: 0 } } });
    const local = { providerId: 'local', adapter: 'ollama', model: 'qwen2.5:7b', priceProvider: 'ollama' };
    expect(pricer.priceOf({ ...local, usage: million })).toBe(0);
    expect(pricer.boundOf({ ...local, inputTokens: 9, maxOutputTokens: 9 })).toBe(0);
    expect(pricer.hasPrice(local)).toBe(true);
  });

  it('counts cached and written tokens once, at their own price or that of input', () => {
    const usage = { inputTokens: 100, cachedInputTokens: 60, cacheWriteTokens: 30, outputTokens: 10 };
    const all = { input: 1, output: 2, cachedInput: 0.5, cacheWrite: 1.25 };
    expect(none.priceOf({ ...mini, ownPrice: all, usage })).toBeCloseTo((10 + 60 * 0.5 + 30 * 1.25 + 20) / 1e6, 15);
    expect(none.priceOf({ ...mini, ownPrice: { input: 1, output: 2 }, usage })).toBeCloseTo(120 / 1e6, 15);
    const { cacheWrite: _, ...cachedAlone } = all;
    expect(none.priceOf({ ...mini, ownPrice: cachedAlone, usage })).toBeCloseTo((10 + 60 * 0.5 + 30 + 20) / 1e6, 15);
  });

  it('is not found under a name that every object has', async () => {
    const pricer = await createPricer({ prices: {} });
    expect(pricer.hasPrice({ providerId: 'toString', adapter: 'a', model: 'constructor' })).toBe(false);
    const odd = await createPricer({ prices: { undefined: { input: 1, output: 1 } } });
    expect(odd.ownPriceOf({ ...mini })).toBeUndefined();
  });
});

describe('a bound', () => {
  const models = [
    { ...mini },
    { ...mini, model: 'claude-sonnet-4-5', priceProvider: 'anthropic' },
    { ...mini, model: 'gemini-2.5-pro', priceProvider: 'google' },
    { ...mini, ownPrice: { input: 1, output: 2, cachedInput: 0.1, cacheWrite: 3 } },
  ];

  it('is never below what any usage within it costs', () => {
    const tokens = fc.integer({ min: 0, max: 500_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        tokens,
        tokens,
        tokens,
        tokens,
        (model, input, output, cached, written) => {
          const usage = {
            inputTokens: input,
            outputTokens: output,
            cachedInputTokens: cached,
            cacheWriteTokens: written,
          };
          const bound = none.boundOf({ ...model, inputTokens: input, maxOutputTokens: output });
          expect(none.priceOf({ ...model, usage })).toBeLessThanOrEqual((bound ?? -1) + 1e-9);
        },
      ),
    );
  });
});

const batchUsage = { inputTokens: 1_000_000, outputTokens: 100_000 };

describe('prices of batches', () => {
  it('are half of the live ones, from the table or the user', async () => {
    const pricer = await createPricer({ prices: {} });
    for (const [adapter, priceProvider, model, liveUsd] of [
      ['openai', 'openai', 'gpt-4o-mini', 0.15 + 0.06],
      ['anthropic', 'anthropic', 'claude-sonnet-4-5', 3 + 1.5],
      ['gemini', 'google', 'gemini-2.5-flash', 0.3 + 0.25],
    ] as const) {
      const request = {
        providerId: 'p',
        adapter,
        model,
        priceProvider,
        usage: { inputTokens: 100_000, outputTokens: 10_000 },
      };
      expect(pricer.priceOf(request)).toBeCloseTo(liveUsd / 10, 10);
      expect(pricer.priceOf({ ...request, isBatched: true })).toBeCloseTo(liveUsd / 20, 10);
      const { usage: _, ...asked } = request;
      const bound = { ...asked, inputTokens: 100_000, maxOutputTokens: 10_000 };
      expect(pricer.boundOf({ ...bound, isBatched: true })).toBeCloseTo((pricer.boundOf(bound) ?? 0) / 2, 10);
      const own = { ...request, ownPrice: { input: 8, output: 0 }, isBatched: true };
      expect(pricer.priceOf(own)).toBeCloseTo(0.4, 10);
    }
  });

  it('are not known where the vendor documents none, or the live price is not known', () => {
    expect(priceBatched('ollama', batchUsage, () => 1)).toBeUndefined();
    expect(priceBatched(undefined, batchUsage, () => 1)).toBeUndefined();
    expect(priceBatched('constructor', batchUsage, () => 1)).toBeUndefined();
    expect(priceBatched('openai', batchUsage, () => undefined)).toBeUndefined();
    const rest = (usage: { readonly cachedInputTokens?: number }) =>
      usage.cachedInputTokens === undefined ? undefined : 1;
    expect(priceBatched('google', { ...batchUsage, cachedInputTokens: 1 }, rest)).toBeUndefined();
    // One share for both parts needs the whole alone.
    const whole = (usage: { readonly cachedInputTokens?: number }) =>
      usage.cachedInputTokens === undefined ? undefined : 1;
    expect(priceBatched('openai', { ...batchUsage, cachedInputTokens: 1 }, whole)).toBe(0.5);
  });

  it('take half off input that was read from the cache, too, save at Google', () => {
    const live = ({
      inputTokens,
      cachedInputTokens = 0,
      outputTokens,
    }: typeof batchUsage & { cachedInputTokens?: number }) =>
      (inputTokens - cachedInputTokens) * 10 + cachedInputTokens + outputTokens * 20;
    const cached = { inputTokens: 100, cachedInputTokens: 40, outputTokens: 10 };
    expect(priceBatched('anthropic', cached, live)).toBe((600 + 40 + 200) / 2);
    expect(priceBatched('google', cached, live)).toBe((600 + 200) / 2 + 40);
  });
});
