import type { Usage } from '../model/completion.ts';

interface BatchPrice {
  /** Of the live price. */
  readonly share: number;
  /** Of the live price of input that was read from the provider's cache. */
  readonly cachedShare: number;
  readonly source: string;
}

/**
 * What the batch APIs cost beside the live ones, by the provider's name in the price table, as of 2026-11-24. The price
 * table itself has no batch prices; each vendor documents one share for all of its models.
 */
const batchPrices: Readonly<Record<string, BatchPrice>> = {
  openai: { share: 0.5, cachedShare: 0.5, source: 'https://platform.openai.com/docs/guides/batch' },
  anthropic: {
    share: 0.5,
    cachedShare: 0.5,
    source: 'https://docs.claude.com/en/docs/build-with-claude/batch-processing',
  },
  // Cached tokens cost in a batch what they cost outside of it.
  google: { share: 0.5, cachedShare: 1, source: 'https://ai.google.dev/gemini-api/docs/batch-api' },
};

/** USD; undefined where the live price or the provider's share for batches is not known. */
export function priceBatched(
  priceProvider: string | undefined,
  usage: Usage,
  priceLive: (usage: Usage) => number | undefined,
): number | undefined {
  const price =
    priceProvider !== undefined && Object.hasOwn(batchPrices, priceProvider) ? batchPrices[priceProvider] : undefined;
  const liveUsd = priceLive(usage);
  if (price === undefined || liveUsd === undefined) return undefined;
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens);
  if (cached === 0 || price.share === price.cachedShare) return liveUsd * price.share;
  const { cachedInputTokens: _cached, ...others } = usage;
  const restUsd = priceLive({ ...others, inputTokens: usage.inputTokens - cached });
  if (restUsd === undefined) return undefined;
  return restUsd * price.share + (liveUsd - restUsd) * price.cachedShare;
}
