import { defined } from '../json/defined.ts';
import type { Usage } from '../model/completion.ts';
import type { RecordedSuite } from '../model/record.ts';
import type { PricedVariant } from '../plan/plan-run.ts';
import { createPricer, type PricedModel } from '../prices/create-pricer.ts';

/**
 * Prices stored answers where no suite is at hand. Of one model of one provider the price is the one that these suites'
 * record holds, so that both sides of a comparison are priced alike; else what was recorded with the answer; else the table's.
 */
export async function pricerOfRecords(
  suites: readonly Pick<RecordedSuite, 'variants'>[] = [],
): Promise<(variant: PricedVariant, usage: Usage | undefined) => number | undefined> {
  const pricer = await createPricer({ prices: {} });
  const known = new Map<string, PricedVariant>();
  for (const { variants } of suites) for (const variant of variants) known.set(modelKey(variant), variant);
  const models = new Map<PricedVariant, PricedModel>();
  return (variant, usage) => {
    let model = models.get(variant);
    if (model === undefined) {
      model = describeModel(known.get(modelKey(variant)) ?? variant);
      models.set(variant, model);
    }
    return pricer.priceOf({ usage, ...model });
  };
}

function describeModel({ provider, adapter, model, price, priceProvider = adapter }: PricedVariant): PricedModel {
  return { providerId: provider, adapter, model, priceProvider, ...defined({ ownPrice: price }) };
}

function modelKey({ provider, adapter, model }: PricedVariant): string {
  return JSON.stringify([provider, adapter, model]);
}
