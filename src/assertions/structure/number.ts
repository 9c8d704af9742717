import * as z from 'zod';
import { describeValue } from '../../json/deep-equal.ts';
import { quote } from '../../text/shorten.ts';
import { compareNumbers, distanceOf, isKeptByDouble, SpelledNumber } from '../../text/yaml/exact-numbers.ts';
import { type CheckOutcome, defineAssertion, type Target } from '../define.ts';
import { type Bounds, describeBounds, isOrdered, numberParam } from '../params.ts';

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
  .transform((value, context): { readonly number: Found; readonly sign: string } => {
    const found = typeof value === 'string' ? readNumber(value) : value;
    const sign = typeof value === 'string' ? shareSignOf(value) : '';
    if (typeof found === 'number' || found instanceof SpelledNumber) return { number: found, sign };
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
    'a decimal number with the usual group and decimal marks; 1 % is not 1. The tolerance is absolute, or a share of the expected value',
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
  check(target, { value: expected, tolerance, ...bounds }): CheckOutcome {
    const found = numberOf(target);
    const shown = target.kind === 'text' ? quote(target.text) : describeValue(target.value);
    if (found === undefined) return { pass: false, reason: `is not one number: found ${shown}` };
    const sign = shareSignOf(target.kind === 'text' ? target.text : target.value);
    const { number: value, sign: expectedSign = '' } = expected ?? {};
    if (sign !== expectedSign) {
      const reason = sign === '' ? `has no ${expectedSign} sign` : `has a ${sign} sign, which makes it another number`;
      return { pass: false, reason: `${reason}: found ${shown}` };
    }
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

/** The sign of a share, which divides its number; empty if there is none. */
function shareSignOf(written: unknown): string {
  return typeof written === 'string' ? (/[%‰]/.exec(written)?.[0] ?? '') : '';
}

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
  // Compares by digits: 3.13 is within 0.01 of 3.14, although the difference of the two doubles is a little larger.
  return distanceOf(String(found), String(value)) <= tolerance.absolute + tolerance.share * Math.abs(Number(value));
}

function isWithinExactly(found: Found, { min, max }: Bounds): boolean {
  const isBelow = min !== undefined && (compareNumbers(found, min) ?? -1) < 0;
  return !isBelow && (max === undefined || (compareNumbers(found, max) ?? 1) <= 0);
}

const sign = /^[+\-−]/;
const unit = String.raw`(?:[\p{Sc}%‰°]|[A-Z]{3}(?![A-Z]))`;
const withUnits = new RegExp(
  String.raw`^([+\-−]?)\s*(?:${unit})?\s*([+\-−]?)\s*([\d.,'’_\s]*\d[\d.,'’_\s]*?(?:[eE][+\-−]?\d+)?)\s*(?:${unit}){0,2}$`,
  'u',
);
const maxLength = 100;

/**
 * Reads a text that is one number, as people and models write it: "$1,234.50", "1 234,5 €", "−12 %", "1.5e3".
 * A unit is passed over. A lone comma before three digits groups thousands; undefined if it is not a number.
 * One that no double keeps has all of its digits.
 */
export function readNumber(text: string): number | SpelledNumber | undefined {
  const trimmed = text.trim();
  if (trimmed.length > maxLength) return undefined;
  const found = withUnits.exec(trimmed);
  if (found === null) return undefined;
  const [, outer = '', inner = '', digits = ''] = found;
  if (outer !== '' && inner !== '') return undefined;
  const value = readDigits(digits.trim());
  if (value === undefined || !Number.isFinite(Number(value))) return undefined;
  const source = sign.test(outer + inner) && outer + inner !== '+' ? `-${value}` : value;
  return isKeptByDouble(source) ? Number(source) : new SpelledNumber(Number(source), source);
}

function readDigits(text: string): string | undefined {
  const [mantissa = '', exponent] = text.split(/e/i);
  const plain = removeGroups(mantissa);
  if (plain === undefined) return undefined;
  return exponent === undefined ? plain : `${plain}e${exponent.replace('−', '-')}`;
}

/** Digits with a dot as decimal mark; undefined if the marks are in no order that a number has. */
function removeGroups(text: string): string | undefined {
  if (/^(?:\d+\.?\d*|\.\d+)$/.test(text)) return text;
  // One kind of mark between groups of three, then the other kind as the decimal mark.
  const grouped = /^\d{1,3}(?:([,'’_\s])\d{3})(?:\1\d{3})*(?:\.\d+)?$/u;
  if (grouped.test(text)) return text.replaceAll(/[,'’_\s]/gu, '');
  // India groups by two above the thousands: 12,34,567.
  if (/^\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?$/.test(text)) return text.replaceAll(',', '');
  const groupedByDots = /^\d{1,3}(?:([.'’_\s])\d{3})(?:\1\d{3})*,\d+$|^\d{1,3}(?:\.\d{3}){2,}$/u;
  if (groupedByDots.test(text)) return text.replaceAll(/[.'’_\s]/gu, '').replace(',', '.');
  return /^\d+,\d+$/.test(text) ? text.replace(',', '.') : undefined;
}
