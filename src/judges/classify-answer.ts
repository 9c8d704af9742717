import { selectTarget } from '../assertions/select-target.ts';
import { maxClassLength, nameClass } from '../model/classes.ts';
import type { Completion } from '../model/completion.ts';
import type { SelectSpec } from '../model/verdict.ts';
import { DeadlineError, runWithDeadline } from '../text/deadline.ts';

/** The class that an answer names; null where it names none, or the selection takes too long. */
export function classifyAnswer(
  found: SelectSpec,
  answer: Pick<Completion, 'text' | 'toolCalls' | 'reasoning' | 'steps' | 'state'>,
): string | null {
  try {
    const selected = selectTarget({ costUsd: undefined, latencyMs: undefined, ...answer }, found, {
      deadline: runWithDeadline,
    });
    if ('missing' in selected) return null;
    // One character more than a class may have, so that no long text is one.
    const name = nameClass(selected.kind === 'text' ? selected.text : selected.value);
    return name?.slice(0, maxClassLength + 1) ?? null;
  } catch (error) {
    if (error instanceof DeadlineError) return null;
    throw error;
  }
}
