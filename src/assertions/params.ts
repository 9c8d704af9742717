import * as z from 'zod';
import { spell } from '../json/canonical-json.ts';
import { attempt } from '../text/attempt.ts';
import { DurationError, parseDurationMs } from '../text/duration.ts';
import { isKeptByDouble, SpelledNumber } from '../text/yaml/exact-numbers.ts';

/** A text; a number or boolean is read as the text it was written as. */
export const textParam = z
  .unknown()
  .refine((value) => ['string', 'number', 'boolean'].includes(typeof value) || value instanceof SpelledNumber, {
    error: 'must be a string, a number or a boolean',
  })
  .meta({ type: ['string', 'number', 'boolean'] })
  .transform(spell);

/** A text to look for: an empty one would be found everywhere. */
export const soughtParam = textParam.refine((text) => text !== '', { error: 'must not be empty' });

/** One reference text or several. */
export const referencesParam = z
  .union([textParam.transform((text) => [text]), z.array(textParam).min(1, { error: 'needs at least one text' })], {
    error: 'must be a text or a list of texts',
  })
  .refine((texts) => texts.every((text) => text.trim() !== ''), { error: 'must not be empty' });

/** Any JSON value; null is one. */
export const valueParam = z
  .unknown()
  .refine((value) => value !== undefined, { error: 'is required' })
  .meta({ description: 'Any value; {{expected}} keeps its type.' });

export const ignoreCaseParam = z.boolean().default(false).describe('Upper and lower case are the same.');
export const trimTextsParam = z.boolean().default(false).describe('White space around texts does not count.');
export const trimAnswerParam = z.boolean().default(false).describe('White space around the answer does not count.');

const numberPattern = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** A number; text that is one comes from templates over CSV columns. */
export const numberParam = z.union(
  [
    z.number(),
    z
      .string()
      .regex(numberPattern)
      .refine((text) => isKeptByDouble(text.trim()))
      .transform(Number)
      .pipe(z.number()),
  ],
  { error: 'must be a number' },
);

/** How long something of the user's own may take. */
export function timeLimitParam(limit: string) {
  return durationParam.pipe(z.number().gt(0, { error: 'must be more than 0' })).prefault(limit);
}

/** How much memory it may take. */
export function memoryLimitParam(limitMb: number) {
  const param = z.int().min(16, { error: 'must be 16 or more' }).default(limitMb);
  return param.describe('How much memory it may take, in MB.');
}

/** The least score that passes. */
export const minScoreParam = z.number().gt(0, { error: 'must be more than 0' }).max(1, { error: 'must be at most 1' });

/** Whether a computed score reaches a minimum; rounding errors don't count. */
export function reaches(score: number, min: number): boolean {
  return score >= min - 1e-9;
}

/** A duration with its unit, in milliseconds. */
export const durationParam = z
  .unknown()
  .meta({ type: 'string', description: 'Such as "500ms", "2s", "1m30s" or "7d".' })
  .transform((value, context) => {
    const parsed = attempt(() => parseDurationMs(value), DurationError);
    if (typeof parsed === 'number') return parsed;
    context.addIssue({ code: 'custom', message: parsed.message });
    return z.NEVER;
  });

export interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export const countParam = z.int({ error: 'must be a whole number' }).min(0, { error: 'must be 0 or more' });

/** The least and the most that pass, for maps that `withBounds` checks. */
export const boundsParams = {
  min: countParam.optional().describe('The least that passes.'),
  max: countParam.optional().describe('The most that passes.'),
};

/** Refuses a map of `min` and `max` that every value meets, and one that no value meets. */
export function withBounds<Schema extends z.ZodType<Bounds>>(schema: Schema): Schema {
  return schema
    .refine(({ min, max }) => min !== undefined || max !== undefined, { error: 'needs min or max' })
    .refine(({ min, max }) => min !== 0 || max !== undefined, {
      error: 'min: 0 can never fail: write a min of 1 or more, or a max',
    })
    .refine(isOrdered, { error: 'min is greater than max' });
}

/** A number of things: exact, or bounds. */
export const countRangeParam = z.union(
  [
    countParam.transform((count) => ({ min: count, max: count })),
    withBounds(
      z.strictObject({
        min: countParam.optional().describe('The fewest that pass.'),
        max: countParam.optional().describe('The most that pass.'),
      }),
    ),
  ],
  { error: 'must be a whole number, or a map of min and max' },
);

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
