import type { SuiteDefinition } from './suite-definition.ts';

/** A suite in TypeScript: the default export of a `*.eval.ts` file, found beside the YAML ones. It is data: no function in it. */
export function defineSuite(suite: SuiteDefinition): SuiteDefinition {
  return suite;
}
