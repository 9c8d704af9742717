import type { Provider } from '@pydantic/genai-prices';
import type { Usage } from '../model/completion.ts';

export interface TabledModel {
  readonly model: string;
  /** Undefined: looked up by model alone. */
  readonly priceProvider?: string;
  readonly at?: Date;
}

export interface PriceTable {
  /** USD; undefined where the table has no such provider or model. */
  priceOf(request: TabledModel, usage: Usage): number | undefined;
}

/** Opens the built-in table. It holds half a megabyte, so it is imported here alone; it never asks the network. */
export async function openPriceTable(): Promise<PriceTable> {
  const { calcPrice } = await import('@pydantic/genai-prices');
  // The 1,300 models are searched once a model; the price itself depends on the size and the date of a request.
  const found = new Map<string, Provider | undefined>();

  function findModel({ model, priceProvider }: TabledModel): Provider | undefined {
    const key = JSON.stringify([priceProvider, model]);
    if (!found.has(key)) {
      const match = calcPrice(noTokens, model, priceProvider === undefined ? {} : { providerId: priceProvider });
      found.set(key, match === null ? undefined : { ...match.provider, models: [match.model] });
    }
    return found.get(key);
  }

  // A price costs microseconds to work out, and a large run asks for the same few thousand token counts again and again.
  const known = new Map<string, number | undefined>();

  return {
    priceOf(request, usage) {
      const provider = findModel(request);
      if (provider === undefined) return undefined;
      const tokens = buildTokens(usage);
      const { model, priceProvider, at } = request;
      if (at !== undefined) return calcPrice(tokens, model, { provider, timestamp: at })?.total_price;
      const key = `${priceProvider ?? ''} ${model} ${JSON.stringify(tokens)}`;
      if (!known.has(key)) {
        if (known.size >= maxKnownPrices) known.clear();
        known.set(key, calcPrice(tokens, model, { provider })?.total_price);
      }
      return known.get(key);
    },
  };
}

const maxKnownPrices = 20_000;

const noTokens = { input_tokens: 0, output_tokens: 0 };

/** The table refuses parts larger than their total, which a server may well report. */
function buildTokens(usage: Usage): Record<string, number> {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens);
  const written = Math.min(usage.cacheWriteTokens ?? 0, usage.inputTokens - cached);
  const heard = Math.min(usage.inputAudioTokens ?? 0, usage.inputTokens - cached - written);
  const spoken = Math.min(usage.outputAudioTokens ?? 0, usage.outputTokens);
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    ...(cached === 0 ? {} : { cache_read_tokens: cached }),
    ...(written === 0 ? {} : { cache_write_tokens: written }),
    ...(heard === 0 ? {} : { input_audio_tokens: heard }),
    ...(spoken === 0 ? {} : { output_audio_tokens: spoken }),
  };
}
