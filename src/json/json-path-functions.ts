import { SpelledNumber } from '../text/exact-numbers.ts';

/** What a query that selects no node gives where a value is wanted (RFC 9535, 2.4.1). */
export const nothing = Symbol('nothing');

/** RFC 9535, 2.4: what each function takes and gives. */
export const signatures: ReadonlyMap<
  string,
  { readonly takes: readonly ('value' | 'nodes')[]; readonly gives: string }
> = new Map([
  ['length', { takes: ['value'], gives: 'value' }],
  ['count', { takes: ['nodes'], gives: 'value' }],
  ['value', { takes: ['nodes'], gives: 'value' }],
  ['match', { takes: ['value', 'value'], gives: 'truth' }],
  ['search', { takes: ['value', 'value'], gives: 'truth' }],
]);

export function callFunction(name: string, first: unknown, second: unknown): unknown {
  switch (name) {
    case 'length':
      if (typeof first === 'string') return Array.from(first).length;
      if (Array.isArray(first)) return first.length;
      return isRecord(first) ? Object.keys(first).length : nothing;
    case 'count':
      return Array.isArray(first) ? first.length : 0;
    case 'value':
      return Array.isArray(first) && first.length === 1 ? first[0] : nothing;
    default: {
      if (typeof first !== 'string' || typeof second !== 'string') return false;
      return toRegex(second, name === 'match')?.test(first) === true;
    }
  }
}

const regexes = new Map<string, RegExp | undefined>();

/** An I-Regexp (RFC 9485) as JavaScript's: a dot there takes no line feed and no carriage return. */
function toRegex(pattern: string, whole: boolean): RegExp | undefined {
  const key = `${whole ? 'match' : 'search'} ${pattern}`;
  if (regexes.has(key)) return regexes.get(key);
  if (regexes.size >= 1000) regexes.clear();
  const body = pattern.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]|\./gsu, (part) =>
    part === '.' ? String.raw`[^\n\r]` : part,
  );
  const regex = compileRegex(whole ? `^(?:${body})$` : body);
  regexes.set(key, regex);
  return regex;
}

function compileRegex(source: string): RegExp | undefined {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SpelledNumber);
}
