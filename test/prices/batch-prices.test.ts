import { describe, expect, it } from 'vitest';
import { priceBatched } from '../../src/prices/batch-prices.ts';
import { createPricer } from '../../src/prices/create-pricer.ts';

const usage = { inputTokens: 1_000_000, outputTokens: 100_000 };

describe('prices of batches', () => {
  it('are half of the live ones, whoever set those', async () => {
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
      const own = { ...request, ownPrice: { input: 8, output: 0 }, isBatched: true };
      expect(pricer.priceOf(own)).toBeCloseTo(0.4, 10);
    }
  });

  it('are not known where the vendor documents none, or the live price is not known', () => {
    expect(priceBatched('ollama', usage, () => 1)).toBeUndefined();
    expect(priceBatched(undefined, usage, () => 1)).toBeUndefined();
    expect(priceBatched('constructor', usage, () => 1)).toBeUndefined();
    expect(priceBatched('openai', usage, () => undefined)).toBeUndefined();
  });

  it('take half off input that was read from the cache, too, save at Google', () => {
    const live = ({
      inputTokens,
      cachedInputTokens = 0,
      outputTokens,
    }: typeof usage & { cachedInputTokens?: number }) =>
      (inputTokens - cachedInputTokens) * 10 + cachedInputTokens + outputTokens * 20;
    const cached = { inputTokens: 100, cachedInputTokens: 40, outputTokens: 10 };
    expect(priceBatched('anthropic', cached, live)).toBe((600 + 40 + 200) / 2);
    expect(priceBatched('google', cached, live)).toBe((600 + 200) / 2 + 40);
  });
});
