import type { Provider } from '@pydantic/genai-prices';
import type { Usage } from '../model/run/completion.ts';
import type { Price } from '../model/suite/recorded-settings.ts';

/** Enough of a provider to find a price for it. */
export interface PricedModel {
  /** The provider's id in the suite. */
  readonly providerId: string;
  readonly adapter: string;
  readonly model: string;
  /** The provider's name in the built-in table; undefined: looked up by model only. */
  readonly priceProvider?: string;
  /** The provider's own `price:`. */
  readonly ownPrice?: Price;
}

/** One request to one model. */
interface PricedRequest extends PricedModel {
  /** When the answer was given: some prices change with the date or the hour. */
  readonly at?: Date;
  /** At the price of the provider's batch API; unknown where none is documented. */
  readonly isBatched?: boolean;
}

interface PricedUsage extends PricedRequest {
  /** Undefined where the API reported none. */
  readonly usage: Usage | undefined;
}

interface PricedBound extends PricedRequest {
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
}

export interface Pricer {
  /** USD; undefined where no price or no usage is known, never 0 for "unknown". */
  priceOf(request: PricedUsage): number | undefined;
  /** USD that a request of at most so many tokens can't exceed; undefined where no price is known. */
  boundOf(request: PricedBound): number | undefined;
  hasPrice(model: PricedModel): boolean;
  /** The price that the user has set for it, on the provider or under `prices`. */
  ownPriceOf(model: PricedModel): Price | undefined;
}

/**
 * Joins the user's prices with the built-in table. In order: the provider's own price; `prices` by provider id, by
 * `adapter:model`, by model; the table.
 */
export async function createPricer(options: { readonly prices: Readonly<Record<string, Price>> }): Promise<Pricer> {
  const priceByTable = await openPriceTable();

  function priceTokens(request: PricedRequest, usage: Usage): number | undefined {
    const ownPrice = findOwnPrice(request, options.prices);
    const priceLive = (tokens: Usage) =>
      ownPrice === undefined ? priceByTable(request, tokens) : priceByRates(ownPrice, tokens);
    return request.isBatched === true ? priceBatched(request.priceProvider, usage, priceLive) : priceLive(usage);
  }

  return {
    priceOf(request) {
      const { usage } = request;
      return usage === undefined ? undefined : (priceTokens(request, usage) ?? usage.costUsd);
    },
    boundOf(request) {
      const { inputTokens, maxOutputTokens: outputTokens } = request;
      // Cache writes and audio are not known before the answer, and either can cost more than plain text.
      const shapes: readonly Usage[] = [
        { inputTokens, outputTokens },
        { inputTokens, outputTokens, cacheWriteTokens: inputTokens },
        { inputTokens, outputTokens, outputAudioTokens: outputTokens },
      ];
      const bounds = shapes.map((usage) => priceTokens(request, usage)).filter((bound) => bound !== undefined);
      return bounds.length === 0 ? undefined : Math.max(...bounds);
    },
    ownPriceOf: (model) => findOwnPrice(model, options.prices),
    hasPrice: (model) => priceTokens(model, { inputTokens: 1, outputTokens: 1 }) !== undefined,
  };
}

function findOwnPrice(request: PricedModel, prices: Readonly<Record<string, Price>>): Price | undefined {
  if (request.ownPrice !== undefined) return request.ownPrice;
  const names = [request.providerId, `${request.adapter}:${request.model}`, request.model];
  const name = names.find((candidate) => Object.hasOwn(prices, candidate));
  return name === undefined ? undefined : prices[name];
}

/** Cached and written tokens cost what plain input costs unless the price says otherwise. */
function priceByRates(price: Price, usage: Usage): number {
  const { cached, written } = splitInput(usage);
  const perMillion =
    (usage.inputTokens - cached - written) * price.input +
    cached * (price.cachedInput ?? price.input) +
    written * (price.cacheWrite ?? price.input) +
    usage.outputTokens * price.output;
  return perMillion / 1_000_000;
}

