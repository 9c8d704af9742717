import * as z from 'zod';
import { defined } from '../json/defined.ts';
import { findPackageFault, type VersionOf } from '../model/optional-packages.ts';
import type { SettingFault, SourceLocation } from '../model/problem.ts';
import type { SharedCacheConfig } from '../model/run/shared-cache.ts';
import type { AdapterDeclaration } from '../model/suite/provider.ts';
import type { Price } from '../model/suite/recorded-settings.ts';
import type { ProviderConfig, RunDefaults } from '../model/suite/suite.ts';
import { parseStoreUrl } from '../text/addresses/store-urls.ts';
import { parseDurationMs } from '../text/duration.ts';
import { toJsonObject } from '../text/yaml/exact-numbers.ts';
import { emptyContract, type ParsedContract, parseContract } from './contracts/parse-contract.ts';
import { checkKeys, checkPart, requireMap } from './documents/check-shape.ts';
import { childOf, idsOf, type Located, locate, type Problems } from './documents/locate.ts';
import type { ProjectFiles } from './files/project-files.ts';
import { parseGate } from './gate.ts';
import { isVariableName } from './providers/check-params.ts';
import { parseProviders } from './providers/parse-providers.ts';
import { duration, words } from './schema/fields.ts';
import { anyProvider, judges, priceSchema } from './schema/provider-schema.ts';
import { contract, defaultsSchema, gateSchema } from './schema/suite-schema.ts';

/** The settings in llmcheck.config.yaml. */
export interface Config {
  readonly suites?: readonly string[];
  /** The place of `suites:`. */
  readonly suitesAt?: { readonly at: SourceLocation };
  readonly providers: readonly ProviderConfig[];
  readonly judges: readonly ProviderConfig[];
  /** The ids of all providers and judges in the file, including entries with errors. */
  readonly writtenIds: readonly string[];
  /** The defaults as written. Their assertions are compiled with each suite. */
  readonly defaults?: Located;
  readonly gate?: z.output<typeof gateSchema>;
  readonly contract: ParsedContract;
  readonly prices: Readonly<Record<string, Price>>;
  readonly run: RunDefaults;
  readonly cache: SharedCacheConfig | undefined;
}

export const emptyConfig: Config = {
  providers: [],
  judges: [],
  writtenIds: [],
  contract: emptyContract,
  prices: {},
  run: {},
  cache: undefined,
};

interface ConfigContext {
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly problems: Problems;
  readonly files: ProjectFiles;
  readonly readFile: (namedBy: Located<string>) => Promise<Located | undefined>;
  readonly packageVersion: VersionOf;
  readonly checkRun?: CheckRun;
}

/** Finds the mistakes in `run:`, whose keys are command-line flags. */
export type CheckRun = (run: RunDefaults) => readonly SettingFault[];

/** Parses the config. A part with a mistake is reported and left out. */
export async function parseConfig(document: Located, context: ConfigContext): Promise<Config> {
  const { problems } = context;
  // An empty file is a config that only marks the project's root.
  if (document.value === null || !requireMap(document, 'the config', problems)) return emptyConfig;
  checkKeys(document, configShape, 'the config', problems);
  const suites = checkPart(document, 'suites', configShape.suites, problems);
  const gate = parseGate(document, configShape.gate, problems);
  const prices = checkPart(document, 'prices', configShape.prices, problems) ?? {};
  const run = toJsonObject(checkPart(document, 'run', configShape.run, problems));
  for (const { key, ...fault } of context.checkRun?.(run) ?? []) {
    const part = fault.code === 'unknown-key' ? 'key' : 'value';
    problems.report({ ...fault, at: locate(childOf(childOf(document, 'run'), key), part) });
  }
  checkPart(document, 'plugins', configShape.plugins, problems);
  const cache = parseCache(document, context);
  const contract = checkPart(document, 'contract', configShape.contract, problems);
  const defaults = checkPart(document, 'defaults', configShape.defaults, problems);
  const lists = {
    providers: checkPart(document, 'providers', configShape.providers, problems),
    judges: checkPart(document, 'judges', configShape.judges, problems),
  };
  const parse = (key: 'providers' | 'judges', noun: 'provider' | 'judge') =>
    lists[key] === undefined
      ? []
      : parseProviders(childOf(document, key), { ...context, known: [], writtenIds: [], noun });
  return {
    ...(suites === undefined ? {} : { suites: [suites].flat(), suitesAt: { at: locate(childOf(document, 'suites')) } }),
    providers: parse('providers', 'provider'),
    judges: parse('judges', 'judge'),
    writtenIds: [...idsOf(childOf(document, 'providers')), ...idsOf(childOf(document, 'judges'))],
    ...defined({ defaults: defaults && childOf(document, 'defaults') }),
    ...defined({ gate }),
    contract: contract === undefined ? emptyContract : await parseContract(childOf(document, 'contract'), context),
    prices,
    run,
    cache,
  };
}

