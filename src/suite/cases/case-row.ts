import type * as z from 'zod';
import { canonicalJson, spell } from '../../json/canonical-json.ts';
import { didYouMean } from '../../text/did-you-mean.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { sha256Hex } from '../../text/sha256.ts';
import type { CompiledAssertion } from '../assertions/compiled-assertion.ts';
import { checkShape } from '../documents/check-shape.ts';
import { findMeant } from '../documents/describe-issue.ts';
import { childOf, type Located, locate } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';
import { caseSchema } from '../schema/suite-schema.ts';

/** A case as written, once its shape is known to be right. */
export type CaseRow = z.output<typeof caseSchema>;

/** Settings and assertions that several cases share: those of a file of cases, or the suite's defaults. */
export interface CaseGroup {
  readonly settings: CaseRow;
  readonly assertions: readonly CompiledAssertion[];
}

/** Checks the shape of a row; undefined where it is wrong, which is reported. */
export function readRow(row: Located, problems: Problems): CaseRow | undefined {
  const hintOfUnknown = (unknown: readonly string[], key: string) => hintOfVars(row, unknown, key);
  const shaped = checkShape(caseSchema, withPlainSettings(row), { label: 'the case', problems, hintOfUnknown });
  // The schema's own copy of a map lacks a key named __proto__.
  const { vars } = shaped === undefined ? {} : (row.value as CaseRow);
  return vars === undefined || shaped === undefined ? shaped : Object.assign(shaped, { vars });
}

/** The next step where a case has no vars, and what is hardly meant as another key. */
function hintOfVars({ value, source }: Located, unknown: readonly string[], key: string): string | undefined {
  const known = Object.keys(caseSchema.shape);
  if (Object.hasOwn(Object(value), 'vars')) return undefined;
  const names = unknown.filter((name) => !isMeant(name, Reflect.get(Object(value), name), known));
  if (!names.includes(key)) return undefined;
  const written = /\.(?:json|jsonl|ndjson)$/i.test(source.file)
    ? `"vars": {${names.map((name) => `${JSON.stringify(name)}: …`).join(', ')}}`
    : `vars: { ${names.map((name) => `${name}: …`).join(', ')} }`;
  return `a variable of the prompt is written under vars: ${written}`;
}

/** True for a key that most likely means one of a case, whose form its value has. */
function isMeant(key: string, value: unknown, known: readonly string[]): boolean {
  // A known key that lacks its colon.
  if (/^[\w-]+[:\s]/.test(key) && known.includes(key.replace(/[:\s].*/s, ''))) return true;
  const meant = findMeant(key, known);
  const field = Object.entries(caseSchema.shape).find(([name]) => name === meant)?.[1];
  return field?.safeParse(plainNumbers(value)).success === true;
}

/** A case or a file of cases with its settings as plain numbers; vars, expected and assertions keep every spelling. */
export function withPlainSettings(row: Located): Located {
  const { value } = row;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return row;
  if (Object.keys(value).every((key) => spelledKeys.has(key))) return row;
  const settings = Object.entries(value).map(([key, item]) => [key, spelledKeys.has(key) ? item : plainNumbers(item)]);
  return { ...row, value: Object.fromEntries(settings) };
}

const spelledKeys: ReadonlySet<string> = new Set(['id', 'vars', 'expected', 'assert', 'turns']);

/** The id as written, else a hash of what the model is sent, so that moving a case does not change it. */
export function idOf({ id, vars = {}, turns }: Pick<CaseRow, 'id' | 'vars' | 'turns'>): string {
  if (id !== undefined) return spell(id);
  const sent = turns?.map((turn) => ({ ...turn, assert: undefined }));
  return sha256Hex(canonicalJson({ vars, turns: sent })).slice(0, 8);
}

/** How a case runs and counts. */
export type Settings = ReturnType<typeof mergeSettings>;

/** The settings of a case, else those of its file, else the defaults. */
export function mergeSettings(own: CaseRow, group: CaseRow, defaults: CaseRow) {
  return {
    trials: own.trials ?? group.trials ?? defaults.trials ?? 1,
    threshold: own.threshold ?? group.threshold,
    group: own.group ?? group.group,
    mustPass: own.mustPass ?? group.mustPass ?? false,
    observe: own.observe ?? group.observe ?? false,
    skip: own.skip ?? group.skip,
    prompts: own.prompts ?? group.prompts,
    providers: own.providers ?? group.providers,
  };
}

interface SettingsContext {
  readonly problems: Problems;
  readonly promptIds: readonly string[];
  readonly providerIds: readonly string[];
}

/** Reports settings that name what the suite does not have, and settings that contradict each other. */
export function checkSettings(id: string, row: Located, settings: Settings, context: SettingsContext): void {
  const { problems, promptIds, providerIds } = context;
  const { prompts = [], providers = [], mustPass, observe, skip } = settings;
  const checkIds = (key: 'prompts' | 'providers', ids: readonly string[], known: readonly string[]) => {
    for (const [index, name] of ids.entries()) {
      if (known.includes(name)) continue;
      problems.report({
        code: 'unknown-id',
        message: `"${name}" is no ${key.slice(0, -1)} of this suite`,
        hint: didYouMean(name, known) ?? `known: ${known.join(', ')}`,
        at: locate(childOf(childOf(row, key), index)),
      });
    }
  };
  checkIds('prompts', prompts, promptIds);
  checkIds('providers', providers, providerIds);
  // A case that must pass is run and judged; a setting that prevents either would switch it off.
  const refuse = (key: 'observe' | 'skip', why: string) => {
    const own = [childOf(row, key), childOf(row, 'mustPass')].find(({ value }) => value !== undefined);
    problems.report({
      code: 'invalid-value',
      message: `case "${id}" has mustPass and ${key}: a case that must pass ${why}`,
      hint: `leave ${key} out, or write mustPass: false`,
      at: own === undefined ? locate(row) : locate(own, 'key'),
    });
  };
  if (mustPass && observe) refuse('observe', 'has to be judged');
  if (mustPass && skip !== undefined) refuse('skip', 'has to be run');
}
