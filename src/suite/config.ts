import type * as z from 'zod';
import { plainNumbers } from '../lib/spelled-number.ts';
import type { JsonValue } from '../model/json.ts';
import type { SettingFault } from '../model/problem.ts';
import type { AdapterDeclaration } from '../model/provider.ts';
import type { Price, ProviderConfig, RunDefaults } from '../model/suite.ts';
import { type ContractKnowledge, emptyContract, type ParsedContract, parseContract } from './contracts.ts';
import { childOf, type Located, locate } from './locate.ts';
import { checkKeys, checkPart, requireMap } from './parts.ts';
import type { Problems } from './problems.ts';
import { parseProviders, toJsonObject, toPrice } from './providers.ts';
import { configShape, type gateSchema } from './schema.ts';

/** What llmcheck.config.yaml says. */
export interface Config {
  readonly suites?: readonly string[];
  readonly providers: readonly ProviderConfig[];
  readonly judges: readonly ProviderConfig[];
  /** As written: assertions are compiled with the suite that they end up in. */
  readonly defaults?: Located;
  readonly gate?: z.output<typeof gateSchema>;
  readonly contract: ParsedContract;
  readonly prices: Readonly<Record<string, Price>>;
  readonly run: RunDefaults;
  readonly cache: JsonValue | undefined;
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
  checkPart(document, 'cache', configShape.cache, problems);
  const contract = checkPart(document, 'contract', configShape.contract, problems);
  const defaults = checkPart(document, 'defaults', configShape.defaults, problems);
  const lists = {
    providers: checkPart(document, 'providers', configShape.providers, problems),
    judges: checkPart(document, 'judges', configShape.judges, problems),
  };
  const parse = (key: 'providers' | 'judges', noun: 'provider' | 'judge') =>
    lists[key] === undefined ? [] : parseProviders(childOf(document, key), { ...context, known: [], noun });
  return {
    ...(suites === undefined ? {} : { suites: [suites].flat() }),
    providers: parse('providers', 'provider'),
    judges: parse('judges', 'judge'),
    ...(defaults === undefined ? {} : { defaults: childOf(document, 'defaults') }),
    ...(gate === undefined ? {} : { gate }),
    contract: contract === undefined ? emptyContract : await parseContract(childOf(document, 'contract'), context),
    prices: Object.fromEntries(Object.entries(prices).map(([model, price]) => [model, toPrice(price)])),
    run,
    cache: toJsonValue(plainNumbers(childOf(document, 'cache').value)),
  };
}

function toJsonValue(value: unknown): JsonValue | undefined {
  return toJsonObject({ value })['value'];
}
