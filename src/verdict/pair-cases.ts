import { defined } from '../json/defined.ts';
import type { Baseline, BaselineVariant, VariantKey } from '../model/comparison/baseline.ts';
import type {
  CaseChange,
  ComparedCase,
  ComparedCases,
  ComparedSide,
  KeptAnswer,
} from '../model/comparison/comparison.ts';
import { type CellStatus, countStatus, isJudged } from '../model/run/cell.ts';
import type { Usage } from '../model/run/completion.ts';
import type { CellRow, RecordedVariant } from '../model/run/record.ts';
import type { CaseSummary, RowSummary, VariantSummary } from '../model/run/summary.ts';
import { isSameCase } from '../model/suite/same-case.ts';

export interface PairedCase extends ComparedCase {
  readonly baseline: CaseSummary;
  readonly candidate: CaseSummary;
}

/** True for a case that both sides judged by the same checks. A case without a verdict still counts by its errors. */
export function isPaired(found: ComparedCase): found is PairedCase {
  return (
    found.baseline !== undefined && found.candidate !== undefined && (found.change !== 'redefined' || found.rejudged)
  );
}

export interface PairOptions {
  /** Cases that were accepted under other checks, although both sides were judged by the same ones here. */
  readonly redefined: ReadonlySet<string>;
  /** Cases that break an output contract which changed after they were accepted. */
  readonly breaking?: ReadonlySet<string>;
  /** False where the candidate ran on some of the cases only, so that the others are not removed. */
  readonly isWhole: boolean;
}

/** The cases of both sides by id, sorted, each with its change. */
export function pairSides(
  { cases: before }: ComparedSide,
  { cases: after }: ComparedSide,
  { redefined, breaking, isWhole }: PairOptions,
): ComparedCases {
  const paired = new Map<string, ComparedCase>();
  for (const caseId of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [baseline, candidate] = [before.get(caseId), after.get(caseId)];
    if (candidate === undefined ? !isWhole : candidate.observe) continue;
    const found = pairCase(caseId, { baseline, candidate }, redefined.has(caseId));
    paired.set(caseId, breaking?.has(caseId) === true ? { ...found, breaksContract: true } : found);
  }
  return paired;
}

function pairCase(
  caseId: string,
  { baseline, candidate }: Pick<ComparedCase, 'baseline' | 'candidate'>,
  isRedefined: boolean,
): ComparedCase {
  if (baseline === undefined || candidate === undefined || !isSameCase(candidate.caseHash, baseline.caseHash)) {
    const change = changeWithout(baseline, candidate);
    return { caseId, change, baseline, candidate, suspect: false, rejudged: false };
  }
  if (isRedefined && hasFailure(candidate)) {
    return { caseId, change: 'redefined', baseline, candidate, suspect: false, rejudged: true };
  }
  const [change, suspect] = [classifyCase(baseline, candidate), isSuspect(baseline, candidate)];
  return { caseId, change, baseline, candidate, suspect, rejudged: isRedefined };
}

function hasFailure({ trials }: CaseSummary): boolean {
  return trials.some(({ status }) => status === 'failed');
}

/** The change of a case that was not accepted as it is now. */
function changeWithout(before: CaseSummary | undefined, after: CaseSummary | undefined): CaseChange {
  if (after === undefined) return 'removed';
  return before === undefined ? 'added' : 'redefined';
}

/** Planned trials with a verdict, of a baseline those of every accepted run, and how many of them failed. */
export function countVerdicts({ trials, pooled }: Pick<CaseSummary, 'trials' | 'pooled'>): {
  readonly trials: number;
  readonly failures: number;
} {
  if (pooled !== undefined) return pooled;
  return { trials: trials.filter(isJudged).length, failures: countStatus(trials, 'failed') };
}

