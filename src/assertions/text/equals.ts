import * as z from 'zod';
import { spell } from '../../json/canonical-json.ts';
import { type Difference, deepEqual, describePath, describeValue, findDifference } from '../../json/deep-equal.ts';
import { quote } from '../../text/shorten.ts';
import { diffTexts, diffValues, isScalar, normaliseText, normaliseValue, type TextOptions } from '../compare-values.ts';
import { type CheckOutcome, defineAssertion } from '../define.ts';
import { ignoreCaseParam, trimTextsParam, valueParam } from '../params.ts';

export const equals = defineAssertion({
  summary: 'the text or value is exactly the expected one',
  family: 'text',
  example: 'equals: "{{expected}}"',
  failsOn: { text: 'technical' },
  definition: 'equality of code points; of JSON values that of RFC 6902, section 4.6',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: valueParam.describe('The expected text or value; "{{expected}}" keeps its type.'),
    ignoreCase: ignoreCaseParam,
    trim: trimTextsParam,
  }),
  check(target, params) {
    const { value } = params;
    return target.kind === 'text' ? compareText(target.text, value, params) : compareValue(target.value, value, params);
  },
});

function compareText(text: string, value: unknown, options: TextOptions): CheckOutcome {
  if (!isScalar(value)) {
    const what = Array.isArray(value) ? 'a list' : 'an object';
    return {
      pass: false,
      missing: true,
      reason: `expected ${what}, but text is checked: add "select: {json: true}" to compare what it parses to; found ${quote(text)}`,
    };
  }
  const expected = value === null ? 'null' : spell(value);
  if (normaliseText(text, options) === normaliseText(expected, options))
    return { pass: true, reason: `equals ${quote(expected)}` };
  return {
    pass: false,
    reason: `expected ${quote(expected)}, found ${quote(text)}${describeNearMiss(expected, text, options)}`,
    diff: diffTexts(expected, text),
  };
}

function compareValue(found: unknown, value: unknown, options: TextOptions): CheckOutcome {
  const expected = normaliseValue(value, options);
  const difference = findDifference(expected, normaliseValue(found, options));
  if (difference === undefined) return { pass: true, reason: `equals ${describeValue(expected)}` };
  return {
    pass: false,
    reason: describeDifference(difference),
    diff:
      typeof expected === 'string' && typeof found === 'string'
        ? diffTexts(expected, found)
        : diffValues(expected, found),
  };
}

function describeDifference({ path, expected, found }: Difference): string {
  const place = path.length === 0 ? '' : `at ${describePath(path)}: `;
  return `${place}expected ${describeValue(expected)}, found ${describeValue(found)}`;
}

/** Names the option that would make the check pass. This is the most common cause of failed text comparisons. */
function describeNearMiss(expected: string, found: string, { ignoreCase, trim }: TextOptions): string {
  if (found.length > 2 * expected.length + 100) return '';
  const differsBySpace = !trim && found.trim() === expected.trim();
  if (differsBySpace) return ' (they differ in white space around the text: see trim)';
  const differsByCase = !ignoreCase && found.trim().toLowerCase() === expected.trim().toLowerCase();
  return differsByCase ? ' (they differ in upper and lower case: see ignoreCase)' : '';
}

export const oneOf = defineAssertion({
  summary: 'the text or value is one of several',
  family: 'text',
  example: 'oneOf: [billing, technical, sales]',
  failsOn: { text: 'accounting' },
  definition: 'equality as in equals',
  main: 'value',
  spelled: true,
  params: z.strictObject({
    value: z.array(valueParam).min(1, { error: 'needs at least one value' }).describe('The values that pass.'),
    ignoreCase: ignoreCaseParam,
    trim: trimTextsParam,
  }),
  check(target, { value, ...options }) {
    const listed = `one of ${value.slice(0, 10).map(describeOption).join(', ')}${value.length > 10 ? ' …' : ''}`;
    if (target.kind === 'text') {
      const text = normaliseText(target.text, options);
      const pass = value.some(
        (option) => isScalar(option) && normaliseText(option === null ? 'null' : spell(option), options) === text,
      );
      const found = `found ${quote(target.text)}`;
      if (!pass && !value.every(isScalar)) {
        const hint = 'text is checked: add "select: {json: true}" to compare what it parses to';
        return { pass: false, missing: true, reason: `is not ${listed}, but ${hint}; ${found}` };
      }
      return { pass, reason: `${pass ? 'is' : 'is not'} ${listed}: ${found}` };
    }
    const found = normaliseValue(target.value, options);
    const pass = value.some((option) => deepEqual(normaliseValue(option, options), found));
    return { pass, reason: `${pass ? 'is' : 'is not'} ${listed}: found ${describeValue(target.value)}` };
  },
});

function describeOption(option: unknown): string {
  return isScalar(option) ? quote(option === null ? 'null' : spell(option), 60) : describeValue(option);
}
