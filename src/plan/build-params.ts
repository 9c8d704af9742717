import { isJsonObject, type JsonObject } from '../json/json.ts';
import { isStrictSchema } from '../json/strict-schema.ts';
import type { PromptVersion, ProviderConfig, Suite } from '../model/suite.ts';

/** The parameters of a variant: the provider's, the prompt's over them, and the output schema where it is to be sent. */
export function buildParams(suite: Suite, prompt: PromptVersion, provider: ProviderConfig): JsonObject {
  // A baseline's prompt brings all its parameters: the provider's may have changed since.
  const accepted = prompt.paramsByProvider?.get(provider.id);
  if (accepted !== undefined) return accepted;
  const params = { ...provider.params, ...prompt.params };
  const schema = prompt.contract?.output ?? suite.contract.output;
  if ((prompt.structured ?? provider.structured) !== true || !isJsonObject(schema)) return params;
  // As chat completions spell it; every adapter puts it into the words of its own API. What the user wrote wins.
  return { response_format: buildFormat(schema), ...params };
}

function buildFormat(schema: JsonObject): JsonObject {
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: isStrictSchema(schema) } };
}
