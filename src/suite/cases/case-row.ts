import { canonicalJson, spell } from '../../json/canonical-json.ts';
import { didYouMean } from '../../text/did-you-mean.ts';
import { plainNumbers, SpelledNumber } from '../../text/exact-numbers.ts';
import { sha256Hex } from '../../text/sha256.ts';
import type { CompiledAssertion } from '../assertions/compiled-assertion.ts';
import type { Scope } from '../assertions/value-template.ts';
import { checkShape } from '../documents/check-shape.ts';
import { childOf, type Located, locate } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import { isId } from '../schema/fields.ts';
import { caseSchema } from '../schema/suite-schema.ts';

/** What a file of cases, or the suite's defaults, say for every case in it. */
export interface CaseGroup {
  readonly settings: CaseRow;
  readonly assertions: readonly CompiledAssertion[];
}

/** A case, as its faults name it. */
export interface Naming {
  readonly id: string;
  readonly row: Located;
  readonly scope: Scope;
}

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

/** The row with its settings as plain numbers; vars, expected and assertions keep every spelling. */
export function readRow(row: Located, problems: Problems): CaseRow | undefined {
  if (isPlainCase(row.value)) return row.value;
  const shaped = checkShape(caseSchema, withPlainSettings(row), { label: 'the case', problems });
  return shaped === undefined ? undefined : dropUndefined(shaped);
}

/** A case or a file of cases with its settings as plain numbers. */
export function withPlainSettings(row: Located): Located {
  const { value } = row;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return row;
  const settings = Object.entries(value).map(([key, item]) => [key, SPELLED_KEYS.has(key) ? item : plainNumbers(item)]);
  return { ...row, value: Object.fromEntries(settings) };
}

const SPELLED_KEYS = new Set(['id', 'vars', 'expected', 'assert', 'turns']);

function dropUndefined(value: object): CaseRow {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

export function idOf(own: CaseRow): string {
  return own.id === undefined ? hashInput(own) : spell(own.id);
}

function hashInput({ vars = {}, turns }: CaseRow): string {
  const said = turns?.map((turn) =>
    typeof turn === 'object' && turn !== null ? { ...turn, assert: undefined } : turn,
  );
  return sha256Hex(canonicalJson({ vars, turns: said })).slice(0, 8);
}

interface SettingsContext {
  readonly problems: Problems;
  readonly promptIds: readonly string[];
  readonly providerIds: readonly string[];
}

/** Reports settings that name what the suite does not have, and settings that contradict each other. */
export function checkCaseSettings(naming: Naming, settings: Settings, context: SettingsContext): void {
  checkReferences(naming, settings, context);
  checkMustPass(naming, settings, context.problems);
}

function checkReferences(
  { row }: Naming,
  { prompts, providers }: Settings,
  { promptIds, providerIds, problems }: SettingsContext,
): void {
  if (prompts === undefined && providers === undefined) return;
  const check = (key: string, ids: readonly string[] | undefined, known: readonly string[]) => {
    for (const [index, id] of (ids ?? []).entries()) {
      if (known.includes(id)) continue;
      problems.report({
        code: 'unknown-id',
        message: `"${id}" is no ${key.slice(0, -1)} of this suite`,
        hint: didYouMean(id, known) ?? `known: ${known.join(', ')}`,
        at: locate(childOf(childOf(row, key), index)),
      });
    }
  };
  check('prompts', prompts, promptIds);
  check('providers', providers, providerIds);
}

/** A case that must pass has to be run and judged: what says otherwise would switch the contract off. */
function checkMustPass({ row, id }: Naming, settings: Settings, problems: Problems): void {
  if (settings.mustPass !== true) return;
  const refuse = (key: 'observe' | 'skip', why: string) => {
    const own = [childOf(row, key), childOf(row, 'mustPass')].find(({ value }) => value !== undefined);
    problems.report({
      code: 'invalid-value',
      message: `case "${id}" has mustPass and ${key}: a case that must pass ${why}`,
      hint: `leave ${key} out, or write mustPass: false`,
      at: own === undefined ? locate(row) : locate(own, 'key'),
    });
  };
  if (settings.observe === true) refuse('observe', 'has to be judged');
  if (settings.skip !== undefined) refuse('skip', 'has to be run');
}
