import { writeJson } from '../json/canonical-json.ts';
import { shortenText } from '../text/shorten.ts';
import { plainNumbers, SpelledNumber } from '../text/yaml/exact-numbers.ts';

/** How texts are made comparable. */
export interface TextOptions {
  readonly ignoreCase: boolean;
  readonly trim: boolean;
}

/** A text as the options have it. */
export function normaliseText(text: string, { ignoreCase, trim }: TextOptions): string {
  const trimmed = trim ? text.trim() : text;
  return ignoreCase ? trimmed.toLowerCase() : trimmed;
}

/** A value with plain numbers and its texts, at any depth, as the options have them; keys stay. */
export function normaliseValue(value: unknown, options: TextOptions): unknown {
  const plain = plainNumbers(value);
  return options.ignoreCase || options.trim ? normaliseTexts(plain, options) : plain;
}

/** True for a value that can be compared with a text by its spelling. */
export function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof SpelledNumber;
}

function normaliseTexts(value: unknown, options: TextOptions): unknown {
  if (typeof value === 'string') return normaliseText(value, options);
  if (typeof value !== 'object' || value === null || value instanceof SpelledNumber) return value;
  if (Array.isArray(value)) return value.map((item) => normaliseTexts(item, options));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normaliseTexts(item, options)]));
}

const maxSideLength = 8000;
const maxNodes = 2000;

export interface DiffSides {
  readonly expected: string;
  readonly found: string;
}

/** Two texts for a diff. Both are cut if they are too long. */
export function diffTexts(expected: string, found: string): DiffSides {
  return { expected: shortenText(expected, maxSideLength), found: shortenText(found, maxSideLength) };
}

/** Two values as indented JSON with sorted keys, so that a diff shows values and not their order. */
export function diffValues(expected: unknown, found: unknown): DiffSides {
  return {
    expected: shortenText(writeSorted(expected), maxSideLength),
    found: shortenText(writeSorted(found), maxSideLength),
  };
}

function writeSorted(value: unknown): string {
  const budget = { nodes: maxNodes };
  return writeJson(sortKeys(value, budget), 2) ?? 'undefined';
}

function sortKeys(value: unknown, budget: { nodes: number }): unknown {
  budget.nodes -= 1;
  if (budget.nodes < 0) return '…';
  if (typeof value === 'string') return shortenText(value, maxSideLength);
  if (typeof value !== 'object' || value === null || value instanceof SpelledNumber) return value;
  if (Array.isArray(value)) return takeWithinBudget(value, budget).map((item) => sortKeys(item, budget));
  const keys = takeWithinBudget(Object.keys(value).sort(), budget);
  const members: Readonly<Record<string, unknown>> = { ...value };
  return Object.fromEntries(keys.map((key) => [key, sortKeys(members[key], budget)]));
}

function takeWithinBudget<T>(items: readonly T[], budget: { readonly nodes: number }): readonly T[] {
  return items.length > budget.nodes ? items.slice(0, Math.max(1, budget.nodes)) : items;
}
