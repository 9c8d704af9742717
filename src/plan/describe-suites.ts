import { createHash } from 'node:crypto';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { StandIn } from '../model/comparison/baseline.ts';
import { type PlannedSuite, type PlannedVariant, type RenderedVariant } from '../model/run/plan.ts';
import type {
  AcceptedPromptState,
  RecordedShard,
  RecordedSuite,
  RecordedVariant,
  RunSettings,
} from '../model/run/record.ts';
import { type GatePolicy } from '../model/suite/gate-policy.ts';
import {
  type Case,
  mergeContracts,
  type Project,
  type PromptVersion,
  type ProviderConfig,
  type Suite,
  slicesOf,
  writeMessage,
} from '../model/suite/suite.ts';
import type { Plan } from './build-plan.ts';
import { createDependencyHash, type DependencyHashOptions } from './render-cells.ts';
import { buildCasePredicate, isNarrowed, type Selection } from './select-cases.ts';

export interface DescribeOptions {
  readonly describeProvider: (
    provider: ProviderConfig,
  ) => Pick<RecordedVariant, 'price' | 'priceProvider' | 'adapterVersion' | 'baseUrl' | 'options' | 'isContentUnknown'>;
  /** The comparison within the run that the user requested. */
  readonly pairing?: Pairing;
  /** The measurements of a suite's judges. */
  readonly judgesOf?: (suite: Suite) => Pick<RecordedSuite, 'unvalidated' | 'judges'>;
  /** True if the suite gets only stored answers, so that asking again gives the same answer. */
  readonly answersFromStoreOnly?: (suite: Suite) => boolean;
  /** The state of the prompt that a variant is compared with. */
  readonly acceptedOf?: (suite: Suite, variant: PlannedVariant) => AcceptedPromptState | undefined;
}

/** The data of suites for a record. With it, the record can be judged, compared and reported without the suites. */
export function describeRecordedSuites(plan: Plan, options: DescribeOptions): readonly RecordedSuite[] {
  const { judgesOf = () => ({}), answersFromStoreOnly, acceptedOf } = options;
  // A suite without a selected case is not reported, unless no suite has one.
  const selected = plan.suites.filter(({ selectedCases }) => selectedCases > 0);
  return (selected.length === 0 ? plan.suites : selected).map((planned) => {
    const { suite, filtered, variants } = planned;
    return {
      suite: suite.id,
      path: suite.path,
      gate: suite.gate,
      ...defined({ classes: suite.classes }),
      outputs: suite.baseline.outputs,
      filtered,
      ...defined({ replayed: answersFromStoreOnly?.(suite) === true || undefined }),
      ...judgesOf(suite),
      variants: variants.map((variant) => ({
        ...describeVariant(planned, variant, options),
        ...defined({ acceptedPrompt: acceptedOf?.(suite, variant) }),
      })),
    };
  });
}

function describeVariant(
  { suite }: PlannedSuite,
  variant: PlannedVariant,
  { pairing = {}, describeProvider }: DescribeOptions,
): RecordedVariant {
  const { prompt, provider, planned, observed } = variant;
  const { replaces, replacesProvider } = findReplaced(variant, pairing);
  return {
    prompt: prompt.id,
    provider: provider.id,
    ...describeSent(suite, variant, describeProvider),
    ...defined({ replaces, replacesProvider, baselineOf: prompt.baselineOf }),
    planned,
    observed,
  };
}

/** `--compare` and `--swap` of a run. */
export type Pairing = Pick<RunSettings, 'compare' | 'swap'>;

interface Variant {
  readonly prompt: Pick<PromptVersion, 'id' | 'replaces'>;
  readonly provider: Pick<ProviderConfig, 'id' | 'replaces'>;
}

/**
 * The prompt and provider that a variant replaces. `--compare v1,v2` compares v2 with v1, regardless of `replaces` in
 * the suite.
 */
export function findReplaced({ prompt, provider }: Variant, { compare = [], swap }: Pairing): StandIn {
  const own = { prompt: prompt.id, provider: provider.id };
  if (swap !== undefined) {
    const swapped = swap.find(({ candidates }) => candidates.includes(provider.id));
    return { ...own, replacesProvider: swapped?.provider };
  }
  const [first, ...others] = compare;
  if (first !== undefined) return { ...own, replaces: others.includes(prompt.id) ? first : undefined };
  return { ...own, replaces: prompt.replaces, replacesProvider: provider.replaces };
}

/** The part of a variant's description that can change an answer or a price. */
export function describeSent(
  suite: Suite,
  { prompt, provider, params }: RenderedVariant,
  describeProvider: DescribeOptions['describeProvider'],
): Omit<RecordedVariant, 'prompt' | 'provider' | 'planned' | 'observed'> {
  const described = describeProvider(provider);
  const isContentUnknown = described.isContentUnknown === true || suite.sources.unfollowed !== undefined;
  return {
    adapter: provider.adapter,
    model: provider.model,
    params,
    messages: prompt.messages.map(writeMessage),
    contract: mergeContracts(suite.contract, prompt.contract),
    ...described,
    ...defined({ isContentUnknown: isContentUnknown || undefined }),
  };
}

export interface ShardOptions extends DescribeOptions {
  readonly shard: NonNullable<Selection['shard']>;
  readonly unsharded: Omit<Selection, 'shard'>;
  readonly rendering: DependencyHashOptions;
}

/** Hashes the whole run's selection and plan. Shards are merged only if both are equal. */
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
      selectionHash.update(`${suite.id}\u0000${testCase.id}\u0000${testCase.caseHash}${hashDependencies(testCase)}\n`);
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

/** The trials of a case, and the settings that its hash does not include. */
function describePlannedCase(testCase: Case, gate: GatePolicy, trials: number = testCase.trials): string {
  const { mustPass, observe, skip = null, threshold = null, prompts = null, providers = null } = testCase;
  const group = testCase.group === undefined ? [] : [testCase.group];
  const slices = slicesOf(testCase, gate)?.map((slice) => ({ slice })) ?? [];
  const truth = testCase.truth === undefined ? [] : [{ truth: testCase.truth }];
  const settings = [trials, mustPass, observe, skip, threshold, prompts, providers, ...group, ...slices, ...truth];
  return `${JSON.stringify(settings)}\n`;
}
