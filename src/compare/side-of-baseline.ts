import type { Baseline, BaselineCase, BaselineTrial, BaselineVariant } from '../model/baseline.ts';
import type { KeptAnswer } from '../model/case-change.ts';
import type { CaseStatus } from '../model/cell.ts';
import type { ComparedSide } from '../model/comparison.ts';
import type { Usage } from '../model/completion.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';

export interface BaselineSideOptions {
  /** In words, for the report. */
  readonly source: string;
  /** Both sides are priced by one table: a price that changed in between is not a change of the prompt. */
  readonly costOf: (variant: BaselineVariant, usage: Usage | undefined) => number | undefined;
  readonly caseStatusOf: (trials: readonly Pick<RowSummary, 'status'>[]) => CaseStatus;
}

/** A variant of a baseline file as one side of a comparison; undefined where the file does not have it. */
export function sideOfBaseline(
  baseline: Baseline,
  key: { readonly prompt: string; readonly provider: string },
  options: BaselineSideOptions,
): ComparedSide | undefined {
  const variant = baseline.variants.find(({ prompt, provider }) => prompt === key.prompt && provider === key.provider);
  if (variant === undefined) return undefined;
  const cases = new Map<string, CaseSummary>();
  for (const found of baseline.cases) {
    if (found.prompt !== key.prompt || found.provider !== key.provider) continue;
    const rows = (trials: readonly BaselineTrial[], confirmation: boolean) =>
      trials.map((trial) => toRow(baseline, variant, found, trial, confirmation, options));
    const trials = rows(found.trials, false);
    cases.set(found.caseId, {
      caseId: found.caseId,
      status: options.caseStatusOf(trials),
      observe: false,
      mustPass: found.mustPass === true,
      stamp: found.stamp,
      trials,
      confirmations: rows(found.confirmations ?? [], true),
    });
  }
  const { type: _type, models, ...recorded } = variant;
  const byId = new Map(
    baseline.cases
      .filter(({ prompt, provider }) => prompt === key.prompt && provider === key.provider)
      .map((found) => [found.caseId, found]),
  );
  return {
    source: options.source,
    recorded: { ...recorded, planned: cases.size, observed: 0 },
    cases,
    models,
    answerOf: (caseId) => keptAnswer(byId.get(caseId), cases.get(caseId)),
  };
}

function toRow(
  { suite }: Baseline,
  variant: BaselineVariant,
  { prompt, provider, caseId, stamp, mustPass }: BaselineCase,
  trial: BaselineTrial,
  confirmation: boolean,
  { costOf }: BaselineSideOptions,
): RowSummary {
  const { status, score, latencyMs, usage, answerHash } = trial;
  return {
    suite,
    prompt,
    provider,
    caseId,
    trial: trial.trial,
    stamp,
    status,
    observe: false,
    mustPass: mustPass === true,
    confirmation,
    cached: true,
    score,
    latencyMs,
    costUsd: answerHash === undefined ? undefined : (costOf(variant, usage) ?? null),
    spentUsd: 0,
    judgeCostUsd: 0,
    skipReason: undefined,
    answerHash,
    model: undefined,
    rowIndex: -1,
  };
}

function keptAnswer(found: BaselineCase | undefined, summary: CaseSummary | undefined): KeptAnswer | undefined {
  if (found === undefined || summary === undefined) return undefined;
  const trial = found.trials.find(({ status }) => status === 'passed' || status === 'failed') ?? found.trials[0];
  const reason = trial?.checks.find(({ pass }) => !pass)?.reason;
  return {
    status: summary.status,
    ...(trial?.output === undefined ? {} : { output: trial.output }),
    ...(trial?.toolCalls === undefined ? {} : { toolCalls: trial.toolCalls }),
    ...(reason === undefined ? {} : { reason }),
  };
}
