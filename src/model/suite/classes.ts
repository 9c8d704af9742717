import * as z from 'zod';
import { spell } from '../../json/canonical-json.ts';
import { isJsonObject } from '../../json/json.ts';
import { magnitude, type Stored } from '../../json/stored.ts';
import { SpelledNumber } from '../../text/yaml/exact-numbers.ts';
import type { SelectSpec } from '../run/verdict.ts';

/** Fractions, whether written so or in percent. */
const classLimits = z.object({ min: magnitude.exactOptional(), maxDrop: magnitude.exactOptional() });

/**
 * The classes of a suite: each case's true class, the part of its answer that names a class, and limits on the scores.
 */
export const classPolicySchema = z.object({
  /** The template over a case's variables, as written. */
  truth: z.string(),
  /** The part of an answer that names its class. */
  found: z.custom<SelectSpec>(isJsonObject),
  /** The classes of the suite's cases, sorted. An answer with any other name has no class. */
  names: z.array(z.string()),
  /** The limits on recall, by class. */
  recall: z.record(z.string(), classLimits),
  precision: z.record(z.string(), classLimits.pick({ min: true })),
  /** The limits on macro F1. */
  f1: classLimits,
});

export type ClassPolicy = Stored<typeof classPolicySchema>;

/** The true class and the found class of a cell. */
export const rowClassSchema = z.object({
  truth: z.string().describe('The class of the case.'),
  found: z
    .string()
    .nullable()
    .exactOptional()
    .describe('The class that the answer names; null if it names none. Absent without a verdict on the answer.'),
  by: z.string().describe('Identifies the selection. Classes found by another selection are not comparable.'),
});

export type RowClass = Stored<typeof rowClassSchema>;

/** The class of answers that name no class of the suite. No case may have it. */
export const noClass = '(none)';

/** The longest class name. A longer one is a mistake: most likely, a whole answer was selected. */
export const maxClassLength = 200;

/** The class name in a value; undefined for no value, an empty text, a list or an object. */
export function nameClass(value: unknown): string | undefined {
  if (typeof value === 'object' && !(value instanceof SpelledNumber)) return undefined;
  const name = spell(value).trim();
  return name === '' ? undefined : name;
}
