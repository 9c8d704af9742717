import { defined } from '../json/defined.ts';
import type { Cell } from '../model/cell.ts';
import type { Usage } from '../model/completion.ts';
import type { Endpoint } from '../model/provider.ts';
import type { RecordedSuite, RecordedVariant } from '../model/record.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { createPricer, type PricedModel, type Pricer } from '../prices/create-pricer.ts';
import { boundCell } from './estimate-requests.ts';

/** The members of a stored variant that decide its price. */
export type PricedVariant = Pick<RecordedVariant, 'provider' | 'adapter' | 'model' | 'price' | 'priceProvider'>;

/** What the price table needs to know of a configured provider. */
export function pricedModel(provider: ProviderConfig, endpoint: Endpoint): PricedModel {
  return {
    providerId: provider.id,
    adapter: provider.adapter,
    model: provider.model,
    ...defined({ priceProvider: endpoint.priceProvider, ownPrice: provider.price }),
  };
}

/** An upper bound in USD of what a cell's requests cost; undefined where no price or no output limit is known. */
export function boundRequests(
  { pricer, endpointOf }: { readonly pricer: Pricer; readonly endpointOf: (provider: ProviderConfig) => Endpoint },
  provider: ProviderConfig,
  cell: Cell,
  isBatched = false,
): number | undefined {
  const model = pricedModel(provider, endpointOf(provider));
  return boundCell(cell, (inputTokens, maxOutputTokens) =>
    pricer.boundOf({ ...model, isBatched, inputTokens, maxOutputTokens }),
  );
}

/** A stored answer is priced like today's of the same provider and model; of another model by what its record says. */
export function pricedModelOfVariant(
  variant: PricedVariant,
  providers: Iterable<ProviderConfig>,
  endpointOf: (provider: ProviderConfig) => Endpoint,
): PricedModel {
  for (const provider of providers) {
    if (provider.id === variant.provider && provider.adapter === variant.adapter && provider.model === variant.model) {
      return pricedModel(provider, endpointOf(provider));
    }
  }
  return recordedModel(variant);
}

/**
 * Prices stored answers where no suite is at hand. The price of a provider's model is the one that these suites' record
 * holds, so that both sides of a comparison are priced alike; else the one stored with the answer; else the table's.
 */
export async function createRecordPricer(
  suites: readonly Pick<RecordedSuite, 'variants'>[] = [],
): Promise<(variant: PricedVariant, usage: Usage | undefined) => number | undefined> {
  const pricer = await createPricer({ prices: {} });
  const known = new Map<string, PricedVariant>();
  for (const { variants } of suites) for (const variant of variants) known.set(modelKey(variant), variant);
  const models = new Map<PricedVariant, PricedModel>();
  return (variant, usage) => {
    const model = models.get(variant) ?? recordedModel(known.get(modelKey(variant)) ?? variant);
    models.set(variant, model);
    return pricer.priceOf({ usage, ...model });
  };
}

function recordedModel({ provider, adapter, model, price, priceProvider = adapter }: PricedVariant): PricedModel {
  return { providerId: provider, adapter, model, priceProvider, ...defined({ ownPrice: price }) };
}

function modelKey({ provider, adapter, model }: PricedVariant): string {
  return JSON.stringify([provider, adapter, model]);
}
