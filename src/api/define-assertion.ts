import type { AssertionPlugin, AssertionVerdict, ParamsOf, ParamsSchema, PluginCheckInput } from '../model/own-code.ts';

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
    // The parameters are what this very schema returned, which the plug-ins' common type can't say.
    check: (input) => definition.check(input as PluginCheckInput<ParamsOf<Schema>>),
  };
}
