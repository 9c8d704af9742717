import { resolve } from 'node:path';
import type * as z from 'zod';
import { isRecord } from '../../json/deep-equal.ts';
import { defined } from '../../json/defined.ts';
import type { SourceLocation } from '../../model/problem.ts';
import { defaultAnswerLimits, type ProviderLimits } from '../../model/suite/limits.ts';
import type { AdapterDeclaration } from '../../model/suite/provider.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { parseDurationMs } from '../../text/duration.ts';
import { didYouMean, findNearest } from '../../text/words/did-you-mean.ts';
import { plainNumbers, toJsonObject } from '../../text/yaml/exact-numbers.ts';
import { checkInputs } from '../assertions/own-code.ts';
import { checkReplaces, checkShape, keysAt, writtenIds } from '../documents/check-shape.ts';
import { describeValue, hintOfKey } from '../documents/describe-issue.ts';
import { childOf, itemsOf, type Located, locate, type Problems, withoutExcerpt } from '../documents/locate.ts';
import type { ProjectFiles } from '../files/project-files.ts';
import { judgeSchema, providerSchema } from '../schema/provider-schema.ts';
import {
  checkParams,
  checkWritten,
  findOtherUse,
  hintOfParams,
  modelKeys,
  type OtherUse,
  reportLiteralKeys,
} from './check-params.ts';
import { expandParams } from './expand-tools.ts';

interface ProviderContext {
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly problems: Problems;
  readonly files: ProjectFiles;
  /** The providers of the config, which a suite may name by id. */
  readonly known: readonly ProviderConfig[];
  /** All ids in the config, including entries with errors, which are reported at their own place. */
  readonly writtenIds: readonly string[];
  /** The word for one entry in messages. */
  readonly noun: 'provider' | 'judge';
}

/** Parses a list of providers or judges: ids of the config's, shorthands and maps. */
export function parseProviders(located: Located, context: ProviderContext): readonly ProviderConfig[] {
  const providers: ProviderConfig[] = [];
  for (const item of itemsOf(located)) {
    const provider = parseProvider(item, context);
    if (provider === undefined) continue;
    if (providers.some(({ id }) => id === provider.id)) {
      const { noun, problems } = context;
      problems.report({
        code: 'duplicate-id',
        message: `two ${noun}s have the id "${provider.id}"`,
        hint: 'give one of them an id of its own',
        at: locate(item),
      });
    } else {
      providers.push(provider);
    }
  }
  if (context.noun === 'provider') {
    const known = [...writtenIds(located), ...context.writtenIds];
    for (const item of itemsOf(located)) {
      checkReplaces(item, located, { noun: 'provider', known, problems: context.problems });
    }
  }
  return providers;
}

function parseProvider(item: Located, context: ProviderContext): ProviderConfig | undefined {
  if (typeof item.value !== 'string') return parseProviderMap(item, context);
  const known = context.known.find(({ id }) => id === item.value);
  if (known !== undefined) return known;
  if (context.writtenIds.includes(item.value)) return undefined;
  const use = parseUse({ ...item, value: item.value }, context);
  return use === undefined
    ? undefined
    : { id: item.value, ...use, params: {}, headers: {}, limits: {}, options: {}, ...placeOf(item) };
}

/** Parses `adapter:model`, split at the first colon. */
export function parseUse(
  located: Located<string>,
  { adapters, problems, known, noun }: Omit<ProviderContext, 'writtenIds' | 'files'>,
): Pick<ProviderConfig, 'adapter' | 'model' | 'plugin'> | undefined {
  const text = located.value;
  const colon = text.indexOf(':');
  const adapter = colon === -1 ? text : text.slice(0, colon);
  const model = colon === -1 ? '' : text.slice(colon + 1);
  const at = locate(located);
  if (Object.hasOwn(adapters, adapter)) {
    const plugin = adapters[adapter]?.plugin;
    if (model.trim() !== '') return { adapter, model, ...defined({ plugin }) };
    problems.report({
      code: 'invalid-value',
      message: `"${text}" names no model`,
      hint: `write ${adapter}:MODEL, such as ${adapters[adapter]?.example ?? 'openai:gpt-4o-mini'}`,
      at,
    });
  } else if (colon === -1) {
    const ids = known.map(({ id }) => id);
    // OpenRouter and others write a slash.
    const [before = '', ...after] = text.split('/');
    const meant = after.length > 0 && Object.hasOwn(adapters, before) ? `${before}:${after.join('/')}` : undefined;
    const step = meant === undefined ? `write it as adapter:model, such as openai:${text}` : `write ${meant}`;
    problems.report({
      code: 'unknown-id',
      message: `"${text}" is neither adapter:model nor a ${noun} of the config`,
      hint: didYouMean(text, ids) ?? step,
      at,
    });
  } else {
    problems.report({
      code: 'unknown-adapter',
      message: `unknown adapter "${adapter}" in "${text}"`,
      hint:
        didYouMean(
          text,
          known.map(({ id }) => id),
        ) ??
        didYouMean(adapter, Object.keys(adapters)) ??
        `known: ${Object.keys(adapters).join(', ')}`,
      at,
    });
  }
  return undefined;
}

