import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import type { Problem } from '../../model/problem.ts';
import { parseConfirmBudget } from '../../model/suite/confirm-budget.ts';
import type { ConfirmBudget } from '../../model/suite/gate-policy.ts';
import { attempt } from '../../text/attempt.ts';
import { DurationError, parseDurationMs } from '../../text/duration.ts';
import { didYouMean, findNearest } from '../../text/words/did-you-mean.ts';
import { type CountOrFraction, envNameOf, type FlagDefinition, type RunFlagValues, runFlags } from './run-flags.ts';

type FlagValue = string | number | boolean | readonly string[] | CountOrFraction | ConfirmBudget;

export interface FlagSources {
  /** Commander's parsed values; undefined for a flag that was not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The config's `run:`. */
  readonly config: Readonly<Record<string, JsonValue>>;
}

export interface FlagValues {
  readonly values: RunFlagValues;
  readonly problems: readonly Problem[];
}

/** Resolves the values of flags. A flag overrides its environment variable, which overrides the config file. */
export function resolveFlagValues(sources: FlagSources): FlagValues {
  const values: Record<string, FlagValue> = {};
  const problems: Problem[] = [];
  const sourceOf = new Map<string, RawFlag['source']>();
  for (const definition of runFlags) {
    const found = findRaw(definition, sources);
    if (found === undefined) continue;
    sourceOf.set(definition.key, found.source);
    const parsed = parseFlag(definition, found);
    if ('message' in parsed) {
      problems.push({
        code: found.source === 'config' ? 'config' : 'usage',
        severity: 'error',
        message: `${found.label}: ${parsed.message}`,
      });
    } else if (parsed.value !== undefined) {
      values[definition.key] = parsed.value;
    }
  }
  for (const key of ['baseline', 'rerunBaseline']) {
    if (values['noBaseline'] !== true || values[key] === undefined || values[key] === false) continue;
    const strength = compareStrength(sourceOf.get('noBaseline'), sourceOf.get(key));
    if (strength < 0) delete values[key];
    if (strength > 0) delete values['noBaseline'];
  }
  problems.push(...findUnknownConfig(sources.config), ...findUnknownEnv(sources.env));
  return { values, problems };
}

const sourcesByStrength: readonly unknown[] = ['flag', 'env', 'config'];

/** Negative if `a` takes precedence over `b`. */
function compareStrength(a: unknown, b: unknown): number {
  return sourcesByStrength.indexOf(a) - sourcesByStrength.indexOf(b);
}

interface RawFlag {
  readonly raw: unknown;
  readonly label: string;
  readonly source: 'flag' | 'env' | 'config';
}

function findRaw({ key, flags }: FlagDefinition, sources: FlagSources): RawFlag | undefined {
  const flagName = /--[\w-]+/.exec(flags)?.[0] ?? key;
  if (sources.flags[key] !== undefined) return { raw: sources.flags[key], label: flagName, source: 'flag' };
  const envName = envNameOf(key);
  const fromEnv = sources.env[envName];
  if (fromEnv !== undefined && fromEnv !== '') return { raw: fromEnv, label: envName, source: 'env' };
  const fromConfig = sources.config[key];
  if (fromConfig !== undefined) return { raw: fromConfig, label: `run.${key} of the config file`, source: 'config' };
  return undefined;
}

type Parsed = { readonly value: FlagValue | undefined } | { readonly message: string };

function parseFlag({ kind, choices }: FlagDefinition, { raw, source }: RawFlag): Parsed {
  if (kind === 'switch') return parseSwitch(raw);
  if (kind === 'list') return parseList(raw);
  if (kind.startsWith('optional-')) {
    if (raw === true) return { value: true };
    // Environment and config can't contain a flag without a value, so the words of a switch replace it.
    const word = source === 'flag' ? undefined : parseSwitch(raw);
    if (word !== undefined && 'value' in word) return { value: word.value === true ? true : undefined };
  }
  if (typeof raw !== 'string' && typeof raw !== 'number') return { message: `${JSON.stringify(raw)} is not one value` };
  const text = String(raw).trim();
  if (text === '') return { message: 'it is empty; leave it out or give it a value' };
  switch (kind) {
    case 'integer':
    case 'optional-integer':
      return parseInteger(text);
    case 'number':
      return parseAmount(text);
    case 'duration':
      return parseDuration(text);
    case 'count-or-percent':
      return parseCountOrPercent(text);
    case 'budget':
      return parseBudget(text);
    case 'text':
    case 'optional-text':
      return choices === undefined || choices.includes(text)
        ? { value: text }
        : { message: `"${text}" is not one of ${choices.join(', ')}` };
  }
}

function parseDuration(text: string): Parsed {
  const ms = attempt(() => parseDurationMs(text), DurationError);
  if (ms instanceof DurationError) return { message: ms.message };
  return ms > 0 ? { value: ms } : { message: `"${text}" leaves no time` };
}

function parseSwitch(raw: unknown): Parsed {
  if (raw === true || raw === '1' || raw === 'true') return { value: true };
  if (raw === false || raw === '0' || raw === 'false') return { value: false };
  return { message: `${JSON.stringify(raw)} is not a switch; write 1, 0, true or false` };
}

