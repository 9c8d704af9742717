import { Buffer } from 'node:buffer';
import { lookupAssertion } from '../assertions/index.ts';
import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { Cell } from '../model/cell.ts';
import type { Usage } from '../model/completion.ts';
import type { Endpoint } from '../model/provider.ts';
import type { RecordedSuite, RecordedVariant } from '../model/record.ts';
import type { ProviderConfig, Suite } from '../model/suite.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { createPricer, type PricedModel, type Pricer } from '../prices/create-pricer.ts';
import { plainNumbers } from '../text/exact-numbers.ts';
import { boundCell, countRequests, countVotes, judgeRounds, maxOutputTokens } from './estimate-requests.ts';

/** The members of a stored variant that decide its price. */
export type PricedVariant = Pick<RecordedVariant, 'provider' | 'adapter' | 'model' | 'price' | 'priceProvider'>;

/** What the price table needs to know of a configured provider. */
export function pricedModel(provider: ProviderConfig, endpoint: Endpoint): PricedModel {
  return {
    providerId: provider.pricedAs ?? provider.id,
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

export interface JudgeBound {
  /** USD of the judges whose cost has a bound; undefined where none has, or none is asked. */
  readonly usd: number | undefined;
  /** Judges whose cost has none, each with the reason. */
  readonly uncounted: readonly string[];
}

interface Prices {
  readonly pricer: Pricer;
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
}

/** An upper bound of what a cell's judges and embeddings models cost. */
export function boundJudges({ pricer, endpointOf }: Prices, { askedModels }: Suite, cell: Cell): JudgeBound {
  let usd: number | undefined;
  const uncounted = new Set<string>();
  const answers = maxOutputTokens(cell.request);
  for (const check of checksOf(cell)) {
    const config = askedModels.find(({ id }) => id === check.asks);
    if (config === undefined) continue;
    const model = pricedModel(config, endpointOf(config));
    const output = isEmbedding(check) ? 0 : maxOutputTokens(config);
    if (!pricer.hasPrice(model)) uncounted.add(`${config.id} has no price`);
    else if (output === undefined) uncounted.add(`${config.id} has no limit on output tokens`);
    else if (answers === undefined) uncounted.add(`${config.id} is shown answers without a limit`);
    else {
      const inputTokens = checkBytes(cell, check) + answers * countRequests(cell) * tokensPerToken * 2 + output;
      const bound = pricer.boundOf({ ...model, isBatched: false, inputTokens, maxOutputTokens: output }) ?? 0;
      usd = (usd ?? 0) + bound * countVotes([check]) * judgeRounds;
    }
  }
  return { usd, uncounted: [...uncounted] };
}

/** Checks that ask a model, those of turns and of combinators too. */
function checksOf({ checks, turns }: Cell): readonly CheckSpec[] {
  const asking = (all: readonly CheckSpec[]): readonly CheckSpec[] =>
    all.flatMap((check) => (check.asks === undefined ? asking(check.children ?? []) : [check]));
  return asking([...checks, ...turns.flatMap((turn) => turn.checks)]);
}

/** Without the answers. A judge is shown the check, the case's variables and what the user said, never the prompt. */
function checkBytes({ vars, turns }: Cell, { source }: CheckSpec): number {
  const written = [
    writeJson(source),
    writeJson(plainNumbers(vars)),
    ...turns.map((turn) => (turn.kind === 'first' ? '' : turn.content)),
  ];
  return written.reduce<number>((sum, text) => sum + Buffer.byteLength(text ?? ''), frameBytes);
}

/** The task, the frame of its parts, the form of the reply and its schema, and the request to write it again. */
const frameBytes = 8192;

/** A judge may split a token of the answer into its bytes. */
const tokensPerToken = 4;

function isEmbedding({ assertion }: CheckSpec): boolean {
  const declared = lookupAssertion(assertion);
  return declared !== undefined && 'asks' in declared && declared.asks?.kind === 'embeddings';
}
