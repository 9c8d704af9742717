import { type AcceptedPrompt, asProvider, findAcceptedPrompt } from '../../baseline/accepted-prompts.ts';
import type { FindBaseline } from '../../model/comparison/baseline.ts';
import { besideKey, type StandIn } from '../../model/comparison/baseline.ts';
import { suiteVariantKey } from '../../model/run/cell.ts';
import type { PlannedVariant, RenderedVariant } from '../../model/run/plan.ts';
import type { ProviderConfig } from '../../model/suite/suite.ts';
import { describeSent, findReplaced } from '../../plan/describe-suites.ts';
import type { PlannedRun } from '../../plan/plan-run.ts';
import { pricedModel } from '../../plan/price-variants.ts';
import type { RunOptions } from '../../plan/run-options.ts';
import { maskVariant } from '../../record/mask-variant.ts';
import type { Mask } from '../../secrets/mask-secrets.ts';
import { loadTemplateEngine } from '../../templates/template.ts';
import { nameSent } from '../../verdict/variant-differences.ts';

export interface FindAcceptedPromptsOptions {
  readonly options: RunOptions;
  readonly findBaseline: FindBaseline;
  readonly mask: Mask;
}

/** The prompt that each variant is compared with, by `suiteVariantKey`; in the order of `compareCandidate` (verdict/compare-run.ts). */
export async function findAcceptedPrompts(
  planned: PlannedRun,
  { options, findBaseline, mask }: FindAcceptedPromptsOptions,
): Promise<ReadonlyMap<string, AcceptedPrompt>> {
  const { compare, swap } = options.settings;
  const refuseModel = (provider: ProviderConfig) => findRefusal(planned, provider, options);
  const found = new Map<string, AcceptedPrompt>();
  for (const { suite, variants } of planned.plan.suites) {
    const baseline = findBaseline(suite);
    if (baseline !== undefined) await loadTemplateEngine();
    const describe = (variant: RenderedVariant) =>
      maskVariant(describeSent(suite, variant, planned.describeProvider), mask);
    for (const variant of variants) {
      const { prompt, provider } = variant;
      const standIn = findReplaced(variant, options.settings);
      const other = findBeside(variant, variants, standIn);
      const beside: AcceptedPrompt | undefined = other && {
        state: { is: 'askable', of: nameSent(describe(other)) },
        variant: renamed(other, variant),
      };
      const isNamed = swap !== undefined || other?.prompt.id === compare?.[0];
      const isBaseline = other !== undefined && (other.prompt.baselineOf !== undefined || isNamed);
      const accepted = isBaseline
        ? beside
        : (findAcceptedPrompt(suite, variant, baseline, { refuseModel, describe, mask, standIn }) ?? beside);
      if (accepted !== undefined)
        found.set(suiteVariantKey({ suite: suite.id, prompt: prompt.id, provider: provider.id }), accepted);
    }
  }
  return found;
}

/** Tells why a model that only the accepted prompt uses can't be asked. */
function findRefusal(
  { endpointOf, pricer }: PlannedRun,
  provider: ProviderConfig,
  { queue, settings }: RunOptions,
): string | undefined {
  const { model } = provider;
  if (queue !== undefined) return `no worker asks ${model}`;
  const isPriced = settings.maxCostUsd === undefined || pricer.hasPrice(pricedModel(provider, endpointOf(provider)));
  return isPriced ? undefined : `no price is known for ${model}, so --max-cost can't be held`;
}

/** The variant of the run to compare with: the baseline's prompt, run again, or the replaced variant. */
function findBeside(
  variant: PlannedVariant,
  variants: readonly PlannedVariant[],
  standIn: StandIn,
): PlannedVariant | undefined {
  const { prompt, provider } = variant;
  const key = besideKey(standIn);
  const others = variants.filter((other) => other !== variant && other.planned > 0);
  return (
    others.find((other) => other.prompt.baselineOf === prompt.id && other.provider.id === provider.id) ??
    others.find(
      (other) =>
        other.prompt.id === key.prompt && other.provider.id === key.provider && other.prompt.baselineOf === undefined,
    )
  );
}

/** Gives the accepted variant the candidate's ids, because the rows of both sides have these ids. */
function renamed({ prompt, provider, params }: PlannedVariant, candidate: PlannedVariant): RenderedVariant {
  const { baselineOf: _baselineOf, ...rest } = prompt;
  return {
    prompt: { ...rest, id: candidate.prompt.id },
    provider: asProvider(provider, candidate.provider.id),
    params,
  };
}
