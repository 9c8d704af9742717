import type { Completion, CompletionOutcome } from '../model/completion.ts';

/**
 * What a call was billed for though it brought nothing to judge: a body that is no answer, whose usage may be unknown.
 * Undefined where nothing is known to have been billed.
 */
export function findUnusable(outcome: CompletionOutcome): Pick<Completion, 'usage'> | undefined {
  if (outcome.status === 'completed' || outcome.attempts === 0) return undefined;
  const { kind, usage } = outcome.failure;
  if (usage !== undefined) return { usage };
  // A batch bills nothing for a request that brought no answer at all.
  return kind === 'malformed' && outcome.batched !== true ? {} : undefined;
}
