import * as z from 'zod';
import type { JsonObject } from '../json/json.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { defineAssertion } from './define.ts';
import { checkSchema } from './json-schema.ts';

/** The prompt's output contract. The suite's `contract.output` brings it; a list of assertions can't name it. */
export const contract = defineAssertion({
  summary: "the answer keeps the prompt's output contract",
  family: 'structure',
  example: 'contract: { type: object }',
  main: 'value',
  wholeValue: true,
  defaultSelect: 'json',
  params: z.strictObject({ value: z.unknown() }),
  check: (target, { value }, context) => checkSchema(target, value, context),
});

/** The check that every completion gets where an output contract is given. */
export function contractCheck(schema: JsonObject | boolean): CheckSpec {
  return { assertion: 'contract', params: { value: schema }, weight: 1, required: true, source: { contract: schema } };
}
