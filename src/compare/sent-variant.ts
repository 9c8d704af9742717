import { canonicalJson, writeJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../json/json.ts';
import type { RecordedVariant } from '../model/record.ts';
import { sha256Hex } from '../text/sha256.ts';

/** Everything of a variant that can change an answer or its verdict, as a record and a baseline keep it. */
export type SentVariant = Pick<
  RecordedVariant,
  'adapter' | 'adapterVersion' | 'baseUrl' | 'model' | 'params' | 'options' | 'messages'
> & { readonly contract: { readonly output?: JsonValue } };

/** Names what a variant asks, and how: equal names where nothing that can change an answer differs. */
export function nameSent(variant: SentVariant): string {
  return sha256Hex(canonicalJson([settingsOf(variant), questionOf(variant)])).slice(0, 16);
}

/** True where both ask the same model the same question, and hold its answers to the same schema. */
export function isSameQuestion(a: SentVariant, b: SentVariant): boolean {
  return questionOf(a) === questionOf(b);
}

/** True where both ask in the same way at the same address. Older records do not say how they asked. */
export function isSameSettings(a: SentVariant, b: SentVariant): boolean {
  return a.adapterVersion !== undefined && settingsOf(a) === settingsOf(b);
}

/** True where headers or options differ. */
export function hasOtherOptions(a: SentVariant, b: SentVariant): boolean {
  return canonicalJson(a.options ?? {}) !== canonicalJson(b.options ?? {});
}

function questionOf({ model, params, messages, contract }: SentVariant): string {
  // Params keep the order in which they are sent. A baseline keeps the members of a message sorted.
  return canonicalJson([model, writeJson(params) ?? null, messages, contract.output ?? null]);
}

function settingsOf({ adapter, adapterVersion, baseUrl, options = {} }: SentVariant): string {
  return canonicalJson([adapter, adapterVersion ?? null, baseUrl ?? null, options]);
}
