import { checkJsonPathAgainstSchema } from '../contract/check-json-path.ts';
import { checkVariable } from '../contract/check-variable.ts';
import { findMisspeltKeywords } from '../contract/find-misspelt-keywords.ts';
import { findSchemaFaults } from '../contract/find-schema-faults.ts';
import { type RuleKey, ruleIdOf, rules } from '../contract/rules.ts';
import type { ContractKnowledge } from '../suite/contracts.ts';

/** What the suite stage asks of the contract stage while it loads. */
export const contractKnowledge: ContractKnowledge = {
  ruleIds: [...new Set(Object.keys(rules).map((key) => ruleIdOf(key as RuleKey)))],
  findSchemaFaults,
  findMisspeltKeywords,
  findPathFault: (path, schema) => checkJsonPathAgainstSchema(path, schema)?.message,
  findVariableFault: checkVariable,
};
