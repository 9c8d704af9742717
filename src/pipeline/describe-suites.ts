import type { RecordedSuite, RecordedVariant } from '../model/record.ts';
import type { Plan, PlannedSuite, PlannedVariant } from '../plan/build-plan.ts';

/** What a record keeps of its suites, so that it can be judged, compared and reported from itself. */
export function describeRecordedSuites(plan: Plan): readonly RecordedSuite[] {
  return plan.suites.map((planned) => ({
    suite: planned.suite.id,
    path: planned.suite.path,
    gate: planned.suite.gate,
    outputs: planned.suite.baseline.outputs,
    filtered: planned.filtered,
    variants: planned.variants.map((variant) => describeVariant(planned, variant)),
  }));
}

function describeVariant({ suite }: PlannedSuite, variant: PlannedVariant): RecordedVariant {
  const { prompt, provider, params, planned, observed } = variant;
  const contract = { ...suite.contract, ...prompt.contract };
  return {
    prompt: prompt.id,
    provider: provider.id,
    adapter: provider.adapter,
    model: provider.model,
    ...(provider.baseUrl === undefined ? {} : { baseUrl: provider.baseUrl }),
    params,
    messages: prompt.messages.map(({ role, template }) => ({ role, content: template.source })),
    ...(prompt.replaces === undefined ? {} : { replaces: prompt.replaces }),
    contract,
    planned,
    observed,
  };
}
