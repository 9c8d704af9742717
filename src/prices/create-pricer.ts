import type { Usage } from '../model/completion.ts';
import type { Price } from '../model/suite.ts';
import { priceBatched } from './batch-prices.ts';
import { openPriceTable } from './price-table.ts';

/** Enough of a provider to find a price for it. */
export interface PricedModel {
  /** The provider's id in the suite. */
  readonly providerId: string;
  readonly adapter: string;
  readonly model: string;
  /** The provider's name in the built-in table; undefined: looked up by model alone. */
  readonly priceProvider?: string;
  /** The provider's own `price:`. */
  readonly ownPrice?: Price;
}

export interface PricedUsage extends PricedModel {
  /** Undefined where the API reported none. */
  readonly usage: Usage | undefined;
  /** When the answer was given: some prices change with the date or the hour. */
  readonly at?: Date;
  /** At the price of the provider's batch API; unknown where none is documented. */
  readonly isBatched?: boolean;
}

export interface PricedBound extends PricedModel {
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  readonly at?: Date;
  readonly isBatched?: boolean;
}

export interface Pricer {
  /** USD; undefined where no price or no usage is known, never 0 for "unknown". */
  priceOf(request: PricedUsage): number | undefined;
  /** USD that a request of at most so many tokens can't exceed; undefined where no price is known. */
  boundOf(request: PricedBound): number | undefined;
  hasPrice(model: PricedModel): boolean;
  /** The price that the user has set for it, in whatever place. */
  ownPriceOf(model: PricedModel): Price | undefined;
}

/**
 * Joins the user's prices with the built-in table. In order: the provider's own price; `prices` by provider id, by
 * `adapter:model`, by model; the table.
 */
export async function createPricer(options: { readonly prices: Readonly<Record<string, Price>> }): Promise<Pricer> {
  const table = await openPriceTable();

  function priceTokens(
    request: PricedModel & { readonly at?: Date; readonly isBatched?: boolean },
    usage: Usage,
  ): number | undefined {
    const priceLive = (tokens: Usage) => priceLiveTokens(request, tokens);
    return request.isBatched === true ? priceBatched(request.priceProvider, usage, priceLive) : priceLive(usage);
  }

  function priceLiveTokens(request: PricedModel & { readonly at?: Date }, usage: Usage): number | undefined {
    const price = findOwnPrice(request, options.prices);
    return price === undefined ? table.priceOf(request, usage) : priceAt(price, usage);
  }

  return {
    priceOf: (request) => (request.usage === undefined ? undefined : priceTokens(request, request.usage)),
    boundOf(request) {
      const { inputTokens, maxOutputTokens: outputTokens } = request;
      // What is written to a cache or spoken is not known before, and either can cost more than plain text.
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
function priceAt(price: Price, usage: Usage): number {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens);
  const written = Math.min(usage.cacheWriteTokens ?? 0, usage.inputTokens - cached);
  const perMillion =
    (usage.inputTokens - cached - written) * price.input +
    cached * (price.cachedInput ?? price.input) +
    written * (price.cacheWrite ?? price.input) +
    usage.outputTokens * price.output;
  return perMillion / 1_000_000;
}
