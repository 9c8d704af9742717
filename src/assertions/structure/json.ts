import * as z from 'zod';
import { describePath, describeValue, findDifference } from '../../json/deep-equal.ts';
import type { JsonObject } from '../../json/json.ts';
import { jsonPathParam } from '../../json/json-path.ts';
import { compileJsonSchema } from '../../json/json-schema.ts';
import { parseAnyJson } from '../../json/parse-json.ts';
import { JsonSchemaError } from '../../json/schema-errors.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import { attempt } from '../../text/attempt.ts';
import { describeLongNumber, findLongNumbers, longNumberHint, plainNumbers } from '../../text/yaml/exact-numbers.ts';
import { diffValues } from '../compare-values.ts';
import {
  type CheckContext,
  type CheckOutcome,
  type CompletionView,
  defineAssertion,
  runBounded,
  type Target,
} from '../define.ts';
import { countRangeParam, describeBounds, isWithin } from '../params.ts';
import { queryPath } from '../select-target.ts';
import { describeNotJson, jsonOf } from '../targets.ts';

export const json = defineAssertion({
  summary: 'the whole text is strict JSON',
  family: 'structure',
  example: 'json: true',
  failsOn: { text: 'Here it is: {}' },
  definition: 'RFC 8259',
  main: 'value',
  params: z.strictObject({ value: z.boolean().default(true).describe('False: the text must not be JSON.') }),
  check(target, { value }) {
    // The grammar allows equal keys. Checks that decide by a value refuse them.
    const parsed = target.kind === 'json' ? jsonOf(target) : parseAnyJson(target.text);
    if (parsed.ok) return { pass: value, reason: `is JSON: ${describeValue(parsed.value)}` };
    return { pass: !value, reason: describeNotJson(target, parsed.reason) };
  },
});

export const jsonPath = defineAssertion({
  summary: 'a JSONPath (RFC 9535) selects something, a value or a number of values',
  family: 'structure',
  example: 'jsonPath: { path: "$.items[0].name", value: refund }',
  failsOn: { text: '{"items": [{"name": "order"}]}' },
  definition: 'RFC 9535',
  main: 'path',
  defaultSelect: 'json',
  params: z
    .strictObject({
      path: jsonPathParam.describe('The path, such as $.items[*].name.'),
      value: z.unknown().optional().describe('What it selects; a list where it selects several.'),
      count: countRangeParam.optional().describe('How many values it selects.'),
      exists: z.boolean().optional().describe('False: it must select nothing.'),
    })
    .refine(({ value, count, exists }) => exists !== false || (value === undefined && count === undefined), {
      error: 'exists: false goes with neither value nor count',
    }),
  check(target, { path, value, count, exists }, { completion, ports }): CheckOutcome {
    const parsed = jsonOf(target);
    if (!parsed.ok) return { pass: false, missing: true, reason: describeNotJson(target, parsed.reason) };
    const nodes = queryPath(path, parsed.value, lengthOf(completion), ports);
    const found = nodes.length === 1 ? nodes[0] : nodes;
    if (exists === false) {
      const pass = nodes.length === 0;
      return {
        pass,
        reason: pass ? `${path} selects nothing` : `${path} selects ${describeValue(found)}, wanted nothing`,
      };
    }
    if (count !== undefined && !isWithin(nodes.length, count)) {
      return { pass: false, reason: `${path} selects ${nodes.length} values, wanted ${describeBounds(count)}` };
    }
    if (value !== undefined) return compareSelected(path, plainNumbers(value), nodes);
    if (nodes.length > 0) return { pass: true, reason: `${path} selects ${describeValue(found)}` };
    return {
      pass: count !== undefined,
      reason: `${path} selects nothing: found ${describeValue(parsed.value)}`,
    };
  },
});

function compareSelected(path: string, expected: unknown, nodes: readonly unknown[]): CheckOutcome {
  if (nodes.length === 0)
    return { pass: false, reason: `${path} selects nothing, expected ${describeValue(expected)}` };
  const found = nodes.length === 1 ? nodes[0] : nodes;
  const difference = findDifference(expected, found);
  // A path for several values may select only one. A list with one item is then equal to it.
  if (difference === undefined || findDifference(expected, nodes) === undefined)
    return { pass: true, reason: `${path} selects ${describeValue(found)}` };
  const inside = difference.path.length === 0 ? '' : ` at ${describePath(difference.path)}`;
  return {
    pass: false,
    reason: `${path}: expected ${describeValue(difference.expected)}, found ${describeValue(difference.found)}${inside}`,
    diff: diffValues(expected, found),
  };
}

/** A JSON Schema as written. The parsed value is the same object, so that it is compiled once. */
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
    const compiled = attempt(() => compileJsonSchema(schema), JsonSchemaError);
    if (!(compiled instanceof JsonSchemaError)) return;
    for (const { message, place, hint } of [compiled, ...compiled.others])
      context.addIssue({ code: 'custom', message, path: [...place], params: { hint } });
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
function checkSchema(target: Target, schema: unknown, { completion, ports }: CheckContext): CheckOutcome {
  const parsed = jsonOf(target);
  if (!parsed.ok) return { pass: false, missing: true, reason: describeNotJson(target, parsed.reason) };
  const violation = attempt(() => {
    const compiled = compileJsonSchema(schema);
    return runBounded(compiled.isCheap(lengthOf(completion)), ports, () => compiled.findViolation(parsed.value));
  }, JsonSchemaError);
  if (violation instanceof JsonSchemaError) return { error: violation.message };
  if (violation === undefined) return { pass: true, reason: `matches the schema: ${describeValue(parsed.value)}` };
  const place = violation.path === '$' ? '' : `${violation.path} `;
  return { pass: false, reason: `${place}${violation.message}: found ${describeValue(parsed.value)}` };
}

function lengthOf({ text, toolCalls }: CompletionView): number {
  return toolCalls.reduce((sum, call) => sum + call.rawArguments.length, text.length);
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

/** The check of every answer, if there is an output contract. */
export function contractCheck(schema: JsonObject | boolean): CheckSpec {
  return { assertion: 'contract', params: { value: schema }, weight: 1, required: true, source: { contract: schema } };
}
