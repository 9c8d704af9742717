import { SpelledNumber } from '../text/exact-numbers.ts';
import { TemplateError } from './template-error.ts';

/** The text of a scalar; undefined for what has none. A spelled number prints its spelling. */
export function plainText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return value instanceof SpelledNumber ? value.source : undefined;
}

/** Says which filter gives a value without a text form one. */
export function notText(value: unknown, path: string, at: { line?: number; column?: number }): TemplateError {
  if (value === null || value === undefined) {
    return new TemplateError(`"${path}" is null, which has no text`, {
      kind: 'not-text',
      variable: path,
      hint: `give it a value, or write {{ ${path} | default: "…" }}`,
      ...at,
    });
  }
  const found = Array.isArray(value) ? 'a list' : 'an object';
  return new TemplateError(`"${path}" is ${found}, which must be rendered with a filter`, {
    kind: 'not-text',
    variable: path,
    hint: `write {{ ${path} | json }}${Array.isArray(value) ? ` or {{ ${path} | join: ", " }}` : ''}`,
    ...at,
  });
}
