import { defined } from '../json/defined.ts';
import type { ComparedSide, KeptAnswer } from '../model/comparison.ts';
import type { Usage } from '../model/completion.ts';
import type { CellRow, RecordedVariant } from '../model/record.ts';
import type { CaseSummary, RowSummary, VariantSummary } from '../model/summary.ts';

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
  options: VariantSideOptions,
): ComparedSide {
  const { source, readRow } = options;
  const models = new Set<string>();
  for (const { trials } of cases.values()) for (const { model } of trials) if (model !== undefined) models.add(model);
  return {
    source,
    recorded,
    cases,
    models: [...models].sort(),
    costOf: openCosts({ recorded, cases }, options),
    answerOf: (caseId) => keptAnswer(cases.get(caseId), readRow),
  };
}

/** Costs by the given table. What was booked is taken where it agrees with the table on the first answers. */
function openCosts(
  { recorded, cases }: Pick<VariantSummary, 'recorded' | 'cases'>,
  { costOf }: VariantSideOptions,
): NonNullable<ComparedSide['costOf']> {
  const price = (usage: Usage | undefined) => costOf(recorded, usage) ?? null;
  let isBookedAlike: boolean | undefined;
  return (row) => {
    if (row.costUsd === undefined) return undefined;
    isBookedAlike ??= firstAnswers(cases).every((answer) => isSameCost(answer.costUsd ?? null, price(answer.usage)));
    return isBookedAlike ? row.costUsd : price(row.usage);
  };
}

const sampledAnswers = 20;

function firstAnswers(cases: ReadonlyMap<string, CaseSummary>): readonly RowSummary[] {
  const answers: RowSummary[] = [];
  for (const { trials } of cases.values()) {
    for (const row of trials) if (row.costUsd !== undefined) answers.push(row);
    if (answers.length >= sampledAnswers) break;
  }
  return answers;
}

/** A conversation's cost is a sum in another order. */
function isSameCost(booked: number | null, priced: number | null): boolean {
  if (booked === null || priced === null) return booked === priced;
  return Math.abs(booked - priced) <= 1e-9 * Math.max(booked, priced);
}

function keptAnswer(found: CaseSummary | undefined, readRow: (rowIndex: number) => CellRow): KeptAnswer | undefined {
  const trial = found?.trials.find(({ status }) => status === 'passed' || status === 'failed') ?? found?.trials[0];
  if (found === undefined || trial === undefined) return undefined;
  const { output, toolCalls, checks, error } = readRow(trial.rowIndex);
  const reason = checks.find(({ pass }) => !pass)?.reason ?? error?.message;
  return {
    status: found.status,
    ...defined({ output, toolCalls, reason }),
  };
}
