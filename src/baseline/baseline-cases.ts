import { defined } from '../json/defined.ts';
import type {
  BaselineCase,
  BaselineCases,
  BaselineContent,
  BaselineTrial,
  BaselineVariant,
  VariantKey,
} from '../model/comparison/baseline.ts';
import { isJudged, variantKey } from '../model/run/cell.ts';
import type { Usage } from '../model/run/completion.ts';
import type { PooledTrials } from '../model/run/summary.ts';
import { isSameCase } from '../model/suite/same-case.ts';
import { addValues, noValues } from '../stats/descriptive.ts';
import { compareText } from '../text/compare-text.ts';
import { isSameSent } from '../verdict/variant-differences.ts';

export interface MergeOptions {
  /** False if the run left cells out by a filter, tag, sample, shard or restriction: rows that it lacks are kept then. */
  readonly isFull: boolean;
  /** True for a case that the run had to skip. Its accepted answers stay. */
  readonly isSkipped?: (key: VariantKey, caseId: string) => boolean;
  /** True for a case that counts only by this run, whatever earlier runs showed of it. */
  readonly beginsAgain?: (key: VariantKey, caseId: string) => boolean;
}

/**
 * The baseline after accepting a run. New trials are counted with earlier ones of the same case, variant and checks.
 * Only a full run deletes rows, except rows of cases that it had to skip.
 */
export function mergeBaseline(
  old: BaselineContent | undefined,
  accepted: BaselineContent,
  { isFull, isSkipped = () => false, beginsAgain = () => false }: MergeOptions,
): BaselineContent {
  if (old === undefined) return accepted;
  const variants = new Map(old.variants.map((row) => [variantKey(row), row]));
  const isSame = new Map(
    accepted.variants.map((row) => {
      const before = variants.get(variantKey(row));
      return [variantKey(row), before === undefined || isSameVariant(before, row)];
    }),
  );
  const rows = new Map(old.cases.map((cases) => [variantKey(cases), cases]));
  const pooled = accepted.cases.map((cases) => {
    const before = rows.get(variantKey(cases));
    if (before === undefined || isSame.get(variantKey(cases)) !== true) return cases;
    return poolCases(before, cases, (caseId) => beginsAgain(cases, caseId));
  });
  const added = new Map(pooled.map((cases) => [variantKey(cases), cases]));
  const isKept = (key: VariantKey, caseId: string) =>
    added.get(variantKey(key))?.has(caseId) !== true && (!isFull || isSkipped(key, caseId));
  const kept = new Map(
    old.cases
      .map((cases) => keepCases(cases, (caseId) => isKept(cases, caseId)))
      .map((cases) => (isSame.get(variantKey(cases)) === false ? markCases(cases) : cases))
      .filter((cases) => [...cases.caseIds()].length > 0)
      .map((cases) => [variantKey(cases), cases]),
  );
  const earlier = isFull ? old.variants.filter((row) => kept.has(variantKey(row))) : old.variants;
  return {
    suite: accepted.suite,
    variants: mergeVariants(earlier, accepted, new Set(kept.keys())),
    cases: [
      ...[...kept].map(([key, cases]) => unite(cases, added.get(key))),
      ...pooled.filter((cases) => !kept.has(variantKey(cases))),
    ],
    checksOf: (hash) => accepted.checksOf(hash) ?? old.checksOf(hash),
  };
}

/** The accepted cases, each with its earlier counts. Rows are read when they are written. */
function poolCases(
  old: BaselineCases,
  accepted: BaselineCases,
  beginsAgain: (caseId: string) => boolean,
): BaselineCases {
  return {
    ...accepted,
    read(caseId) {
      const row = accepted.read(caseId);
      return old.has(caseId) && !beginsAgain(caseId) ? poolCase(old.read(caseId), row) : row;
    },
  };
}

/** Cases that stay although their variant has changed: trials of the new one must not be counted with theirs. */
function markCases(cases: BaselineCases): BaselineCases {
  return { ...cases, read: (caseId) => ({ ...cases.read(caseId), otherVariant: true }) };
}

