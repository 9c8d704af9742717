import { answersFromStoreOnly } from '../../calls/calls.ts';
import { canonicalJson } from '../../json/canonical-json.ts';
import { defined } from '../../json/defined.ts';
import { describeJudges } from '../../judges/validated-judges.ts';
import { suiteVariantKey } from '../../model/run/cell.ts';
import type { Loosened, RunHeader, RunSettings } from '../../model/run/record.ts';
import { describeRecordedSuites } from '../../plan/describe-suites.ts';
import type { PlannedRun } from '../../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../../plan/run-options.ts';
import { findProvenance } from '../../project/git/find-provenance.ts';
import { maskVariant } from '../../record/mask-variant.ts';
import { sha256Hex } from '../../text/sha256.ts';
import type { Planning } from '../planning/plan-with-baselines.ts';

/** The header of a record: settings, suites and variants, without secrets. */
export function buildHeader(
  { options, planned, acceptedPrompts }: Planning,
  loosened: readonly Loosened[],
  ports: RunPorts,
): Omit<RunHeader, 'id'> {
  const { plan, describeProvider, emptySelections } = planned;
  const { root } = options.project;
  const suites = describeRecordedSuites(plan, {
    describeProvider,
    pairing: options.settings,
    judgesOf: (suite) => describeJudges(suite, root, ports.cwd),
    answersFromStoreOnly: (suite) => answersFromStoreOnly(suite, options),
    acceptedOf: (suite, { prompt, provider }) =>
      acceptedPrompts.get(suiteVariantKey({ suite: suite.id, prompt: prompt.id, provider: provider.id }))?.state,
  });
  return {
    type: 'run',
    format: 1,
    startedAt: ports.now().toISOString(),
    tool: { name: 'llmcheck', version: options.toolVersion },
    ...defined({ provenance: findProvenance(root, ports.env) }),
    settings: {
      ...settingsOf(options.settings, planned),
      isSelfContained: true,
      ...defined({
        early: options.early === undefined ? undefined : { order: findOrder(options.early, suites) },
        emptySelections: emptySelections.length === 0 ? undefined : emptySelections,
        loosened: loosened.length === 0 ? undefined : loosened,
      }),
    },
    invocation: options.invocation,
    suites: suites.map((suite) => ({
      ...suite,
      variants: suite.variants.map((variant) => maskVariant(variant, ports.mask)),
    })),
  };
}

/**
 * The seed of the random order of an early run: the given seed or, by default, a hash of models, parameters and
 * prompts. A changed prompt then gets a new order; the same prompt asks its cached cases again.
 */
function findOrder({ seed }: NonNullable<RunOptions['early']>, suites: RunHeader['suites']): string {
  if (seed !== undefined) return `${seed}`;
  const prompts = suites.map(({ suite, variants }) => [
    suite,
    ...variants.map(({ model, params, messages }) => [model, params, ...messages.map(({ content }) => content)]),
  ]);
  return sha256Hex(canonicalJson(prompts)).slice(0, 8);
}

/**
 * Leaves out the shard if no shard of the run has a case. An empty run is a mistake, but a single empty shard is not.
 * With --allow-empty, neither is, and the shards are merged as usual.
 */
function settingsOf(settings: RunSettings, { plan, isEmptyShard, shard }: PlannedRun): RunSettings {
  const { shard: _shard, ...unsharded } = settings;
  const isMistake = plan.cellCount === 0 && !isEmptyShard && !settings.allowEmpty;
  return isMistake ? unsharded : { ...settings, ...defined({ shard }) };
}
