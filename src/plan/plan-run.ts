import { contractCheck } from '../assertions/structure/json.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import { type Problem, UserError } from '../model/problem.ts';
import type { Usage } from '../model/run/completion.ts';
import type { RecordedShard, RecordedVariant } from '../model/run/record.ts';
import type { Endpoint, ProviderEnv } from '../model/suite/provider.ts';
import type { EmptySelection } from '../model/suite/recorded-settings.ts';
import type { ProviderConfig, Suite } from '../model/suite/suite.ts';
import { createPricer, type Pricer } from '../prices/create-pricer.ts';
import { hashEnv, isCredentialName } from '../providers/code/hash-code.ts';
import { findAdapter } from '../providers/index.ts';
import { isSecretName } from '../suite/providers/check-params.ts';
import { withoutUserinfo } from '../text/addresses/store-urls.ts';
import { sha256Hex } from '../text/sha256.ts';
import { findNearest } from '../text/words/did-you-mean.ts';
import { createAttachments } from './attachments.ts';
import { buildPlan, type Plan, providerKey } from './build-plan.ts';
import { findBlindJudges, findUnsent } from './check-requests.ts';
import { findRefusedSchemas } from './check-schemas.ts';
import { describeShard } from './describe-suites.ts';
import { type PricedVariant, pricedModel, pricedModelOfVariant } from './price-variants.ts';
import type { RenderOptions } from './render-cells.ts';
import type { RunOptions, RunPorts } from './run-options.ts';
import { casesOf, findEmptySelections, refuseSlowFilters } from './select-cases.ts';

/** A plan with the data for pricing and sending its calls. */
export interface PlannedRun {
  readonly plan: Plan;
  /** True if only the shard has no cells: the selection as a whole does. */
  readonly isEmptyShard: boolean;
  readonly emptySelections: readonly EmptySelection[];
  /** Warnings about parts of schemas that APIs refuse, and about schemas that are not sent. */
  readonly warnings: readonly Problem[];
  /** The shard's data for the record. */
  readonly shard?: RecordedShard;
  readonly pricer: Pricer;
  readonly providerEnv: ProviderEnv;
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
  /** How cells are rendered, for cells beyond the plan: fresh trials. */
  readonly rendering: RenderOptions;
  /** Prices answers of today and of a baseline by one price table; undefined if no price is known. */
  readonly costOfRecorded: (variant: PricedVariant, usage: Usage | undefined) => number | undefined;
  /** The data on a provider's price and code for a record. */
  readonly describeProvider: (
    provider: ProviderConfig,
  ) => Pick<RecordedVariant, 'price' | 'priceProvider' | 'adapterVersion' | 'baseUrl' | 'options' | 'isContentUnknown'>;
  /** The variants' providers by their keys. */
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  /** True with `--record-tools`: real tools answer the calls that have no stub, with results of any allowed length. */
  readonly recordsTools: boolean;
}

/** Plans a run, or names every reason why it can't be planned; nothing is sent. */
export async function planRun(
  options: Pick<RunOptions, 'project' | 'knownSuites' | 'selection' | 'settings' | 'record' | 'recordTools'>,
  ports: Pick<RunPorts, 'env'>,
): Promise<PlannedRun> {
  const { project, selection, settings } = options;
  refuse([...findUnknownIds(options.knownSuites ?? project.suites, options), ...findMissingRecordings(options)]);
  refuseSlowFilters(selection.filters, casesOf(project.suites));
  const providerEnv = { env: ports.env, projectRoot: project.root };
  const endpointOf = createEndpoints(providerEnv);
  const attachments = createAttachments(project.root);
  const rendering: RenderOptions = {
    endpointOf,
    optionsOf: (provider) => describeSettings(provider, endpointOf(provider), ports.env).options,
    hashEnv: (names) => hashEnv(ports.env, names),
    contractCheck,
    describeFile: attachments.describeFile,
  };
  const planOptions = { ...rendering, ...defined({ firstPrompt: settings.compare?.[0] }) };
  const plan = buildPlan(project.suites, { selection, ...planOptions });
  refuse(attachments.findProblems(plan));
  const asked = plan.suites.filter(({ suite }) => isAsked(suite, options));
  const schemaProblems = await findRefusedSchemas(asked);
  refuse([...schemaProblems.filter(({ severity }) => severity === 'error'), ...findBlindJudges(asked, endpointOf)]);
  const pricer = await createPricer({ prices: project.prices });
  refuse(findUnpriced(plan, settings.maxCostUsd, Object.keys(project.prices), pricer, endpointOf));
  const variants = plan.suites.flatMap((suite) => suite.variants);
  const providers = new Map(variants.map(({ provider }) => [providerKey(provider), provider]));
  const describeProvider = (provider: ProviderConfig) => {
    const endpoint = endpointOf(provider);
    const price = pricer.ownPriceOf(pricedModel(provider, endpoint));
    return {
      ...describeAsked(provider, endpoint, ports.env),
      ...defined({ price, priceProvider: endpoint.priceProvider }),
    };
  };
  const { shard, ...unsharded } = selection;
  const whole = shard === undefined ? plan : buildPlan(project.suites, { selection: unsharded, ...planOptions });
  const recordedShard =
    shard === undefined
      ? undefined
      : describeShard(project, whole, { shard, unsharded, rendering, describeProvider, pairing: settings });
  return {
    ...defined({ shard: recordedShard }),
    plan,
    emptySelections: await findEmptySelections(project, selection),
    warnings: [...schemaProblems, ...findUnsent(asked, endpointOf)],
    isEmptyShard: plan.cellCount === 0 && whole.cellCount > 0,
    pricer,
    providerEnv,
    endpointOf,
    rendering,
    providers,
    recordsTools: options.recordTools === true,
    costOfRecorded: (variant, usage) =>
      pricer.priceOf({ usage, ...pricedModelOfVariant(variant, providers.values(), endpointOf) }),
    describeProvider,
  };
}

