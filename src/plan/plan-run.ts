import { createHash } from 'node:crypto';
import { contractCheck } from '../assertions/structure/json-schema.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { Usage } from '../model/completion.ts';
import { UserError } from '../model/errors.ts';
import type { Problem } from '../model/problem.ts';
import type { Endpoint, ProviderEnv } from '../model/provider.ts';
import type { RecordedShard, RecordedVariant } from '../model/record.ts';
import type { Case, EmptySelection, Project, ProviderConfig, Suite } from '../model/suite.ts';
import { createPricer, type PricedModel, type Pricer } from '../prices/create-pricer.ts';
import { hashEnv } from '../providers/code/hash-code.ts';
import { findAdapter } from '../providers/index.ts';
import { findNearest } from '../text/did-you-mean.ts';
import { type AskedIdentityOptions, createAskedIdentity } from './asked-identity.ts';
import { createAttachments } from './attachments.ts';
import { buildPlan, laneId, type Plan, type PlanOptions } from './build-plan.ts';
import { describeRecordedSuites } from './describe-suites.ts';
import { findEmptySelections } from './find-empty-selections.ts';
import type { RunOptions, RunPorts } from './run-options.ts';
import { buildCasePredicate, casesOf, isNarrowed, refuseSlowFilters, type Selection } from './select-cases.ts';

/** A plan with what its calls need to be priced and sent. */
export interface PlannedRun {
  readonly plan: Plan;
  /** True where only the shard has no cells: the selection as a whole does. */
  readonly isEmptyShard: boolean;
  readonly emptySelections: readonly EmptySelection[];
  /** What a record says of the part that this is. */
  readonly shard?: RecordedShard;
  readonly pricer: Pricer;
  readonly providerEnv: ProviderEnv;
  readonly endpointOf: (provider: ProviderConfig) => Endpoint;
  readonly hashEnv: PlanOptions['hashEnv'];
  readonly describeFile: PlanOptions['describeFile'];
  /** By one price table for answers of today and of a baseline; undefined where no price is known. */
  readonly costOfRecorded: (variant: PricedVariant, usage: Usage | undefined) => number | undefined;
  /** What a record keeps of a provider's price. */
  readonly describeProvider: (provider: ProviderConfig) => Pick<RecordedVariant, 'price' | 'priceProvider'>;
  /** The variants' providers by lane. */
  readonly providers: ReadonlyMap<string, ProviderConfig>;
}

/** Plans a run, or names every reason why it can't be planned; nothing is sent. */
export async function planRun(
  options: Pick<RunOptions, 'project' | 'knownSuites' | 'selection' | 'settings' | 'record'>,
  ports: Pick<RunPorts, 'env'>,
): Promise<PlannedRun> {
  const { project, selection } = options;
  const providerEnv = { env: ports.env, projectRoot: project.root };
  const endpoints = new WeakMap<ProviderConfig, Endpoint>();
  const endpointOf = (provider: ProviderConfig): Endpoint => {
    let endpoint = endpoints.get(provider);
    if (endpoint === undefined) {
      endpoint = resolveEndpoint(provider, providerEnv);
      endpoints.set(provider, endpoint);
    }
    return endpoint;
  };
  const problems = [
    ...findUnknownIds(options.knownSuites ?? project.suites, selection),
    ...findMissingRecordings(options),
  ];
  if (problems.length > 0) throw new UserError(problems);
  refuseSlowFilters(selection.filters, casesOf(project.suites));
  const firstPrompt = options.settings.compare?.[0];
  const attachments = createAttachments(project.root);
  const describeFile: PlanOptions['describeFile'] = (suite, path) => attachments.describeFile(suite, path);
  const planOptions = {
    endpointOf,
    hashEnv: (names: readonly string[]) => hashEnv(ports.env, names),
    contractCheck,
    describeFile,
    ...defined({ firstPrompt }),
  };
  const plan = buildPlan(project.suites, { selection, ...planOptions });
  const unfit = attachments.findProblems(plan);
  if (unfit.length > 0) throw new UserError(unfit);
  const pricer = await createPricer({ prices: project.prices });
  const providers = new Map<string, ProviderConfig>();
  for (const { variants } of plan.suites) {
    for (const { provider } of variants) providers.set(laneId(provider), provider);
  }
  const unpriced = findUnpriced(plan, options.settings.maxCostUsd, pricer, endpointOf);
  if (unpriced.length > 0) throw new UserError(unpriced);
  const describeProvider: PlannedRun['describeProvider'] = (provider) => {
    const endpoint = endpointOf(provider);
    const { priceProvider } = endpoint;
    const price = pricer.ownPriceOf(pricedModel(provider, endpoint));
    return {
      ...defined({ price, priceProvider }),
    };
  };
  const { shard, ...unsharded } = selection;
  const whole = shard === undefined ? plan : buildPlan(project.suites, { selection: unsharded, ...planOptions });
  const described = () => canonicalJson(describeRecordedSuites(whole, describeProvider, options.settings.compare));
  return {
    ...(shard === undefined
      ? {}
      : { shard: describeShard(project, { shard, unsharded, variants: described(), asked: planOptions }) }),
    plan,
    emptySelections: await findEmptySelections(project, selection),
    isEmptyShard: shard !== undefined && plan.cellCount === 0 && whole.cellCount > 0,
    pricer,
    providerEnv,
    endpointOf,
    hashEnv: planOptions.hashEnv,
    describeFile,
    providers,
    costOfRecorded: (variant, usage) => pricer.priceOf({ usage, ...findPricedModel(variant, providers, endpointOf) }),
    describeProvider,
  };
}