/** Undefined if there is none, or if it can't be used, which is reported. */
export function parseCache(
  document: Located,
  { problems, packageVersion }: Pick<ConfigContext, 'problems' | 'packageVersion'>,
): SharedCacheConfig | undefined {
  const found = checkPart(document, 'cache', configShape.cache, problems);
  if (found === undefined) return undefined;
  const located = childOf(document, 'cache');
  const {
    url,
    urlEnv,
    ttl,
    timeout,
    prefix = defaultPrefix,
    // Read from the base commit alone.
    trusted: _trusted,
    ...others
  } = typeof found === 'string' ? { url: found } : found;
  if ((url === undefined) === (urlEnv === undefined)) {
    if (Object.keys(found).every((key) => key === 'trusted')) return undefined;
    const message = url === undefined ? 'cache names no address' : 'cache has both url and urlEnv';
    return problems.refuse(located, message, 'write one of url and urlEnv');
  }
  const place = typeof found === 'string' ? located : childOf(located, 'url');
  if (url !== undefined && !checkAddress(url, place, { problems, packageVersion })) return undefined;
  for (const key of ['urlEnv', 'passwordEnv'] as const) {
    const name = key === 'urlEnv' ? urlEnv : others.passwordEnv;
    if (name === undefined || isVariableName(name)) continue;
    const message = `${key} must be the name of an environment variable, and this is not a valid name`;
    problems.report({ code: 'literal-key', message, at: locate(childOf(located, key)) });
    return undefined;
  }
  const ttlMs = ttl === undefined ? undefined : parseDurationMs(ttl);
  return {
    ...others,
    prefix,
    timeoutMs: timeout === undefined ? defaultTimeoutMs : parseDurationMs(timeout),
    ...defined({ url, urlEnv, ttlMs }),
  };
}

const defaultPrefix = 'llmcheck:';

const defaultTimeoutMs = 500;

function checkAddress(
  url: string,
  place: Located,
  { problems, packageVersion }: Pick<ConfigContext, 'problems' | 'packageVersion'>,
): boolean {
  const parsed = parseStoreUrl(url);
  const at = locate(place);
  if (!parsed.ok) {
    problems.report({ code: 'invalid-value', message: `the address of the cache ${parsed.reason}`, at });
    return false;
  }
  if (parsed.hasPassword) {
    const message = 'the address of the cache holds a password';
    const hint =
      'name the variable that holds it: passwordEnv: REDIS_PASSWORD, or the whole address: urlEnv: REDIS_URL';
    // The lines around it would show it.
    const { excerpt: _excerpt, ...bare } = at;
    problems.report({ code: 'literal-key', message, hint, at: bare });
    return false;
  }
  const fault = parsed.store.kind === 'redis' ? findPackageFault(['ioredis'], packageVersion) : undefined;
  if (fault !== undefined) {
    const message = `a cache in Redis needs ${fault.needed}`;
    problems.report({ code: 'environment', message, hint: fault.install, at });
    return false;
  }
  return true;
}

/** A cache that several machines share. */
const cacheSchema = z.strictObject({
  url: words.exactOptional().describe('redis://host:6379/0, rediss://… or s3://bucket/folder, without a password.'),
  urlEnv: words.exactOptional().describe('The NAME of the variable that holds the address, such as REDIS_URL.'),
  username: words.exactOptional().describe('User of the Redis server.'),
  passwordEnv: words.exactOptional().describe('The NAME of the variable that holds the password of the Redis server.'),
  endpoint: words
    .exactOptional()
    .describe('Address of the server of the bucket if it is not AWS, such as http://127.0.0.1:9000.'),
  region: words.exactOptional().describe('Region of the bucket; default AWS_REGION, else us-east-1.'),
  prefix: words.exactOptional().describe('Prefix of the keys; default "llmcheck:".'),
  ttl: duration.exactOptional().describe('Older answers count as missing, such as "720h".'),
  timeout: duration.exactOptional().describe('Time for an answer of the cache; default 500ms.'),
  trusted: z
    .boolean()
    .exactOptional()
    .describe(
      'Whether committed files in .llmcheck are read under CI; it counts at the commit that a change starts from.',
    ),
});

/** The keys of llmcheck.config.yaml. */
export const configShape = {
  suites: z
    .union([words, z.array(words).min(1, { error: 'needs at least one glob' })], {
      error: 'must be a glob or a list of globs',
    })
    .optional()
    .describe('Where suites are; default evals/**/*.eval.{yaml,yml,ts,js}.'),
  providers: z
    .array(anyProvider)
    .min(1, { error: 'needs at least one provider, or leave it out' })
    .optional()
    .describe('Providers that suites name by id; those of suites without their own.'),
  judges: judges.optional().describe('Judges that suites name by id; those of suites without their own.'),
  defaults: defaultsSchema.optional().describe("Used for what a suite's defaults do not set."),
  gate: gateSchema.optional().describe("Used for what a suite's gate does not set."),
  contract: contract.optional().describe("Used for what a suite's contract does not set."),
  plugins: z
    .array(words)
    .min(1, { error: 'needs at least one plug-in, or leave it out' })
    .optional()
    .describe('Modules and packages that bring assertions, providers and reporters of your own.'),
  prices: z.record(z.string(), priceSchema).optional().describe('Prices by model, or by adapter:model.'),
  cache: z
    .union([words, cacheSchema], { error: 'must be an address, or a map with url or urlEnv' })
    .optional()
    .describe('A cache that several machines share, behind the local one: redis://host:6379/0 or s3://bucket/folder.'),
  run: z.record(z.string(), z.unknown()).optional().describe('Defaults of the flags of run, such as maxCost.'),
};
