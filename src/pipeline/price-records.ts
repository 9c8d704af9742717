import type { Usage } from '../model/completion.ts';
import { createPricer } from '../prices/create-pricer.ts';
import type { PricedVariant } from './plan-run.ts';

/** Prices stored answers where no suite is at hand: by the price that was recorded with them, else by the table. */
export async function pricerOfRecords(): Promise<
  (variant: PricedVariant, usage: Usage | undefined) => number | undefined
> {
  const pricer = await createPricer({ prices: {} });
  return ({ provider, adapter, model, price, priceProvider = adapter }, usage) =>
    pricer.priceOf({
      providerId: provider,
      adapter,
      model,
      priceProvider,
      ...(price === undefined ? {} : { ownPrice: price }),
      usage,
    });
}
