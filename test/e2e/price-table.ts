import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import type { MatchLogic, Provider } from '@pydantic/genai-prices';
import * as published from '@pydantic/genai-prices';
import { presets } from '../../src/providers/presets.ts';

type PriceTable = Pick<typeof published, 'calcPrice'>;

/** The price table of a built package. */
export async function openBuiltTable(dist: string): Promise<PriceTable> {
  const chunks = join(dist, 'chunks');
  const names = readdirSync(chunks).filter((name) =>
    readFileSync(join(chunks, name), 'utf8').includes(' as calcPrice'),
  );
  return (await import(pathToFileURL(join(chunks, names.join())).href)) as PriceTable;
}

/** What a model is looked up by: its name, of one provider or of whichever has it. */
export interface Lookup {
  readonly model: string;
  readonly providerId?: string;
}

/**
 * Every name that the published table knows, without a provider and at a fifth of the providers of the table and of llmcheck:
 * some have models of others. Names are the ids of models and the texts that they match.
 */
export function listLookups(): readonly Lookup[] {
  const source = readFileSync(new URL(import.meta.resolve('@pydantic/genai-prices')), 'utf8');
  const table = /(?<=^const \w+ = )\[\n[^]*?\n\]/.exec(source)?.[0] ?? '[]';
  const providers = runInNewContext(table) as readonly Provider[];
  const models = new Set(
    providers.flatMap((provider) => provider.models.flatMap(({ id, match }) => [id, ...namesIn(match)])),
  );
  const known = [...providers.map(({ id }) => id), ...Object.values(presets).map(({ priceProvider }) => priceProvider)];
  const ids = [...new Set(known)];
  return [...models].flatMap((model, place) => [
    { model },
    ...ids.filter((_, at) => (at + place) % 5 === 0).map((providerId) => ({ model, providerId })),
  ]);
}

function namesIn(match: MatchLogic): readonly string[] {
  return Object.values(match).flatMap((part) => (typeof part === 'string' ? [part] : part.flatMap(namesIn)));
}

const million = { input_tokens: 1_000_000, output_tokens: 1_000_000 };
const usages = [
  { input_tokens: 1000, output_tokens: 1000 },
  million,
  { ...million, cache_read_tokens: 400_000, cache_write_tokens: 300_000 },
  { ...million, input_audio_tokens: 300_000, output_audio_tokens: 500_000 },
];
const times = ['2024-01-01T03:00:00Z', '2025-06-01T12:00:00Z', '2026-11-01T20:00:00Z'].map((text) => new Date(text));

/**
 * Says what a table has for a name, with the prices for short and long requests with all kinds of tokens, on several days and
 * hours. Many names lead to one model of a provider, and its prices are computed once.
 */
export function createDescribePrices({ calcPrice }: PriceTable): (lookup: Lookup) => string {
  const known = new Map<unknown, Map<string, string>>();
  return ({ model, providerId }) => {
    const none = { input_tokens: 0, output_tokens: 0 };
    const found = calcPrice(none, model, providerId === undefined ? {} : { providerId });
    if (found === null) return `${providerId ?? ''} ${model}: unknown`;
    const byProvider = known.get(found.model) ?? new Map<string, string>();
    known.set(found.model, byProvider);
    const provider = { ...found.provider, models: [found.model] };
    const prices =
      byProvider.get(provider.id) ??
      times
        .flatMap((timestamp) => usages.map((usage) => calcPrice(usage, model, { provider, timestamp })?.total_price))
        .join(' ');
    byProvider.set(provider.id, prices);
    return `${providerId ?? ''} ${model}: ${provider.id} ${found.model.id} ${prices}`;
  };
}

export const publishedTable: PriceTable = published;