function parseProviderMap(item: Located, context: ProviderContext): ProviderConfig | undefined {
  const { problems, adapters, noun } = context;
  if (!isRecord(item.value)) {
    const message = `a ${noun} is adapter:model, an id of the config or a map, not ${describeValue(item.value)}`;
    return problems.refuse(item, message);
  }
  const located = { ...item, value: plainNumbers(item.value) };
  checkParams(childOf(located, 'params'), context.problems);
  const schema = noun === 'judge' ? judgeSchema : providerSchema;
  const baseKeys = Object.keys(schema.shape);
  const other = findOtherUse(located, adapters);
  if (other === undefined && isKeyedByUse(located, context)) return undefined;
  const use = other === undefined ? childOf(located, findUseKey(located, baseKeys)) : { ...located, value: other.use };
  // Without its own adapter, the entry names an id of the config.
  const endpoint =
    typeof use.value === 'string' ? parseUse({ ...use, value: use.value }, { ...context, known: [] }) : undefined;
  // The other checks quote the refused value, so a literal key must not reach them.
  if (reportLiteralKeys(located, problems)) return undefined;
  const declaration = endpoint === undefined ? undefined : adapters[endpoint.adapter];
  checkWritten(childOf(located, 'params'), declaration, problems);
  const meantKeys = optionKeysOf(declaration ?? guessAdapter(use.value, adapters));
  const optionKeys = optionKeysOf(declaration) ?? [];
  const entries = Object.entries(located.value ?? {});
  const unknown = entries.filter(([key]) => !baseKeys.includes(key) && !optionKeys.includes(key)).map(([key]) => key);
  if (other !== undefined) reportOtherUse(located, other, context);
  const keys = { unknown: unknown.filter((key) => other?.keys.includes(key) !== true), baseKeys, meantKeys };
  const meant = reportUnknownKeys(located, keys, declaration?.example, context);
  const checking = { label: noun, problems, mistyped: other === undefined ? meant : ['use', ...meant] };
  const base = checkShape(
    schema,
    pick(located, other === undefined ? entries : [...entries, ['use', other.use]], baseKeys),
    checking,
  );
  const options =
    declaration === undefined
      ? undefined
      : checkShape(declaration.options, pick(located, entries, optionKeys), checking);
  const isWrong = unknown.length > 0 || other !== undefined;
  if (base === undefined || endpoint === undefined || options === undefined || isWrong) return undefined;
  return buildProvider(
    base,
    endpoint,
    Object.fromEntries(entries.filter(([key]) => optionKeys.includes(key))),
    item,
    context,
  );
}

interface Keys {
  readonly unknown: readonly string[];
  readonly baseKeys: readonly string[];
  /** The adapter's own keys; undefined if the adapter is unknown. */
  readonly meantKeys: readonly string[] | undefined;
}

/** Reports keys that neither providers nor the adapter have. Returns the probably intended keys. */
function reportUnknownKeys(
  located: Located,
  { unknown, baseKeys, meantKeys }: Keys,
  example: string | undefined,
  { problems, noun }: ProviderContext,
): readonly string[] {
  const known = [...baseKeys, ...(meantKeys ?? [])];
  return unknown.flatMap((key) => {
    if (known.includes(key)) return [];
    const hint = hintOfParams(located, key, unknown);
    const meant = hint === undefined ? (findNearest(key, known) ?? meantByOthers(key)) : undefined;
    // Which keys an unknown adapter has can't be said.
    if (meant === undefined && meantKeys === undefined) return [];
    problems.report({
      code: 'unknown-key',
      message: `unknown key "${key}" in a ${noun}`,
      hint: hint ?? hintOfUse(located, key, example) ?? hintOfKey(key, known),
      at: locate(childOf(located, key), 'key'),
    });
    return meant === undefined ? [] : [meant];
  });
}

/** `use`, or the key that was most likely meant to be it. */
function findUseKey({ value }: Located, baseKeys: readonly string[]): string {
  const keys = Object.keys(value ?? {});
  if (keys.includes('use')) return 'use';
  return keys.find((key) => !baseKeys.includes(key) && findNearest(key, baseKeys) === 'use') ?? 'use';
}

/** The probably intended adapter of a mistyped name. Its keys then count as known. */
function guessAdapter(use: unknown, adapters: ProviderContext['adapters']): AdapterDeclaration | undefined {
  const nearest = typeof use === 'string' ? findNearest(use.replace(/:.*/s, ''), Object.keys(adapters)) : undefined;
  return nearest === undefined ? undefined : adapters[nearest];
}

function optionKeysOf(declaration: AdapterDeclaration | undefined): readonly string[] | undefined {
  return declaration === undefined ? undefined : keysAt(declaration.options, []);
}

