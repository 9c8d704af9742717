import type { Complete, CompletionOutcome, CompletionRequest } from '../model/completion.ts';
import type { SentAnswer } from './run-batches.ts';

/** Answers that came through batch APIs, by the keys of their requests. */
export interface BatchAnswers {
  add(answers: ReadonlyMap<string, SentAnswer>): void;
  /** Answers from what was added; asks for everything else, such as later turns of a conversation. */
  wrap(next: Complete, keyOf: (request: CompletionRequest) => string): Complete;
}

export function createBatchAnswers(): BatchAnswers {
  const answers = new Map<string, SentAnswer>();
  const booked = new Set<string>();
  return {
    add(found) {
      for (const [key, answer] of found) answers.set(key, answer);
    },
    wrap: (next, keyOf) => async (request, signal) => {
      const key = keyOf(request);
      const found = answers.get(key);
      if (found === undefined) return next(request, signal);
      const isFirst = !booked.has(key);
      booked.add(key);
      return describeOutcome(found, isFirst);
    },
  };
}

/** A request that several cells share was sent and billed once. */
function describeOutcome({ answer, isSent }: SentAnswer, isFirst: boolean): CompletionOutcome {
  const attempts = isSent && isFirst ? 1 : 0;
  if ('failure' in answer) return { status: 'failed', failure: answer.failure, attempts, batched: true };
  return { status: 'completed', completion: answer.completion, cached: !isFirst, attempts, batched: true };
}
