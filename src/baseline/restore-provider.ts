import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import type { VariantKey } from '../model/comparison/baseline.ts';
import { isOwnCode, type ProviderConfig } from '../model/suite/suite.ts';
import { quote } from '../text/shorten.ts';
import { isSameSettings, type SentVariant } from '../verdict/variant-differences.ts';

/** A variant as a record or a baseline keeps it. */
export type StoredVariant = SentVariant & VariantKey;

/**
 * A provider with the model, options and streaming that a variant was accepted with. A baseline must choose neither the
 * address that a key is sent to nor the key. Code of the user's own is as it is today.
 */
export function restoreProvider(provider: ProviderConfig, stored: StoredVariant): ProviderConfig {
  if (stored.adapter !== provider.adapter || stored.adapterVersion === undefined) return provider;
  const ofModel = stored.model === provider.model ? provider : withModel(provider, stored.model);
  // The model of a plugin is a name. That of other code is a program, a file or an address.
  if (isOwnCode(provider)) return provider.plugin === undefined ? provider : ofModel;
  const { stream: _stream, ...settings } = ofModel;
  // `resumedWith` marks a run of mixed settings, which no adapter knows.
  const { headers = {}, apiKeyEnv: _apiKeyEnv, resumedWith: _resumedWith, stream, ...options } = stored.options ?? {};
  const names = new Set(Object.keys(isJsonObject(headers) ? headers : {}));
  return {
    ...settings,
    ...defined({ stream: stream === true ? (true as const) : undefined }),
    // Of a header only a hash is stored, so one that is new can be left out, and no other can be restored.
    headers: Object.fromEntries(Object.entries(provider.headers).filter(([name]) => names.has(name.toLowerCase()))),
    options,
  };
}

/** Tells what differs besides prompt and params, and can't be restored. */
export function whyOtherwise(provider: ProviderConfig, stored: StoredVariant, own: SentVariant): string | undefined {
  const id = quote(provider.id);
  if (own.isContentUnknown === true)
    return `what the code of provider ${id} reads can't be followed, so it may have changed`;
  if (stored.adapter === own.adapter && stored.model !== own.model) return `it was asked of ${quote(stored.model)}`;
  if (isSameSettings(stored, own)) return undefined;
  if (stored.adapter !== own.adapter) return `it was asked through ${stored.adapter}`;
  if (stored.adapterVersion === undefined) return 'its settings were not kept (accept a run once more)';
  if (stored.adapterVersion !== own.adapterVersion) {
    return isOwnCode(provider)
      ? `the code of provider ${id} has changed`
      : 'it was asked by another version of its adapter';
  }
  // A baseline must not choose the address that a key is sent to.
  if (stored.baseUrl !== own.baseUrl) return 'it was asked at another address';
  const [before, after] = [stored.options?.['headers'], own.options?.['headers']];
  if (canonicalJson(before ?? {}) !== canonicalJson(after ?? {}))
    return `a header of provider ${id} has changed, and only its hash is kept`;
  if (stored.options?.['apiKeyEnv'] !== own.options?.['apiKeyEnv']) return `provider ${id} was asked with another key`;
  return `other settings of provider ${id} have changed`;
}

/** A provider with another model. Its price belongs to its own model, so it is removed. */
function withModel({ price: _price, ...provider }: ProviderConfig, model: string): ProviderConfig {
  return { ...provider, model };
}
