import { isSameSent } from '../compare/variant-differences.ts';
import { defined } from '../json/defined.ts';
import type { BaselineCase, BaselineTrial, BaselineVariant } from '../model/baseline.ts';
import type { Usage } from '../model/completion.ts';
import type { PooledTrials } from '../model/summary.ts';
import { addValues, noValues } from '../stats/means.ts';

/** True where trials of both are samples of one and the same thing, so that they may be counted together. */
export function isSameVariant(a: BaselineVariant, b: BaselineVariant): boolean {
  if (!isSameSent(a, b)) return false;
  // An alias that answers with other snapshots than before is another model.
  return a.models.length === 0 || b.models.length === 0 || a.models.some((model) => b.models.includes(model));
}

/**
 * A case after another run was accepted: that run's answers, and the counts of both. An answer that was counted before, such
 * as one from the cache, adds nothing. Other checks begin again with the new run only.
 */
export function poolCase(old: BaselineCase, accepted: BaselineCase): BaselineCase {
  if (old.caseHash !== accepted.caseHash || old.otherVariant === true) return accepted;
  // Without names, new answers can't be told from those that were counted.
  if ([...old.trials, ...accepted.trials].some(isNameless)) return accepted;
  const judged = accepted.trials.filter(hasVerdict);
  if (judged.length === 0) return old;
  const names = new Set(accepted.trials.map(nameOf));
  const earlier = [...new Set([...(old.pooled?.answers ?? []), ...old.trials.filter(hasVerdict).map(nameOf)])];
  const fresh = judged.filter((trial) => !earlier.includes(nameOf(trial)));
  const answers = earlier.filter((name) => !names.has(name)).slice(-maxRemembered);
  const counted = old.pooled ?? countTrials(old.trials);
  // The run that is accepted again brings nothing, and its answers are the only ones so far.
  if (old.pooled === undefined && answers.length === 0) return accepted;
  if (counted === undefined) return accepted;
  return { ...accepted, pooled: { ...addTrials(counted, fresh), answers } };
}

/** Names of earlier answers that a case remembers. An older one that is accepted again would count twice. */
const maxRemembered = 100;

/** What one run showed of a case; undefined where no trial has a verdict. */
export function countTrials(trials: readonly BaselineTrial[]): PooledTrials | undefined {
  const judged = trials.filter(hasVerdict);
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
    ...(latencyMs.n === 0 ? {} : { latencyMs }),
    answered: pooled.answered + fresh.filter(hasAnswer).length,
    ...defined({ usage: averageUsage(pooled, fresh.filter(hasAnswer)) }),
    answers: pooled.answers,
  };
}

function scoreOf({ status, score }: BaselineTrial): number {
  return score ?? (status === 'passed' ? 1 : 0);
}

/** Undefined as soon as one answer has no usage: an average of the others would read as that of all. */
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

function hasVerdict({ status }: BaselineTrial): boolean {
  return status === 'passed' || status === 'failed';
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
