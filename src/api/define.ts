import type {
  AssertionPlugin,
  AssertionVerdict,
  ParamsOf,
  ParamsSchema,
  PluginCheckInput,
  ProviderAnswer,
  ProviderPlugin,
  ProviderRequest,
} from '../model/suite/own-code.ts';
import type { ReporterPlugin } from '../model/suite/plugin.ts';
import type { SuiteDefinition } from './suite-definition.ts';

/** A suite in TypeScript: the default export of a `*.eval.ts` file beside the YAML ones. It is data without functions. */
export function defineSuite(suite: SuiteDefinition): SuiteDefinition {
  return suite;
}

/** An assertion of your own; `check` is typed by `params` where that is a zod schema. */
export interface AssertionDefinition<Schema extends ParamsSchema>
  extends Omit<AssertionPlugin, 'kind' | 'params' | 'check'> {
  /** A JSON Schema with `type: "object"`, or a zod 4 schema. What it does not know is a usage error in a suite. */
  readonly params?: Schema;
  readonly check: (input: PluginCheckInput<ParamsOf<Schema>>) => AssertionVerdict | Promise<AssertionVerdict>;
}

/** Makes an assertion that suites name once the config's `plugins:` names the module that exports it. */
export function defineAssertion<const Schema extends ParamsSchema>(
  definition: AssertionDefinition<Schema>,
): AssertionPlugin {
  return {
    ...definition,
    kind: 'assertion',
    // The parameters come from this schema, which the common type of plug-ins can't express.
    check: (input) => definition.check(input as PluginCheckInput<ParamsOf<Schema>>),
  };
}

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
    // The options come from this schema, which the common type of plug-ins can't express.
    complete: (request) => definition.complete(request as ProviderRequest<ParamsOf<Schema>>),
  };
}

/** Makes a format that `--reporter` takes once the config's `plugins:` names the module that exports it. */
export function defineReporter(definition: Omit<ReporterPlugin, 'kind'>): ReporterPlugin {
  return { ...definition, kind: 'reporter' };
}