function mergeVariants(
  old: readonly BaselineVariant[],
  accepted: BaselineContent,
  keptKeys: ReadonlySet<string>,
): BaselineVariant[] {
  const merged = new Map(old.map((row) => [variantKey(row), row]));
  for (const row of accepted.variants) {
    const key = variantKey(row);
    // If old answers are kept beside new ones, the variant has the model snapshots of both.
    const models = keptKeys.has(key) ? [...(merged.get(key)?.models ?? []), ...row.models] : row.models;
    merged.set(key, { ...row, models: [...new Set(models)].sort() });
  }
  return [...merged.values()];
}

/** The cases of a variant that pass a test. */
export function keepCases(cases: BaselineCases, isKept: (caseId: string) => boolean): BaselineCases {
  const { prompt, provider } = cases;
  return {
    prompt,
    provider,
    caseIds: () => [...cases.caseIds()].filter(isKept),
    has: (caseId) => isKept(caseId) && cases.has(caseId),
    read: (caseId) => cases.read(caseId),
  };
}

/** The cases of one variant from two places; no case is in both. */
function unite(a: BaselineCases, b: BaselineCases | undefined): BaselineCases {
  if (b === undefined) return a;
  const { prompt, provider } = a;
  return {
    prompt,
    provider,
    caseIds: () => [...a.caseIds(), ...b.caseIds()],
    has: (caseId) => a.has(caseId) || b.has(caseId),
    read: (caseId) => (a.has(caseId) ? a : b).read(caseId),
  };
}

/** Orders by code units, which is the same on every machine. */
export function orderVariants(a: VariantKey, b: VariantKey): number {
  return compareText(a.prompt, b.prompt) || compareText(a.provider, b.provider);
}

/** Every case in the order of a baseline's lines, read one at a time. */
export function* readCases(content: Pick<BaselineContent, 'cases'>): Generator<BaselineCase, undefined> {
  for (const { caseId, cases } of listCases(content)) yield cases.read(caseId);
}

/** Different case ids, and the rows of all variants together. */
export function countCases(content: Pick<BaselineContent, 'cases'>): { readonly ids: number; readonly rows: number } {
  const cases = listCases(content);
  return { ids: new Set(cases.map(({ caseId }) => caseId)).size, rows: cases.length };
}

interface ListedCase {
  readonly caseId: string;
  readonly cases: BaselineCases;
}

/** Lists the cases by case id, and by variant within a case. */
function listCases({ cases }: Pick<BaselineContent, 'cases'>): readonly ListedCase[] {
  return cases
    .toSorted(orderVariants)
    .flatMap((variant) => Array.from(variant.caseIds(), (caseId) => ({ caseId, cases: variant })))
    .sort((a, b) => compareText(a.caseId, b.caseId));
}

/** True if trials of both are samples of one and the same thing, so that they may be counted together. */
export function isSameVariant(a: BaselineVariant, b: BaselineVariant): boolean {
  if (!isSameSent(a, b)) return false;
  // An alias that answers with other snapshots than before is another model.
  return a.models.length === 0 || b.models.length === 0 || a.models.some((model) => b.models.includes(model));
}

/**
 * A case after accepting another run: that run's answers, and the counts of both. An answer that was counted before,
 * such as a cached one, adds nothing. If the checks changed, only the new run counts.
 */
function poolCase(old: BaselineCase, accepted: BaselineCase): BaselineCase {
  if (!isSameCase(old.caseHash, accepted.caseHash) || old.otherVariant === true) return accepted;
  // Without ids, new answers can't be told from answers that were counted before.
  if ([...old.trials, ...accepted.trials].some(isNameless)) return accepted;
  const judged = accepted.trials.filter(isJudged);
  if (judged.length === 0) return old;
  const names = new Set(accepted.trials.map(nameOf));
  const earlier = [...new Set([...(old.pooled?.answers ?? []), ...old.trials.filter(isJudged).map(nameOf)])];
  const fresh = judged.filter((trial) => !earlier.includes(nameOf(trial)));
  const answers = earlier.filter((name) => !names.has(name)).slice(-maxRemembered);
  const counted = countTrials(old);
  // The run that is accepted again brings nothing, and its answers are the only ones so far.
  if (old.pooled === undefined && answers.length === 0) return accepted;
  if (counted === undefined) return accepted;
  return { ...accepted, pooled: { ...addTrials(counted, fresh), answers } };
}

