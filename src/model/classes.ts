import { spell } from '../json/canonical-json.ts';
import { SpelledNumber } from '../text/yaml/exact-numbers.ts';
import type { SelectSpec } from './verdict.ts';

/**
 * The classes of a suite: the class of each case, where its answer names a class, and limits on how often it is right.
 */
export interface ClassPolicy {
  /** The template over a case's variables, as written. */
  readonly truth: string;
  /** The part of an answer that names its class. */
  readonly found: SelectSpec;
  /** The classes of the suite's cases, sorted: an answer of any other is of none. */
  readonly names: readonly string[];
  /** The limits on recall, by class. */
  readonly recall: Readonly<Record<string, ClassLimits>>;
  readonly precision: Readonly<Record<string, Pick<ClassLimits, 'min'>>>;
  /** The limits on macro F1. */
  readonly f1: ClassLimits;
}

/** Fractions, whether written so or in percent. */
interface ClassLimits {
  readonly min?: number;
  readonly maxDrop?: number;
}

/** What a cell's answer was classified as. */
export interface RowClass {
  /** The class of the case. */
  readonly truth: string;
  /** The class that the answer names; null if it names none. Absent without a verdict on the answer. */
  readonly found?: string | null;
  /** Names the selection: classes that were found by another one are not comparable. */
  readonly by: string;
}

/** The class of answers that name none of the suite's. No case may have it. */
export const noClass = '(none)';

/** A class with a longer name is a mistake: most likely a whole answer was selected. */
export const maxClassLength = 200;

/** The name of a class from a value; undefined for what is none: nothing, an empty text, a list, an object. */
export function nameClass(value: unknown): string | undefined {
  if (typeof value === 'object' && !(value instanceof SpelledNumber)) return undefined;
  const name = spell(value).trim();
  return name === '' ? undefined : name;
}
