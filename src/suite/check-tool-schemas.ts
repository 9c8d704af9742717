import { plainNumbers } from '../lib/spelled-number.ts';
import { locateInSchema } from './contract-places.ts';
import type { ContractKnowledge } from './contracts.ts';
import { childOf, itemsOf, type Located } from './locate.ts';
import type { Problems } from './problems.ts';

/** The parameters of tools are a contract too: reports those that are no JSON Schema, in any spelling of a tool. */
export function checkToolSchemas(
  params: Located,
  { contracts, problems }: { readonly contracts?: ContractKnowledge; readonly problems: Problems },
): void {
  const tools = childOf(params, 'tools');
  if (contracts === undefined || !Array.isArray(tools.value)) return;
  for (const tool of itemsOf(tools)) {
    for (const schema of [
      childOf(childOf(tool, 'function'), 'parameters'),
      childOf(tool, 'parameters'),
      childOf(tool, 'input_schema'),
    ]) {
      if (typeof schema.value !== 'object' || schema.value === null) continue;
      const fault = contracts.findSchemaFault(plainNumbers(schema.value));
      if (fault === undefined) continue;
      problems.report({
        code: 'invalid-schema',
        message: `the parameters of a tool: ${fault.message}`,
        at: locateInSchema(schema, fault.pointer),
      });
    }
  }
}
