import * as z from 'zod';
import { spell } from '../json/canonical-json.ts';
import { DurationError, parseDurationMs } from '../text/duration.ts';
import { isKeptByDouble, SpelledNumber } from '../text/exact-numbers.ts';

const numberPattern = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** A text; a number or boolean stands for the text it was written as. */
export const textParam = z
  .unknown()
  .refine(isScalar, { error: 'must be a string, a number or a boolean' })
  .meta({ type: ['string', 'number', 'boolean'] })
  .transform(spell);

/** A text to look for: an empty one would be found everywhere. */
export const soughtParam = textParam.refine((text) => text !== '', { error: 'must not be empty' });

export const soughtListParam = z.array(soughtParam).min(1, { error: 'needs at least one text' });

/** Any JSON value; null is one. */
export const valueParam = z
  .unknown()
  .refine((value) => value !== undefined, { error: 'is required' })
  .meta({ description: 'Any value; {{expected}} keeps its type.' });

const isKept = (text: string) => isKeptByDouble(text.trim());

/** A number; text that is one comes from templates over CSV columns. */
export const numberParam = z.union(
  [z.number(), z.string().regex(numberPattern).refine(isKept).transform(Number).pipe(z.number())],
  {
    error: 'must be a number',
  },
);

export const countParam = z.int({ error: 'must be a whole number' }).min(0, { error: 'must be 0 or more' });

/** A number of things: exact, or bounds. */
export const countRangeParam = z.union(
  [
    countParam.transform((count) => ({ min: count, max: count })),
    z
      .strictObject({
        min: countParam.optional().describe('The fewest that pass.'),
        max: countParam.optional().describe('The most that pass.'),
      })
      .refine(hasBound, { error: 'needs min or max' })
      .refine(canFail, { error: 'min: 0 can never fail: write a min of 1 or more, or a max' })
      .refine(isOrdered, { error: 'min is greater than max' }),
  ],
  { error: 'must be a whole number, or a map of min and max' },
);

/** A duration with its unit, in milliseconds. */
export const durationParam = z
  .unknown()
  .meta({ type: 'string', description: 'Such as "500ms", "2s" or "1m30s".' })
  .transform((value, context) => {
    try {
      return parseDurationMs(value);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

export interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export function hasBound({ min, max }: Bounds): boolean {
  return min !== undefined || max !== undefined;
}

/** A count is never below 0, so a least of 0 alone asks for nothing. */
export function canFail({ min, max }: Bounds): boolean {
  return min !== 0 || max !== undefined;
}

export function isOrdered({ min, max }: Bounds): boolean {
  return min === undefined || max === undefined || min <= max;
}

export function isWithin(value: number, { min, max }: Bounds): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}

/** "at least 2", "at most 80", "from 2 to 80", "exactly 3". */
export function describeBounds({ min, max }: Bounds): string {
  if (min !== undefined && min === max) return `exactly ${min}`;
  if (min !== undefined && max !== undefined) return `from ${min} to ${max}`;
  return min === undefined ? `at most ${max ?? 'any'}` : `at least ${min}`;
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof SpelledNumber;
}

/** One reference text or several, of which the nearest counts. */
export const referencesParam = z
  .union([textParam.transform((text) => [text]), z.array(textParam).min(1, { error: 'needs at least one text' })], {
    error: 'must be a text or a list of texts',
  })
  .refine((texts) => texts.every((text) => text.trim() !== ''), { error: 'must not be empty' });

/** The least score that passes. */
export const minScoreParam = z.number().gt(0, { error: 'must be more than 0' }).max(1, { error: 'must be at most 1' });

/** Whether a computed score reaches a minimum, rounding aside. */
export function reaches(score: number, min: number): boolean {
  return score >= min - 1e-9;
}
