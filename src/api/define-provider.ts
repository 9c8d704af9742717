import type { ParamsOf, ParamsSchema, ProviderAnswer, ProviderPlugin, ProviderRequest } from '../model/own-code.ts';

/** A provider of your own; `complete` is typed by `options` where that is a zod schema. */
export interface ProviderDefinition<Schema extends ParamsSchema>
  extends Omit<ProviderPlugin, 'kind' | 'options' | 'complete'> {
  /** A JSON Schema with `type: "object"`, or a zod 4 schema, of the provider's own keys in a suite. */
  readonly options?: Schema;
  /** Makes one attempt: llmcheck caches, retries, limits and prices it. */
  readonly complete: (
    request: ProviderRequest<ParamsOf<Schema>>,
  ) => string | ProviderAnswer | Promise<string | ProviderAnswer>;
}

/** Makes an adapter that suites name as `name:model` once the config's `plugins:` names the module that exports it. */
export function defineProvider<const Schema extends ParamsSchema>(
  definition: ProviderDefinition<Schema>,
): ProviderPlugin {
  return {
    ...definition,
    kind: 'provider',
    // The options are what this very schema returned, which the plug-ins' common type can't say.
    complete: (request) => definition.complete(request as ProviderRequest<ParamsOf<Schema>>),
  };
}
