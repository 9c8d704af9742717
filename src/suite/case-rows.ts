import { SpelledNumber } from '../lib/spelled-number.ts';
import { isId } from './schema.ts';

/** A case as written, once its shape is known to be right. */
export interface CaseRow {
  readonly id?: unknown;
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly expected?: unknown;
  readonly assert?: readonly unknown[];
  readonly tags?: readonly string[];
  readonly trials?: number;
  readonly threshold?: number | string;
  readonly mustPass?: boolean;
  readonly observe?: boolean;
  readonly skip?: string;
  readonly turns?: readonly unknown[];
  readonly prompts?: readonly string[];
  readonly providers?: readonly string[];
  readonly description?: string;
}

/**
 * True where a row is certainly a right case, by a check that costs a microsecond: files hold them by the ten thousand.
 * False says nothing; the schema then has the word.
 */
export function isPlainCase(row: unknown): row is CaseRow {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return false;
  for (const [key, value] of Object.entries(row)) {
    if (!isPlainField(key, value)) return false;
  }
  return true;
}

function isPlainField(key: string, value: unknown): boolean {
  switch (key) {
    case 'id':
      return (typeof value === 'string' && isId(value)) || typeof value === 'number';
    case 'vars':
      return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof SpelledNumber);
    case 'expected':
      return value !== undefined;
    case 'assert':
      return Array.isArray(value);
    case 'tags':
      return Array.isArray(value) && value.every((tag) => typeof tag === 'string' && tag !== '');
    case 'mustPass':
    case 'observe':
      return typeof value === 'boolean';
    case 'description':
      return typeof value === 'string';
    default:
      return false;
  }
}
