import * as z from 'zod';
import { describePath, findDifference } from '../../json/deep-equal.ts';
import { describeValue } from '../../json/describe-value.ts';
import { compileJsonPath, JsonPathError } from '../../json/json-path.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { diffValues } from '../compare-values.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { countRangeParam, describeBounds, isWithin } from '../params.ts';
import { queryPath } from '../select-target.ts';
import { describeNotJson, jsonOf } from '../targets.ts';

const pathParam = z.string().superRefine((path, context) => {
  try {
    compileJsonPath(path);
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
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
      path: pathParam.describe('The path, such as $.items[*].name.'),
      value: z.unknown().optional().describe('What it selects; a list where it selects several.'),
      count: countRangeParam.optional().describe('How many values it selects.'),
      exists: z.boolean().optional().describe('False: it must select nothing.'),
    })
    .refine(({ value, count, exists }) => exists !== false || (value === undefined && count === undefined), {
      error: 'exists: false goes with neither value nor count',
    }),
  check(target, { path, value, count, exists }, { completion, ports }): CheckOutcome {
    const parsed = jsonOf(target);
    if (!parsed.ok) {
      const text = target.kind === 'text' ? target.text : '';
      return { pass: false, missing: true, reason: describeNotJson(text, parsed.reason) };
    }
    const textLength = completion.toolCalls.reduce(
      (sum, call) => sum + call.rawArguments.length,
      completion.text.length,
    );
    const nodes = queryPath(path, parsed.value, textLength, ports);
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
    if (value !== undefined) return compare(path, plainNumbers(value), nodes);
    if (nodes.length > 0) return { pass: true, reason: `${path} selects ${describeValue(found)}` };
    return {
      pass: count !== undefined,
      reason: `${path} selects nothing: found ${describeValue(parsed.value)}`,
    };
  },
});

function compare(path: string, expected: unknown, nodes: readonly unknown[]): CheckOutcome {
  if (nodes.length === 0)
    return { pass: false, reason: `${path} selects nothing, expected ${describeValue(expected)}` };
  const found = nodes.length === 1 ? nodes[0] : nodes;
  const difference = findDifference(expected, found);
  // A path for several values may happen to select one: a list of one then says the same.
  if (difference === undefined || findDifference(expected, nodes) === undefined)
    return { pass: true, reason: `${path} selects ${describeValue(found)}` };
  const inside = difference.path.length === 0 ? '' : ` at ${describePath(difference.path)}`;
  return {
    pass: false,
    reason: `${path}: expected ${describeValue(difference.expected)}, found ${describeValue(difference.found)}${inside}`,
    diff: diffValues(expected, found),
  };
}