/** A server may report parts that are larger than their total. */
function splitInput({ inputTokens, cachedInputTokens = 0, cacheWriteTokens = 0 }: Usage) {
  const cached = Math.min(cachedInputTokens, inputTokens);
  return { cached, written: Math.min(cacheWriteTokens, inputTokens - cached) };
}

interface BatchPrice {
  /** The batch price as a fraction of the live price. */
  readonly share: number;
  /** The same fraction for input that is read from the provider's cache. */
  readonly cachedShare: number;
}

/**
 * What the batch APIs cost beside the live ones, by the provider's name in the price table, as of 2026-11-24. The price
 * table itself has no batch prices; each vendor documents one share for all of its models.
 */
const batchPrices: Readonly<Record<string, BatchPrice>> = {
  // https://platform.openai.com/docs/guides/batch
  openai: { share: 0.5, cachedShare: 0.5 },
  // https://docs.claude.com/en/docs/build-with-claude/batch-processing
  anthropic: { share: 0.5, cachedShare: 0.5 },
  // https://ai.google.dev/gemini-api/docs/batch-api: cached tokens are not cheaper in a batch.
  google: { share: 0.5, cachedShare: 1 },
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
  const { cached } = splitInput(usage);
  if (price.share === price.cachedShare) return liveUsd * price.share;
  const { cachedInputTokens: _cached, ...others } = usage;
  const restUsd = priceLive({ ...others, inputTokens: usage.inputTokens - cached });
  if (restUsd === undefined) return undefined;
  return restUsd * price.share + (liveUsd - restUsd) * price.cachedShare;
}

type PriceByTable = (
  request: Pick<PricedRequest, 'model' | 'priceProvider' | 'at'>,
  usage: Usage,
) => number | undefined;

/**
 * Opens the built-in table, which never asks the network. It gives undefined for a model that it does not have. Its half
 * megabyte is imported only where a price is needed.
 */
async function openPriceTable(): Promise<PriceByTable> {
  const { calcPrice } = await import('@pydantic/genai-prices');
  // A search goes through 1,300 models; the price itself depends on the size and the date of a request.
  const providers = new Map<string, Provider | undefined>();

  function findProvider(model: string, priceProvider: string | undefined): Provider | undefined {
    const key = JSON.stringify([priceProvider, model]);
    if (!providers.has(key)) {
      const match = calcPrice(noTokens, model, priceProvider === undefined ? {} : { providerId: priceProvider });
      providers.set(key, match === null ? undefined : { ...match.provider, models: [match.model] });
    }
    return providers.get(key);
  }

  // A large run asks for the same few thousand token counts many times.
  const prices = new Map<string, number | undefined>();

  return ({ model, priceProvider, at }, usage) => {
    const provider = findProvider(model, priceProvider);
    if (provider === undefined) return undefined;
    const tokens = buildTokens(usage);
    if (at !== undefined) return calcPrice(tokens, model, { provider, timestamp: at })?.total_price;
    const key = JSON.stringify([priceProvider, model, tokens]);
    if (!prices.has(key)) {
      if (prices.size >= maxKnownPrices) prices.clear();
      prices.set(key, calcPrice(tokens, model, { provider })?.total_price);
    }
    return prices.get(key);
  };
}

const maxKnownPrices = 20_000;

const noTokens = { input_tokens: 0, output_tokens: 0 };

/** The table refuses parts larger than their total. */
function buildTokens(usage: Usage): Record<string, number> {
  const { cached, written } = splitInput(usage);
  const parts = {
    cache_read_tokens: cached,
    cache_write_tokens: written,
    input_audio_tokens: Math.min(usage.inputAudioTokens ?? 0, usage.inputTokens - cached - written),
    output_audio_tokens: Math.min(usage.outputAudioTokens ?? 0, usage.outputTokens),
  };
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    ...Object.fromEntries(Object.entries(parts).filter(([, tokens]) => tokens !== 0)),
  };
}
