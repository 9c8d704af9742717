import type { KeptAnswer } from '../model/case-change.ts';
import type { ComparedSide } from '../model/comparison.ts';
import type { Usage } from '../model/completion.ts';
import type { CellRow, RecordedVariant } from '../model/record.ts';
import type { CaseSummary, VariantSummary } from '../model/summary.ts';

export interface VariantSideOptions {
  /** In words, for the report. */
  readonly source: string;
  readonly readRow: (rowIndex: number) => CellRow;
  /** Both sides are priced by one table; undefined where no price is known. */
  readonly costOf: (variant: RecordedVariant, usage: Usage | undefined) => number | undefined;
}

/** A variant of a run record as one side of a comparison; answers are read back when somebody wants to see them. */
export function sideOfVariant(
  { recorded, cases }: Pick<VariantSummary, 'recorded' | 'cases'>,
  { source, readRow, costOf }: VariantSideOptions,
): ComparedSide {
  const models = new Set<string>();
  for (const { trials } of cases.values()) for (const { model } of trials) if (model !== undefined) models.add(model);
  return {
    source,
    recorded,
    cases,
    models: [...models].sort(),
    costOf: ({ costUsd, usage }) => (costUsd === undefined ? undefined : (costOf(recorded, usage) ?? null)),
    answerOf: (caseId) => keptAnswer(cases.get(caseId), readRow),
  };
}

function keptAnswer(found: CaseSummary | undefined, readRow: (rowIndex: number) => CellRow): KeptAnswer | undefined {
  const trial = found?.trials.find(({ status }) => status === 'passed' || status === 'failed') ?? found?.trials[0];
  if (found === undefined || trial === undefined) return undefined;
  const { output, toolCalls, checks, error } = readRow(trial.rowIndex);
  const reason = checks.find(({ pass }) => !pass)?.reason ?? error?.message;
  return {
    status: found.status,
    ...(output === undefined ? {} : { output }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(reason === undefined ? {} : { reason }),
  };
}