/** Names of earlier answers that a case remembers. An older one that is accepted again would count twice. */
const maxRemembered = 100;

/** The counts of a case's accepted trials; undefined if no trial has a verdict. */
export function countTrials({ pooled, trials }: BaselineCase): PooledTrials | undefined {
  if (pooled !== undefined) return pooled;
  const judged = trials.filter(isJudged);
  if (judged.length === 0) return undefined;
  return addTrials({ runs: 0, trials: 0, failures: 0, answered: 0, score: noValues, answers: [] }, judged);
}

function addTrials(pooled: PooledTrials, fresh: readonly BaselineTrial[]): PooledTrials {
  if (fresh.length === 0) return pooled;
  const latencies = fresh.flatMap(({ latencyMs }) => latencyMs ?? []);
  const latencyMs = addValues(pooled.latencyMs ?? noValues, latencies);
  return {
    runs: pooled.runs + 1,
    trials: pooled.trials + fresh.length,
    failures: pooled.failures + fresh.filter(({ status }) => status === 'failed').length,
    score: addValues(pooled.score, fresh.map(scoreOf)),
    ...defined({ latencyMs: latencyMs.n === 0 ? undefined : latencyMs }),
    answered: pooled.answered + fresh.filter(hasAnswer).length,
    ...defined({ usage: averageUsage(pooled, fresh.filter(hasAnswer)) }),
    answers: pooled.answers,
  };
}

function scoreOf({ status, score }: BaselineTrial): number {
  return score ?? (status === 'passed' ? 1 : 0);
}

/** The mean usage. Undefined if one answer has none, because the mean of the others would look complete. */
function averageUsage({ answered, usage }: PooledTrials, answers: readonly BaselineTrial[]): Usage | undefined {
  const reported = answers.flatMap((trial) => trial.usage ?? []);
  const count = answered + answers.length;
  if (count === 0 || reported.length < answers.length || (answered > 0 && usage === undefined)) return undefined;
  const average = (pick: (tokens: Usage) => number | undefined): number | undefined => {
    const before = usage === undefined ? undefined : pick(usage);
    const values = reported.map(pick);
    if (before === undefined && values.every((value) => value === undefined)) return undefined;
    return values.reduce<number>((total, value) => total + (value ?? 0), (before ?? 0) * answered) / count;
  };
  const isPriced = [...reported, ...(usage === undefined ? [] : [usage])].every(({ costUsd }) => costUsd !== undefined);
  return {
    inputTokens: average(({ inputTokens }) => inputTokens) ?? 0,
    outputTokens: average(({ outputTokens }) => outputTokens) ?? 0,
    ...defined({
      cachedInputTokens: average(({ cachedInputTokens }) => cachedInputTokens),
      cacheWriteTokens: average(({ cacheWriteTokens }) => cacheWriteTokens),
      reasoningTokens: average(({ reasoningTokens }) => reasoningTokens),
      inputAudioTokens: average(({ inputAudioTokens }) => inputAudioTokens),
      outputAudioTokens: average(({ outputAudioTokens }) => outputAudioTokens),
      costUsd: isPriced ? average(({ costUsd }) => costUsd) : undefined,
    }),
  };
}

function hasAnswer({ answerHash }: BaselineTrial): boolean {
  return answerHash !== undefined;
}

function isNameless({ answerId, answerHash }: BaselineTrial): boolean {
  return answerId === undefined && answerHash !== undefined;
}

/** A refused request has no answer to name: another refusal of the same trial says the same again. */
function nameOf({ answerId, trial, status }: BaselineTrial): string {
  return answerId ?? `${trial}:${status}`;
}
