import { createHash } from 'node:crypto';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { JsonObject } from '../json/json.ts';
import type { AcceptedPromptState, RecordedShard, RecordedSuite, RecordedVariant } from '../model/record.ts';
import {
  type Case,
  type GatePolicy,
  mergeContracts,
  type Project,
  type ProviderConfig,
  type Suite,
  slicesOf,
  writeMessage,
} from '../model/suite.ts';
import type { Plan, PlannedSuite, PlannedVariant } from './build-plan.ts';
import { createDependencyHash, type DependencyHashOptions } from './cell-hash.ts';
import { buildCasePredicate, isNarrowed, type Selection } from './select-cases.ts';

export interface DescribeOptions {
  readonly describeProvider: (
    provider: ProviderConfig,
  ) => Pick<RecordedVariant, 'price' | 'priceProvider' | 'adapterVersion'>;
  /** `--compare`: the first is the baseline of the others. */
  readonly compare?: readonly string[] | undefined;
  /** What is known of a suite's judges. */
  readonly judgesOf?: (suite: Suite) => Pick<RecordedSuite, 'uncalibrated' | 'judges'>;
  /** True where asking again gives the same answer. */
  readonly isReplayed?: (suite: Suite) => boolean;
  /** What is known of the prompt that a variant is compared with. */
  readonly acceptedOf?: (suite: Suite, variant: PlannedVariant) => AcceptedPromptState | undefined;
}

/** What a record keeps of its suites, so that it can be judged, compared and reported without them. */
export function describeRecordedSuites(plan: Plan, options: DescribeOptions): readonly RecordedSuite[] {
  const { describeProvider, compare = [], judgesOf = () => ({}), isReplayed, acceptedOf } = options;
  // A suite without a selected case is not reported, unless no suite has one.
  const selected = plan.suites.filter(({ selectedCases }) => selectedCases > 0);
  return (selected.length === 0 ? plan.suites : selected).map((planned) => {
    const { suite, filtered, variants } = planned;
    return {
      suite: suite.id,
      path: suite.path,
      gate: suite.gate,
      outputs: suite.baseline.outputs,
      filtered,
      ...(isReplayed?.(suite) === true ? { replayed: true as const } : {}),
      ...judgesOf(suite),
      variants: variants.map((variant) => ({
        ...describeVariant(planned, variant, compare),
        ...describeProvider(variant.provider),
        ...defined({ acceptedPrompt: acceptedOf?.(suite, variant) }),
      })),
    };
  });
}

function describeVariant(
  { suite }: PlannedSuite,
  { prompt, provider, params, planned, observed }: PlannedVariant,
  [first, ...others]: readonly string[],
): RecordedVariant {
  // `--compare v1,v2` compares v2 with v1, whatever the suite says they replace.
  const replaces = first === undefined ? prompt.replaces : others.includes(prompt.id) ? first : undefined;
  return {
    prompt: prompt.id,
    provider: provider.id,
    adapter: provider.adapter,
    model: provider.model,
    ...defined({ baseUrl: provider.baseUrl }),
    params,
    ...defined({ options: describeOptions(provider) }),
    messages: prompt.messages.map(writeMessage),
    ...defined({ replaces, baselineOf: prompt.baselineOf }),
    contract: mergeContracts(suite.contract, prompt.contract),
    planned,
    observed,
  };
}

/** Settings of a provider beside its params that change what is sent, or to whom. Undefined where it has none. */
export function describeOptions({ options, headers, apiKeyEnv }: ProviderConfig): JsonObject | undefined {
  const hasHeaders = Object.keys(headers).length > 0;
  const described = { ...options, ...defined({ headers: hasHeaders ? headers : undefined, apiKeyEnv }) };
  return Object.keys(described).length === 0 ? undefined : described;
}

export interface ShardOptions extends DescribeOptions {
  readonly shard: NonNullable<Selection['shard']>;
  readonly unsharded: Omit<Selection, 'shard'>;
  readonly rendering: DependencyHashOptions;
}

/** Hashes the whole run's selection and plan: shards are merged only where both are the same. */
export function describeShard(
  { suites }: Project,
  whole: Plan,
  { shard, unsharded, rendering, ...options }: ShardOptions,
): RecordedShard {
  const isSelected = buildCasePredicate(suites, unsharded);
  const isOwn = buildCasePredicate(suites, { ...unsharded, shard });
  const selectionHash = createHash('sha256');
  const planHash = createHash('sha256').update(canonicalJson(describeRecordedSuites(whole, options)));
  const otherCases = new Map<string, number>();
  for (const suite of suites) {
    const hashDependencies = createDependencyHash(suite, rendering);
    for (const testCase of suite.cases()) {
      if (!isSelected(suite, testCase)) continue;
      selectionHash.update(`${suite.id}\u0000${testCase.id}\u0000${testCase.stamp}${hashDependencies(testCase)}\n`);
      planHash.update(describePlannedCase(testCase, suite.gate, unsharded.trials));
      const isJudged = testCase.skip === undefined && !testCase.observe;
      if (isJudged && !isOwn(suite, testCase)) otherCases.set(suite.id, (otherCases.get(suite.id) ?? 0) + 1);
    }
  }
  const { index, count } = shard;
  return {
    index,
    count,
    selection: selectionHash.digest('hex').slice(0, 16),
    plan: planHash.digest('hex').slice(0, 16),
    filtered: isNarrowed(unsharded),
    otherCases: Object.fromEntries(otherCases),
  };
}

/** The trials of a case, and the settings that its stamp does not hold. */
function describePlannedCase(testCase: Case, gate: GatePolicy, trials: number = testCase.trials): string {
  const { mustPass, observe, skip = null, threshold = null, prompts = null, providers = null } = testCase;
  const group = testCase.group === undefined ? [] : [testCase.group];
  const slices = slicesOf(testCase, gate)?.map((slice) => ({ slice })) ?? [];
  return `${JSON.stringify([trials, mustPass, observe, skip, threshold, prompts, providers, ...group, ...slices])}\n`;
}