function parseList(raw: unknown): Parsed {
  const given: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
  const odd = given.find((item) => typeof item !== 'string' && typeof item !== 'number');
  if (odd !== undefined) return { message: `${JSON.stringify(odd)} is not a text` };
  const items = given.map((item) => splitList(String(item)));
  // An empty shell variable must neither select everything nor be ignored beside another value.
  if (items.length === 0 || items.some((item) => item.length === 0)) {
    return { message: 'it is empty; leave it out or give it a value' };
  }
  return { value: items.flat() };
}

/** Commas inside braces belong to a glob. */
function splitList(text: string): string[] {
  return (text.match(/(?:\{[^}]*\}|[^,{]|\{)+/g) ?? []).map((item) => item.trim()).filter((item) => item !== '');
}

function parseInteger(text: string): Parsed {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? { value } : { message: `"${text}" is not a whole number` };
}

function parseAmount(text: string): Parsed {
  const digits = /^\$?((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i.exec(text)?.[1];
  const value = Number(digits);
  return digits !== undefined && Number.isFinite(value)
    ? { value }
    : { message: `"${text}" is not an amount in USD, such as 0.50` };
}

function parseCountOrPercent(text: string): Parsed {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text);
  const number = Number(match?.[1]);
  if (match === null || (match[2] === '' && !Number.isSafeInteger(number)) || (match[2] === '%' && number > 100)) {
    return { message: `"${text}" is neither a count nor a percentage` };
  }
  return { value: match[2] === '%' ? { fraction: number / 100 } : { count: number } };
}

function parseBudget(text: string): Parsed {
  const value = parseConfirmBudget(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text);
  return value === undefined
    ? { message: `"${text}" is neither a number of calls nor a share such as 200%` }
    : { value };
}

function findUnknownConfig(config: FlagSources['config']): readonly Problem[] {
  const known = new Set(runFlags.map(({ key }) => key));
  return Object.keys(config)
    .filter((key) => !known.has(key))
    .map((key) => {
      const hint = didYouMean(key, known) ?? `there are: ${[...known].join(', ')}`;
      return {
        code: 'unknown-key',
        severity: 'error',
        message: `run.${key} of the config file is no flag of run`,
        hint,
      };
    });
}

/** A misspelt variable is ignored with a warning. It is an error if it was to limit the run, which could cost too much. */
function findUnknownEnv(env: FlagSources['env']): readonly Problem[] {
  const known = new Set([...runFlags.map(({ key }) => envNameOf(key)), ...otherEnvNames]);
  return Object.keys(env)
    .filter((name) => !known.has(name) && (env[name] ?? '') !== '' && isOurs(name, known))
    .sort()
    .map((name) => {
      const meant = findMeant(name, known);
      const isLimit = meant !== undefined && limits.has(meant);
      return {
        code: 'environment',
        severity: isLimit ? 'error' : 'warning',
        message: `${name} is not a setting of llmcheck${isLimit ? '' : ' and was ignored'}`,
        ...defined({ hint: meant === undefined ? undefined : `did you mean "${meant}"?` }),
      };
    });
}

/** True for the prefix in any case, and for a misspelt one before the name of a setting. */
function isOurs(name: string, known: ReadonlySet<string>): boolean {
  const upper = name.toUpperCase();
  if (upper.startsWith(prefix)) return true;
  const setting = [...known].find((one) => upper.endsWith(one.slice(prefix.length - 1)));
  return (
    setting !== undefined &&
    findNearest(upper.slice(0, -setting.length + prefix.length - 1), ['LLMCHECK']) !== undefined
  );
}

/** The setting that a name most likely means. The comparison ignores the prefix. */
function findMeant(name: string, known: ReadonlySet<string>): string | undefined {
  const upper = name.toUpperCase();
  const same = [...known].find(
    (one) => upper === one || (!upper.startsWith(prefix) && upper.endsWith(one.slice(prefix.length - 1))),
  );
  const setting = upper.slice(prefix.length);
  if (same !== undefined || !upper.startsWith(prefix)) return same;
  if (/BUDGET|COST|USD/.test(setting)) return envNameOf('maxCost');
  const nearest = findNearest(
    setting,
    [...known].map((one) => one.slice(prefix.length)),
  );
  return nearest === undefined ? undefined : `${prefix}${nearest}`;
}

const prefix = 'LLMCHECK_';

/** Without these settings a run may send or spend more, or pass although it should not. */
const limits: ReadonlySet<string> = new Set(
  ['maxCost', 'maxErrors', 'bail', 'deadline', 'timeout', 'dryRun', 'cache', 'requireConclusive', 'concurrency'].map(
    envNameOf,
  ),
);

/** Variables that other code reads: the config file's path, colour, and the matrix of a job. */
const otherEnvNames = ['LLMCHECK_CONFIG', 'LLMCHECK_NO_COLOR', 'LLMCHECK_MATRIX', 'LLMCHECK_PAGE_URL'];
