import { checkJsonPathAgainstSchema } from '../schema-diff/check-json-path.ts';
import { checkVariable } from '../schema-diff/check-variable.ts';
import { findMisspeltKeywords } from '../schema-diff/find-misspelt-keywords.ts';
import { findSchemaFaults } from '../schema-diff/find-schema-faults.ts';
import { type RuleKey, ruleIdOf, rules } from '../schema-diff/rules.ts';
import type { ContractKnowledge } from '../suite/contracts.ts';

/** What the suite stage asks of the contract stage while it loads. */
export const contractKnowledge: ContractKnowledge = {
  ruleIds: [...new Set(Object.keys(rules).map((key) => ruleIdOf(key as RuleKey)))],
  findSchemaFaults,
  findMisspeltKeywords,
  findPathFault: (path, schema) => checkJsonPathAgainstSchema(path, schema)?.message,
  findVariableFault: checkVariable,
};