interface ShardOptions {
  readonly shard: NonNullable<Selection['shard']>;
  readonly unsharded: Omit<Selection, 'shard'>;
  /** All that the whole run's variants are, as text. */
  readonly variants: string;
  readonly asked: AskedIdentityOptions;
}

/** Shards of another state of the suites, or of another selection, must not be taken for parts of one run. */
function describeShard({ suites }: Project, { shard, unsharded, variants, asked }: ShardOptions): RecordedShard {
  const isSelected = buildCasePredicate(suites, unsharded);
  const isOwn = buildCasePredicate(suites, { ...unsharded, shard });
  const hash = createHash('sha256');
  const plan = createHash('sha256').update(variants);
  const otherCases = new Map<string, number>();
  for (const suite of suites) {
    const askedIdentity = createAskedIdentity(suite, asked);
    for (const testCase of suite.cases()) {
      if (!isSelected(suite, testCase)) continue;
      hash.update(`${suite.id}\u0000${testCase.id}\u0000${testCase.stamp}${askedIdentity(testCase)}\n`);
      plan.update(describePlannedCase(testCase, unsharded.trials));
      const isJudged = testCase.skip === undefined && !testCase.observe;
      if (isJudged && !isOwn(suite, testCase)) otherCases.set(suite.id, (otherCases.get(suite.id) ?? 0) + 1);
    }
  }
  const { index, count } = shard;
  return {
    index,
    count,
    selection: hash.digest('hex').slice(0, 16),
    plan: plan.digest('hex').slice(0, 16),
    filtered: isNarrowed(unsharded),
    otherCases: Object.fromEntries(otherCases),
  };
}

/** What of a case its stamp does not hold, and its trials. */
function describePlannedCase(testCase: Case, trials: number = testCase.trials): string {
  const { mustPass, observe, skip = null, threshold = null, prompts = null, providers = null } = testCase;
  return `${JSON.stringify([trials, mustPass, observe, skip, threshold, prompts, providers])}\n`;
}

/** A variant of a record or baseline, as far as its price goes. */
export type PricedVariant = Pick<RecordedVariant, 'provider' | 'adapter' | 'model' | 'price' | 'priceProvider'>;

/** A stored answer is priced like today's of the same provider and model; of another model by what is known of that. */
function findPricedModel(
  variant: PricedVariant,
  providers: ReadonlyMap<string, ProviderConfig>,
  endpointOf: (provider: ProviderConfig) => Endpoint,
): PricedModel {
  for (const provider of providers.values()) {
    if (provider.id === variant.provider && provider.adapter === variant.adapter && provider.model === variant.model) {
      return pricedModel(provider, endpointOf(provider));
    }
  }
  const { provider, adapter, model, price, priceProvider = adapter } = variant;
  return { providerId: provider, adapter, model, priceProvider, ...defined({ ownPrice: price }) };
}

/** What the price table is asked for. */
export function pricedModel(provider: ProviderConfig, endpoint: Endpoint): PricedModel {
  return {
    providerId: provider.id,
    adapter: provider.adapter,
    model: provider.model,
    ...defined({ priceProvider: endpoint.priceProvider, ownPrice: provider.price }),
  };
}

function resolveEndpoint(provider: ProviderConfig, env: ProviderEnv): Endpoint {
  const adapter = findAdapter(provider);
  if (adapter === undefined) throw new Error(`adapter ${provider.adapter} passed validation but is not registered`);
  return adapter.resolve(provider, env);
}

/** A misspelt --prompt would leave a selection empty, or smaller than its user believes. */
function findUnknownIds(suites: readonly Suite[], selection: RunOptions['selection']): Problem[] {
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
    ...find('--prompt', selection.prompts, ({ prompts }) => prompts.map(({ id }) => id)),
    ...find('--provider', selection.providers, ({ providers }) => providers.map(({ id }) => id)),
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

/** A limit on money that nobody can count is no limit. */
function findUnpriced(
  plan: Plan,
  maxCostUsd: number | undefined,
  pricer: Pricer,
  endpointOf: (provider: ProviderConfig) => Endpoint,
): Problem[] {
  const problems: Problem[] = [];
  const named = new Set<string>();
  const check = (provider: ProviderConfig, why: string) => {
    if (named.has(`${why} ${provider.id}`) || pricer.hasPrice(pricedModel(provider, endpointOf(provider)))) return;
    named.add(`${why} ${provider.id}`);
    problems.push({
      code: 'missing-price',
      severity: 'error',
      message: `no price is known for ${provider.adapter}:${provider.model}, so ${why} can't be held`,
      hint: 'add price: { input: …, output: … } (USD per million tokens) to the provider, or prices: to the config',
      ...defined({ at: provider.at }),
    });
  };
  for (const { suite, variants } of plan.suites) {
    const gate = suite.gate.cost;
    const hasGate = gate.max !== undefined || gate.maxIncrease !== undefined;
    // Judges cost money, and their cost is booked apart from what a variant's gate looks at.
    if (maxCostUsd !== undefined) for (const model of suite.askedModels) check(model, '--max-cost');
    if (maxCostUsd === undefined && !hasGate) continue;
    for (const { provider } of variants) check(provider, hasGate ? `the cost gate of suite ${suite.id}` : '--max-cost');
  }
  return problems;
}
