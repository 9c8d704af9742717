import { spell } from '../../json/canonical-json.ts';
import { SpelledNumber } from '../../text/yaml/exact-numbers.ts';
import type { SelectSpec } from '../run/verdict.ts';

/**
 * The classes of a suite: each case's true class, the part of its answer that names a class, and limits on the scores.
 */
export interface ClassPolicy {
  /** The template over a case's variables, as written. */
  readonly truth: string;
  /** The part of an answer that names its class. */
  readonly found: SelectSpec;
  /** The classes of the suite's cases, sorted. An answer with any other name has no class. */
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

/** The true class and the found class of a cell. */
export interface RowClass {
  /** The class of the case. */
  readonly truth: string;
  /** The class that the answer names; null if it names none. Absent without a verdict on the answer. */
  readonly found?: string | null;
  /** Identifies the selection. Classes found by another selection are not comparable. */
  readonly by: string;
}

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