/** False if the suite's recordings answer. */
function isAsked({ recordings }: Suite, { record }: Pick<RunOptions, 'record'>): boolean {
  return recordings === undefined || record;
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UserError(problems);
}

/** Resolves each provider once. */
function createEndpoints(env: ProviderEnv): (provider: ProviderConfig) => Endpoint {
  const endpoints = new WeakMap<ProviderConfig, Endpoint>();
  return (provider) => {
    const known = endpoints.get(provider);
    if (known !== undefined) return known;
    const adapter = findAdapter(provider);
    if (adapter === undefined) throw new Error(`adapter ${provider.adapter} passed validation but is not registered`);
    const endpoint = { ...adapter.resolve(provider, env), ...defined({ settings: hashSettings(provider, env.env) }) };
    endpoints.set(provider, endpoint);
    return endpoint;
  };
}

/** A misspelt --prompt would make the selection empty, or smaller than the user expects. */
function findUnknownIds(
  suites: readonly Suite[],
  { selection, settings }: Pick<RunOptions, 'selection' | 'settings'>,
): Problem[] {
  const find = (flag: string, wanted: readonly string[], idsOf: (suite: Suite) => readonly string[]): Problem[] => {
    const known = new Set(suites.flatMap(idsOf));
    return wanted
      .filter((id) => !known.has(id) && suites.length > 0)
      .map((id) => {
        const similar = findNearest(id, [...known]);
        return {
          code: 'unknown-id',
          severity: 'error',
          message: `${flag} ${id}: no suite has it`,
          hint: similar === undefined ? `there are: ${[...known].join(', ')}` : `did you mean "${similar}"?`,
        };
      });
  };
  return [
    ...(settings.compare === undefined
      ? find('--prompt', selection.prompts, ({ prompts }) => prompts.map(({ id }) => id))
      : findUncomparable(settings.compare, suites, find)),
    ...find('--provider', selection.providers, ({ providers }) => providers.map(({ id }) => id)),
  ];
}

type FindUnknown = (flag: string, wanted: readonly string[], idsOf: (suite: Suite) => readonly string[]) => Problem[];

/** Finds unknown ids of `--compare`, which takes prompts or providers. */
function findUncomparable(compare: readonly string[], suites: readonly Suite[], find: FindUnknown): Problem[] {
  const promptsOf = ({ prompts }: Suite) => prompts.map(({ id }) => id);
  const providersOf = ({ providers }: Suite) => providers.map(({ id }) => id);
  const prompt = compare.find((id) => suites.some((suite) => promptsOf(suite).includes(id)));
  if (prompt === undefined) return find('--compare', compare, (suite) => [...promptsOf(suite), ...providersOf(suite)]);
  const isProvider = (id: string) =>
    suites.some((suite) => providersOf(suite).includes(id) && !promptsOf(suite).includes(id));
  return [
    ...compare.filter(isProvider).map(
      (id): Problem => ({
        code: 'usage',
        severity: 'error',
        message: `--compare ${id}: it is a provider, and ${prompt} is a prompt`,
        hint: 'compare prompts with prompts, or providers with providers',
      }),
    ),
    ...find(
      '--compare',
      compare.filter((id) => !isProvider(id)),
      promptsOf,
    ),
  ];
}

function findMissingRecordings({ project, record }: Pick<RunOptions, 'project' | 'record'>): Problem[] {
  if (!record) return [];
  return project.suites
    .filter(({ recordings }) => recordings === undefined)
    .map(({ id, path }) => ({
      code: 'recording',
      severity: 'error',
      message: `--record: suite ${id} (${path}) names no recordings file`,
      hint: 'add recordings: fixtures/<name>.jsonl to the suite',
    }));
}