function reportOtherUse(item: Located, { use, keys }: OtherUse, { problems, noun }: ProviderContext): void {
  const [first] = keys;
  const replaced = childOf(item, 'use').value === undefined ? keys : ['use', ...keys];
  problems.report({
    code: first === undefined ? 'invalid-value' : 'unknown-key',
    message: first === undefined ? `${noun} needs "use"` : `unknown key "${first}" in a ${noun}`,
    hint: `write use: ${use}${replaced.length === 0 ? '' : ` in place of ${replaced.join(' and ')}`}`,
    at: first === undefined ? locate(item) : locate(childOf(item, first), 'key'),
  });
}

/** Reports a map whose one key is `adapter:model`, with its parameters below. */
function isKeyedByUse(item: Located, { adapters, problems, noun }: ProviderContext): boolean {
  const [key = '', second] = Object.keys(item.value ?? {});
  const colon = key.indexOf(':');
  if (second !== undefined || colon < 1 || !Object.hasOwn(adapters, key.slice(0, colon))) return false;
  problems.report({
    code: 'unknown-key',
    message: `unknown key "${key}" in a ${noun}`,
    hint: `write id: ${key.slice(colon + 1)} and use: ${key}, with its parameters under params`,
    at: locate(childOf(item, key), 'key'),
  });
  return true;
}

/** The key that takes the place of one of another tool. */
function meantByOthers(key: string): string | undefined {
  return modelKeys.includes(key) ? 'use' : undefined;
}

/** Keys of other tools for the parts of `use:`. */
const partsOfUse = ['adapter', 'command'];

/** A model without an adapter, or the command of a program. */
function hintOfUse(item: Located, key: string, example = 'openai:gpt-4o-mini'): string | undefined {
  const part = findNearest(key, partsOfUse);
  if (part !== undefined) return `write the ${part} under use: ${example}`;
  const { value } = childOf(item, key);
  if (!modelKeys.includes(key) || typeof value !== 'string') return undefined;
  return `write it under use, after its adapter and a colon, such as use: openai:${value}`;
}

function pick(located: Located, entries: readonly (readonly [string, unknown])[], keys: readonly string[]): Located {
  return { ...located, value: Object.fromEntries(entries.filter(([key]) => keys.includes(key))) };
}

function buildProvider(
  base: z.output<typeof providerSchema> | z.output<typeof judgeSchema>,
  endpoint: Pick<ProviderConfig, 'adapter' | 'model' | 'plugin'>,
  options: Readonly<Record<string, unknown>>,
  item: Located,
  context: ProviderContext,
): ProviderConfig {
  const { params, snapshots } = expandParams(childOf(item, 'params'), context);
  if (runsOwnCode(endpoint) && options['inputs'] !== undefined) checkInputs(childOf(item, 'inputs'), context);
  const config: ProviderConfig = {
    id: base.id,
    ...endpoint,
    ...defined({ baseUrl: base.baseURL, apiKeyEnv: base.apiKeyEnv }),
    params,
    ...defined({ structured: base.structured, stream: base.stream === true || undefined }),
    headers: base.headers ?? {},
    ...defined({ price: base.price }),
    limits: toLimits(base.limits ?? {}),
    ...('replaces' in base ? defined({ replaces: base.replaces }) : {}),
    options: toJsonObject(options),
    ...defined({ snapshots: snapshots.length === 0 ? undefined : snapshots }),
    ...judgingOf(base, item.source.folder),
    ...placeOf(item),
  };
  if (config.stream === true && context.adapters[endpoint.adapter]?.canStream?.(config) !== true) {
    context.problems.refuse(
      childOf(item, 'stream'),
      `${endpoint.adapter} gives its answers whole, so that the time to their first token can't be measured`,
      'leave out stream',
    );
  }
  return config;
}

/** True for adapters that run code of the project. */
function runsOwnCode({ adapter }: Pick<ProviderConfig, 'adapter'>): boolean {
  return adapter === 'exec' || adapter === 'module';
}

function judgingOf(base: Partial<z.output<typeof judgeSchema>>, folder: string): Pick<ProviderConfig, 'judging'> {
  const { minKappa, labels, sameModel } = base;
  if (minKappa === undefined && labels === undefined && sameModel !== true) return {};
  return {
    judging: defined({ minKappa, labels: labels && resolve(folder, labels), sameModel: sameModel || undefined }),
  };
}

export function placeOf(item: Located): { readonly folder: string; readonly at: SourceLocation } {
  return { folder: item.source.folder, at: withoutExcerpt(locate(item)) };
}

function toLimits({
  timeout,
  maxAnswer,
  ...limits
}: NonNullable<z.output<typeof providerSchema>['limits']>): ProviderLimits {
  const { textBytes, toolCalls } = defaultAnswerLimits;
  return {
    ...limits,
    ...defined({
      timeoutMs: timeout === undefined ? undefined : parseDurationMs(timeout),
      maxAnswer: maxAnswer && {
        textBytes: maxAnswer.text ?? textBytes,
        toolCalls: maxAnswer.toolCalls ?? toolCalls,
      },
    }),
  };
}