/** 1 for each planned trial that passed, 0 for each that failed. Fresh trials would bias the rate. */
export function validResults(found: CaseSummary): readonly number[] {
  if (found.pooled !== undefined) {
    const { trials, failures } = found.pooled;
    return Array.from({ length: trials }, (_, index) => (index < trials - failures ? 1 : 0));
  }
  const [only, second] = found.trials;
  return only !== undefined && second === undefined
    ? resultsOf[only.status]
    : found.trials.flatMap(({ status }) => resultsOf[status]);
}

/** The results of a case with one trial. Most cases have one and share these lists, which bench/compare-records.ts shows. */
const resultsOf: Readonly<Record<CellStatus, readonly number[]>> = {
  passed: [1],
  failed: [0],
  errored: [],
  skipped: [],
};

export function passedByMajority(found: CaseSummary): boolean {
  const results = validResults(found);
  return results.length > 0 && results.reduce((sum, result) => sum + result, 0) * 2 > results.length;
}

/** Every planned trial failed, with at least one verdict and none missing in between. */
export function failedThroughout(found: CaseSummary): boolean {
  const results = validResults(found);
  return results.length > 0 && results.every((result) => result === 0);
}

/** A case that passed by majority and now fails in all its planned trials. */
export function isSuspect(baseline: CaseSummary, candidate: CaseSummary): boolean {
  return passedByMajority(baseline) && failedThroughout(candidate);
}

/** A fresh trial that passes shows that the case is flaky, not broken. */
function passedWhenConfirmed(candidate: CaseSummary): boolean {
  return candidate.confirmations.some(({ status }) => status === 'passed');
}

export function classifyCase(baseline: CaseSummary, candidate: CaseSummary): CaseChange {
  const before = validResults(baseline);
  const after = validResults(candidate);
  if (before.length === 0 || after.length === 0) return 'unjudged';
  const [passedBefore, passedAfter] = [passedByMajority(baseline), passedByMajority(candidate)];
  const isMixed = after.includes(0) && after.includes(1);
  if (!passedAfter && failedThroughout(candidate) && passedWhenConfirmed(candidate)) return 'flaky';
  if (isMixed) return 'flaky';
  if (passedBefore && !passedAfter) return 'regressed';
  if (!passedBefore && passedAfter) return 'fixed';
  return passedAfter ? 'stillPassing' : 'stillFailing';
}

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
    kind: 'stored',
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

interface VariantSideOptions extends Pick<ComparedSide, 'source' | 'kind'> {
  readonly readRow: (rowIndex: number) => CellRow;
  /** Prices both sides by one table. Undefined where no price is known. */
  readonly costOf: (variant: RecordedVariant, usage: Usage | undefined) => number | undefined;
}

/** A variant of a run record as one side of a comparison. Its answers are read when a report shows them. */
export function sideOfVariant(
  { recorded, cases }: Pick<VariantSummary, 'recorded' | 'cases'>,
  { source, kind, readRow, costOf }: VariantSideOptions,
): ComparedSide {
  return {
    source,
    kind,
    recorded,
    cases,
    models: answeredModels(cases.values()),
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

/** The model snapshots that answered, sorted. */
export function answeredModels(cases: Iterable<{ readonly trials: readonly RowSummary[] }>): readonly string[] {
  const models = new Set<string>();
  for (const { trials } of cases) for (const { model } of trials) if (model !== undefined) models.add(model);
  return [...models].sort();
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
  return trials.find(isJudged) ?? trials[0];
}

/** `reason` is why there is no verdict; a failed check goes before it. */
function keptAnswer(
  { status }: CaseSummary,
  {
    output,
    toolCalls,
    trajectory,
    state,
    checks,
    reason: error,
  }: Pick<CellRow, 'output' | 'toolCalls' | 'trajectory' | 'state' | 'checks'> & {
    readonly reason: string | undefined;
  },
): KeptAnswer {
  const reason = checks.find(({ pass }) => !pass)?.reason ?? error;
  return { status, ...defined({ output, toolCalls, trajectory, state, reason }) };
}
