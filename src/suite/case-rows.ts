import { SpelledNumber } from '../text/exact-numbers.ts';
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
  for (const key of Object.keys(row)) {
    if (!isPlainField(key, (row as Readonly<Record<string, unknown>>)[key])) return false;
  }
  return true;
}

/** What a row may say of how its case runs; undefined wherever it is silent. */
export type Settings = {
  readonly [Key in 'trials' | 'threshold' | 'mustPass' | 'observe' | 'skip' | 'prompts' | 'providers']:
    | CaseRow[Key]
    | undefined;
};

/** True where a row brings no setting of its own, as most rows of a file, which then share those of their file. */
export function isBare(row: CaseRow): boolean {
  for (const key of Object.keys(row)) {
    if (!bareKeys.has(key)) return false;
  }
  return true;
}

const bareKeys: ReadonlySet<string> = new Set(['id', 'vars', 'expected', 'assert', 'tags', 'turns', 'description']);

export function mergeSettings(defaults: CaseRow, group: CaseRow | undefined, own: CaseRow): Settings {
  return {
    trials: own.trials ?? group?.trials ?? defaults.trials,
    threshold: own.threshold ?? group?.threshold ?? defaults.threshold,
    mustPass: own.mustPass ?? group?.mustPass ?? defaults.mustPass,
    observe: own.observe ?? group?.observe ?? defaults.observe,
    skip: own.skip ?? group?.skip ?? defaults.skip,
    prompts: own.prompts ?? group?.prompts ?? defaults.prompts,
    providers: own.providers ?? group?.providers ?? defaults.providers,
  };
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
      return Array.isArray(value) && value.length > 0;
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
