import { defined } from '../json/defined.ts';
import type { Baseline, BaselineVariant, VariantKey } from '../model/baseline.ts';
import type { ComparedSide, KeptAnswer } from '../model/comparison.ts';
import type { Usage } from '../model/completion.ts';

export interface BaselineSideOptions {
  /** In words, for the report. */
  readonly source: string;
  /** Both sides are priced by one table: a price that changed in between is not a change of the prompt. */
  readonly costOf: (variant: BaselineVariant, usage: Usage | undefined) => number | undefined;
}

/** A variant of a baseline file as one side of a comparison; undefined where the file does not have it. */
export function sideOfBaseline(
  baseline: Baseline,
  key: VariantKey,
  { source, costOf }: BaselineSideOptions,
): ComparedSide | undefined {
  const variant = baseline.variants.find(({ prompt, provider }) => prompt === key.prompt && provider === key.provider);
  if (variant === undefined) return undefined;
  const cases = baseline.casesOf(key);
  const { type: _type, models, ...recorded } = variant;
  return {
    source,
    recorded: { ...recorded, planned: cases.size, observed: 0 },
    cases,
    models,
    costOf: (row) => (row.costUsd === undefined ? undefined : (costOf(variant, row.usage) ?? null)),
    answerOf: (caseId) => keptAnswer(baseline, key, caseId),
  };
}

function keptAnswer(baseline: Baseline, key: VariantKey, caseId: string): KeptAnswer | undefined {
  const summary = baseline.casesOf(key).get(caseId);
  const found = summary === undefined ? undefined : baseline.readCase(key, caseId);
  if (found === undefined || summary === undefined) return undefined;
  const trial = found.trials.find(({ status }) => status === 'passed' || status === 'failed') ?? found.trials[0];
  const reason = trial?.checks.find(({ pass }) => !pass)?.reason;
  return {
    status: summary.status,
    ...(trial?.output === undefined ? {} : { output: trial.output }),
    ...(trial?.toolCalls === undefined ? {} : { toolCalls: trial.toolCalls }),
    ...defined({ reason }),
  };
}
