import { plainNumbers, SpelledNumber } from '../text/spelled-number.ts';

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

/** True for what a text can be compared with by its spelling. */
export function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof SpelledNumber;
}

function normaliseTexts(value: unknown, options: TextOptions): unknown {
  if (typeof value === 'string') return normaliseText(value, options);
  if (typeof value !== 'object' || value === null || value instanceof SpelledNumber) return value;
  if (Array.isArray(value)) return value.map((item) => normaliseTexts(item, options));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normaliseTexts(item, options)]));
}
