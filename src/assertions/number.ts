import * as z from 'zod';
import { distanceOf } from '../text/decimal.ts';
import { quote } from '../text/quote.ts';
import { readNumber } from '../text/read-number.ts';
import { compareNumbers, SpelledNumber } from '../text/spelled-number.ts';
import { type CheckOutcome, defineAssertion, type Target } from './define.ts';
import { type Bounds, describeBounds, isOrdered, numberParam } from './param-schemas.ts';
import { describeValue } from './target-text.ts';

const percentPattern = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/;

const toleranceParam = z.union(
  [
    numberParam
      .refine((tolerance) => tolerance >= 0, { error: 'must be 0 or more' })
      .transform((absolute) => ({ absolute, share: 0 })),
    z
      .string()
      .regex(percentPattern)
      .transform((text) => ({ absolute: 0, share: Number(percentPattern.exec(text)?.[1]) / 100 })),
  ],
  { error: 'must be a number of 0 or more, or a share of the value such as "5%"' },
);

/** A number with every digit that it was written with. */
type Found = number | SpelledNumber;

const expectedParam = z
  .unknown()
  .meta({ type: ['number', 'string'], description: 'The expected number.' })
  .transform((value, context): Found => {
    const found = typeof value === 'string' ? readNumber(value) : value;
    if (typeof found === 'number' || found instanceof SpelledNumber) return found;
    context.addIssue({
      code: 'custom',
      message: typeof value === 'string' ? `must be a number, not ${quote(value, 40)}` : 'must be a number',
    });
    return z.NEVER;
  });

export const number = defineAssertion({
  summary: 'the text or value is one number: near a value, or within bounds',
  family: 'structure',
  example: 'number: { value: 42, tolerance: 0.5 }',
  failsOn: { text: '43' },
  definition:
    'a decimal number with the usual group and decimal marks; the tolerance is absolute, or a share of the expected value',
  main: 'value',
  params: z
    .strictObject({
      value: expectedParam.optional(),
      tolerance: toleranceParam
        .optional()
        .describe('How far it may be off: a number, or a share of the value such as "5%".'),
      min: numberParam.optional().describe('The least that passes.'),
      max: numberParam.optional().describe('The most that passes.'),
    })
    .refine(({ value, min, max }) => value !== undefined || min !== undefined || max !== undefined, {
      error: 'needs value, min or max',
    })
    .refine(({ value, tolerance }) => tolerance === undefined || value !== undefined, {
      error: 'tolerance needs a value',
      path: ['tolerance'],
    })
    .refine(isOrdered, { error: 'min is greater than max' }),
  check(target, { value, tolerance, ...bounds }): CheckOutcome {
    const found = numberOf(target);
    const shown = target.kind === 'text' ? quote(target.text) : describeValue(target.value);
    if (found === undefined) return { pass: false, reason: `is not one number: found ${shown}` };
    if (value !== undefined && !isNear(found, value, tolerance)) {
      const allowed =
        tolerance === undefined ? '' : ` ± ${tolerance.share > 0 ? `${tolerance.share * 100} %` : tolerance.absolute}`;
      return { pass: false, reason: `is ${String(found)}, expected ${String(value)}${allowed}: found ${shown}` };
    }
    const pass = isWithinExactly(found, bounds);
    const wanted = bounds.min === undefined && bounds.max === undefined ? '' : `, wanted ${describeBounds(bounds)}`;
    return { pass, reason: `is ${String(found)}${wanted}: found ${shown}` };
  },
});

function numberOf(target: Target): Found | undefined {
  if (target.kind === 'text') return readNumber(target.text);
  if (typeof target.value === 'number' || target.value instanceof SpelledNumber) return target.value;
  return typeof target.value === 'string' ? readNumber(target.value) : undefined;
}

function isNear(
  found: Found,
  value: Found,
  tolerance: { readonly absolute: number; readonly share: number } | undefined,
): boolean {
  if (tolerance === undefined) return compareNumbers(found, value) === 0;
  // By their digits: 3.13 is within 0.01 of 3.14 although the difference of the two doubles is a little more.
  return distanceOf(String(found), String(value)) <= tolerance.absolute + tolerance.share * Math.abs(Number(value));
}

function isWithinExactly(found: Found, { min, max }: Bounds): boolean {
  const isBelow = min !== undefined && (compareNumbers(found, min) ?? -1) < 0;
  return !isBelow && (max === undefined || (compareNumbers(found, max) ?? 1) <= 0);
}
