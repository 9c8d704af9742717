import { defined } from '../json/defined.ts';
import type { Baseline, BaselineVariant, VariantKey } from '../model/baseline.ts';
import type { ComparedSide, KeptAnswer } from '../model/comparison.ts';
import type { Usage } from '../model/completion.ts';
import type { CellRow, RecordedVariant } from '../model/record.ts';
import type { CaseSummary, RowSummary, VariantSummary } from '../model/summary.ts';

export interface BaselineSideOptions {
  /** In words, for the report. */
  readonly source: string;
  /** Prices both sides by one table, so that a changed price is no change of the prompt. Undefined where no price is known. */
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
    checksOf: ({ caseId, trial }) =>
      baseline.readCase(key, caseId)?.trials.find((found) => found.trial === trial)?.checks ?? [],
    answerOf(caseId) {
      const found = cases.get(caseId);
      const trials = found === undefined ? [] : (baseline.readCase(key, caseId)?.trials ?? []);
      const trial = firstJudged(trials);
      if (found === undefined || trial === undefined) return undefined;
      return keptAnswer(found, { ...trial, reason: undefined });
    },
  };
}

export interface VariantSideOptions {
  /** In words, for the report. */
  readonly source: string;
  readonly readRow: (rowIndex: number) => CellRow;
  /** Prices both sides by one table. Undefined where no price is known. */
  readonly costOf: (variant: RecordedVariant, usage: Usage | undefined) => number | undefined;
}

/** A variant of a run record as one side of a comparison. Its answers are read when a report shows them. */
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
    costOf: createCostOf(cases, (usage) => costOf(recorded, usage) ?? null),
    checksOf: ({ rowIndex }) => readRow(rowIndex).checks,
    answerOf(caseId) {
      const found = cases.get(caseId);
      const trial = firstJudged(found?.trials ?? []);
      if (found === undefined || trial === undefined) return undefined;
      const row = readRow(trial.rowIndex);
      return keptAnswer(found, { ...row, reason: row.error?.message });
    },
  };
}

/** Costs by the given table. Stored costs are used where they agree with the table on the first answers. */
function createCostOf(
  cases: ReadonlyMap<string, CaseSummary>,
  price: (usage: Usage | undefined) => number | null,
): NonNullable<ComparedSide['costOf']> {
  let agrees: boolean | undefined;
  return (row) => {
    if (row.costUsd === undefined) return undefined;
    agrees ??= firstAnswers(cases).every((answer) => isSameCost(answer.costUsd ?? null, price(answer.usage)));
    return agrees ? row.costUsd : price(row.usage);
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

/** The sum over a conversation's calls may be in another order. */
function isSameCost(stored: number | null, priced: number | null): boolean {
  if (stored === null || priced === null) return stored === priced;
  return Math.abs(stored - priced) <= 1e-9 * Math.max(stored, priced);
}

function firstJudged<Trial extends Pick<RowSummary, 'status'>>(trials: readonly Trial[]): Trial | undefined {
  return trials.find(({ status }) => status === 'passed' || status === 'failed') ?? trials[0];
}

/** `reason` is why there is no verdict; a failed check goes before it. */
function keptAnswer(
  { status }: CaseSummary,
  {
    output,
    toolCalls,
    checks,
    reason: error,
  }: Pick<CellRow, 'output' | 'toolCalls' | 'checks'> & { readonly reason: string | undefined },
): KeptAnswer {
  const reason = checks.find(({ pass }) => !pass)?.reason ?? error;
  return { status, ...defined({ output, toolCalls, reason }) };
}
