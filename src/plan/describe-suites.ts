import { defined } from '../json/defined.ts';
import type { RecordedSuite, RecordedVariant } from '../model/record.ts';
import { mergeContracts, type ProviderConfig, type Suite, writeMessage } from '../model/suite.ts';
import type { Plan, PlannedSuite, PlannedVariant } from './build-plan.ts';

/** What a record keeps of its suites, so that it can be judged, compared and reported from itself. */
export function describeRecordedSuites(
  plan: Plan,
  describeProvider: (provider: ProviderConfig) => Pick<RecordedVariant, 'price' | 'priceProvider'>,
  compare: readonly string[] = [],
  uncalibratedOf: (suite: Suite) => readonly string[] = () => [],
): readonly RecordedSuite[] {
  // A filter that leaves a suite nothing leaves nothing to report of it, unless it left nothing at all.
  const selected = plan.suites.filter(({ selectedCases }) => selectedCases > 0);
  return (selected.length === 0 ? plan.suites : selected).map((planned) => ({
    ...describeUncalibrated(uncalibratedOf(planned.suite)),
    suite: planned.suite.id,
    path: planned.suite.path,
    gate: planned.suite.gate,
    outputs: planned.suite.baseline.outputs,
    filtered: planned.filtered,
    variants: planned.variants.map((variant) => ({
      ...describeVariant(planned, variant, compare),
      ...describeProvider(variant.provider),
    })),
  }));
}

function describeUncalibrated(sentences: readonly string[]): Pick<RecordedSuite, 'uncalibrated'> {
  return sentences.length === 0 ? {} : { uncalibrated: sentences };
}

function describeVariant(
  { suite }: PlannedSuite,
  variant: PlannedVariant,
  [first, ...others]: readonly string[],
): RecordedVariant {
  const { prompt, provider, params, planned, observed } = variant;
  const contract = mergeContracts(suite.contract, prompt.contract);
  // `--compare v1,v2` holds v2 against v1, whatever the suite says they replace.
  const replaces = first === undefined ? prompt.replaces : others.includes(prompt.id) ? first : undefined;
  return {
    prompt: prompt.id,
    provider: provider.id,
    adapter: provider.adapter,
    model: provider.model,
    ...defined({ baseUrl: provider.baseUrl }),
    params,
    messages: prompt.messages.map(writeMessage),
    ...defined({ replaces, baselineOf: prompt.baselineOf }),
    contract,
    planned,
    observed,
  };
}
