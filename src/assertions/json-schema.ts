import * as z from 'zod';
import { compileJsonSchema, JsonSchemaError } from '../json/json-schema.ts';
import { runBounded } from './check-limit.ts';
import { type CheckContext, type CheckOutcome, defineAssertion, type Target } from './define.ts';
import { schemaParam } from './schema-param.ts';
import { describeNotJson, describeValue, jsonOf } from './target-text.ts';

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
