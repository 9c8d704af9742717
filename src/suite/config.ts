import type * as z from 'zod';
import { defined } from '../json/defined.ts';
import { findPackageFault, type VersionOf } from '../model/optional-packages.ts';
import type { SettingFault, SourceLocation } from '../model/problem.ts';
import type { AdapterDeclaration } from '../model/provider.ts';
import type { SharedCacheConfig } from '../model/shared-cache.ts';
import type { Price, ProviderConfig, RunDefaults } from '../model/suite.ts';
import { parseDurationMs } from '../text/duration.ts';
import { parseStoreUrl } from '../text/store-urls.ts';
import { configShape } from './config-schema.ts';
import { type ContractKnowledge, emptyContract, type ParsedContract, parseContract } from './contracts.ts';
import { childOf, type Located, locate } from './locate.ts';
import { checkKeys, checkPart, requireMap } from './parts.ts';
import type { Problems } from './problems.ts';
import { parseProviders, toJsonObject, toPrice } from './providers.ts';
import type { gateSchema } from './schema.ts';
import { isVariableName } from './secret-shapes.ts';

/** What llmcheck.config.yaml says. */
export interface Config {
  readonly suites?: readonly string[];
  /** Where they are written. */
  readonly suitesAt?: { readonly at: SourceLocation };
  readonly providers: readonly ProviderConfig[];
  readonly judges: readonly ProviderConfig[];
  /** As written: assertions are compiled with the suite that they end up in. */
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
  contract: emptyContract,
  prices: {},
  run: {},
  cache: undefined,
};

export interface ConfigContext {
  readonly adapters: Readonly<Record<string, AdapterDeclaration>>;
  readonly problems: Problems;
  readonly readFile: (namedBy: Located<string>) => Promise<Located | undefined>;
  readonly packageVersion: VersionOf;
  readonly contracts?: ContractKnowledge;
  readonly checkRun?: CheckRun;
}

/** What is wrong with the keys of `run:`, which are the flags of a command that this stage does not know. */
export type CheckRun = (run: RunDefaults) => readonly SettingFault[];

/** Parses the config; what is wrong is reported, and taken as not written. */
export async function parseConfig(document: Located, context: ConfigContext): Promise<Config> {
  const { problems } = context;
  // An empty file is a config that only marks the project's root.
  if (document.value === null || !requireMap(document, 'the config', problems)) return emptyConfig;
  checkKeys(document, configShape, 'the config', problems);
  const suites = checkPart(document, 'suites', configShape.suites, problems);
  const gate = checkPart(document, 'gate', configShape.gate, problems);
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
    lists[key] === undefined ? [] : parseProviders(childOf(document, key), { ...context, known: [], noun });
  return {
    ...(suites === undefined ? {} : { suites: [suites].flat(), suitesAt: { at: locate(childOf(document, 'suites')) } }),
    providers: parse('providers', 'provider'),
    judges: parse('judges', 'judge'),
    ...(defaults === undefined ? {} : { defaults: childOf(document, 'defaults') }),
    ...defined({ gate }),
    contract: contract === undefined ? emptyContract : await parseContract(childOf(document, 'contract'), context),
    prices: Object.fromEntries(Object.entries(prices).map(([model, price]) => [model, toPrice(price)])),
    run,
    cache,
  };
}

/** Undefined where there is none, or one that is not usable and was reported. */
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
    ...others
  } = typeof found === 'string' ? { url: found } : found;
  if ((url === undefined) === (urlEnv === undefined)) {
    if (Object.keys(found).length === 0) return undefined;
    const message = url === undefined ? 'cache names no address' : 'cache has both url and urlEnv';
    problems.report({ code: 'invalid-value', message, hint: 'write one of url and urlEnv', at: locate(located) });
    return undefined;
  }
  const place = typeof found === 'string' ? located : childOf(located, 'url');
  if (url !== undefined && !checkAddress(url, place, { problems, packageVersion })) return undefined;
  for (const key of ['urlEnv', 'passwordEnv'] as const) {
    const name = key === 'urlEnv' ? urlEnv : others.passwordEnv;
    if (name === undefined || isVariableName(name)) continue;
    const message = `${key} is the NAME of an environment variable, and this is none`;
    problems.report({ code: 'literal-key', message, at: locate(childOf(located, key)) });
    return undefined;
  }
  return {
    ...others,
    prefix,
    timeoutMs: timeout === undefined ? defaultTimeoutMs : parseDurationMs(timeout),
    ...defined({ url, urlEnv }),
    ...(ttl === undefined ? {} : { ttlMs: parseDurationMs(ttl) }),
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