/** Finds models without a known price, for which a cost limit can't be enforced. */
function findUnpriced(
  plan: Plan,
  maxCostUsd: number | undefined,
  priced: readonly string[],
  pricer: Pricer,
  endpointOf: (provider: ProviderConfig) => Endpoint,
): Problem[] {
  const problems: Problem[] = [];
  const named = new Set<string>();
  const check = (provider: ProviderConfig, why: string) => {
    if (named.has(`${why} ${provider.id}`) || pricer.hasPrice(pricedModel(provider, endpointOf(provider)))) return;
    named.add(`${why} ${provider.id}`);
    const nearest = findNearest(provider.model, priced) ?? findNearest(`${provider.adapter}:${provider.model}`, priced);
    problems.push({
      code: 'missing-price',
      severity: 'error',
      message: `no price is known for ${provider.adapter}:${provider.model}, so ${why} can't be held`,
      hint:
        nearest === undefined
          ? 'add price: { input: …, output: … } (USD per million tokens) to the provider, or prices: to the config'
          : `prices of the config names "${nearest}": write "${provider.model}" if it means this model`,
      ...defined({ at: provider.at }),
    });
  };
  for (const { suite, variants } of plan.suites) {
    const gate = suite.gate.cost;
    const hasGate = gate.max !== undefined || gate.maxIncrease !== undefined;
    // `--max-cost` covers judges too; the cost gate of a suite only looks at its variants.
    if (maxCostUsd !== undefined) for (const model of suite.askedModels) check(model, '--max-cost');
    if (maxCostUsd === undefined && !hasGate) continue;
    for (const { provider } of variants) check(provider, hasGate ? `the cost gate of suite ${suite.id}` : '--max-cost');
  }
  return problems;
}

/** Describes the settings of a provider under test. Streaming may change an answer too. */
function describeAsked(
  provider: ProviderConfig,
  endpoint: Pick<Endpoint, 'adapterVersion' | 'baseUrl'>,
  env: ProviderEnv['env'],
): ReturnType<typeof describeSettings> {
  const settings = describeSettings(provider, endpoint, env);
  return provider.stream === true ? { ...settings, options: { ...settings.options, stream: true } } : settings;
}

/** Describes providers before a run is planned. */
export function createProviderDescriber(
  env: ProviderEnv,
): (provider: ProviderConfig) => ReturnType<typeof describeSettings> {
  const endpointOf = createEndpoints(env);
  return (provider) => describeAsked(provider, endpointOf(provider), env.env);
}

/**
 * Describes the settings besides model and params that can change an answer: code, resolved address, options and
 * headers. Limits and prices change no answer.
 */
function describeSettings(
  provider: ProviderConfig,
  { adapterVersion, baseUrl, unfollowed }: Pick<Endpoint, 'adapterVersion' | 'baseUrl' | 'unfollowed'>,
  env: ProviderEnv['env'],
): Pick<RecordedVariant, 'adapterVersion' | 'baseUrl' | 'options' | 'isContentUnknown'> {
  const { headers, apiKeyEnv } = provider;
  const hasHeaders = Object.keys(headers).length > 0;
  const described = defined({ headers: hasHeaders ? describeHeaders(headers, env) : undefined, apiKeyEnv });
  const options: JsonObject = { ...provider.options, ...described };
  return {
    adapterVersion,
    ...defined({
      isContentUnknown: unfollowed === undefined ? undefined : (true as const),
      baseUrl: baseUrl === undefined ? undefined : withoutUserinfo(baseUrl),
      options: Object.keys(options).length === 0 ? undefined : options,
    }),
  };
}

/** A hash of what is sent beside the request's own members and can change the answer; undefined if that is nothing. */
function hashSettings({ headers, stream }: ProviderConfig, env: ProviderEnv['env']): string | undefined {
  if (Object.keys(headers).length === 0 && stream !== true) return undefined;
  return hashText(canonicalJson([describeHeaders(headers, env), stream === true]));
}

/** A value may be private, so its hash is kept. A key says who asks, so its value does not count, only its variable. */
function describeHeaders(headers: ProviderConfig['headers'], env: ProviderEnv['env']): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]): [string, string] => {
      const key = name.toLowerCase();
      if (typeof value === 'string') return [key, hashText(value)];
      const isKey = isSecretName(name) || isCredentialName(value.env);
      return [key, isKey ? `env:${value.env}` : hashText(env[value.env]?.trim() ?? '')];
    }),
  );
}

function hashText(text: string): string {
  return sha256Hex(text).slice(0, 16);
}
