import * as z from 'zod';
import { describeValue } from '../../json/describe-value.ts';
import type { JsonObject } from '../../json/json.ts';
import { compileJsonSchema } from '../../json/json-schema.ts';
import { JsonSchemaError } from '../../json/schema-errors.ts';
import type { CheckSpec } from '../../model/verdict.ts';
import { describeLongNumber, findLongNumbers, longNumberHint } from '../../text/exact-numbers.ts';
import { type CheckContext, type CheckOutcome, defineAssertion, runBounded, type Target } from '../define.ts';
import { describeNotJson, jsonOf } from '../targets.ts';

/** A JSON Schema, as written: the object itself goes on, so that it is compiled once. */
export const schemaParam = z
  .unknown()
  .superRefine((schema, context) => {
    for (const { path, number } of findLongNumbers(schema))
      context.addIssue({
        code: 'custom',
        path: [...path],
        message: describeLongNumber(number),
        params: { hint: longNumberHint },
      });
    if (context.issues.length > 0) return;
    try {
      compileJsonSchema(schema);
    } catch (error) {
      if (!(error instanceof JsonSchemaError)) throw error;
      for (const { message, place, hint } of [error, ...error.others])
        context.addIssue({ code: 'custom', message, path: [...place], params: { hint } });
    }
  })
  .meta({ type: ['object', 'boolean'], description: 'JSON Schema 2020-12, or draft-07 where $schema says so.' });

export const jsonSchema = defineAssertion({
  summary: 'the JSON is valid against a JSON Schema, inline or a file',
  family: 'structure',
  example: 'jsonSchema: { type: object, required: [queue] }',
  failsOn: { text: '{"kind": 1}' },
  definition: 'JSON Schema 2020-12 and draft-07',
  main: 'value',
  wholeValue: true,
  files: ['value'],
  schemas: ['value'],
  defaultSelect: 'json',
  params: z.strictObject({ value: schemaParam }),
  check: (target, { value }, context) => checkSchema(target, value, context),
});

/** Validates a target; text such as a code block is parsed first. */
export function checkSchema(target: Target, schema: unknown, { completion, ports }: CheckContext): CheckOutcome {
  const parsed = jsonOf(target);
  if (!parsed.ok) {
    const text = target.kind === 'text' ? target.text : '';
    return { pass: false, missing: true, reason: describeNotJson(text, parsed.reason) };
  }
  const textLength = completion.toolCalls.reduce((sum, call) => sum + call.rawArguments.length, completion.text.length);
  try {
    const compiled = compileJsonSchema(schema);
    const violation = runBounded(compiled.isCheap(textLength), ports, () => compiled.findViolation(parsed.value));
    if (violation === undefined) return { pass: true, reason: `matches the schema: ${describeValue(parsed.value)}` };
    const place = violation.path === '$' ? '' : `${violation.path} `;
    return { pass: false, reason: `${place}${violation.message}: found ${describeValue(parsed.value)}` };
  } catch (error) {
    if (!(error instanceof JsonSchemaError)) throw error;
    return { error: error.message };
  }
}

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
