import { openJudgePorts } from '../judges/open-judge-ports.ts';
import { type AcceptContext, type Accepted, acceptIntoBaseline, acceptIntoExpected } from './accept-change.ts';
import type { AnswerChange, Review } from './review-changes.ts';

export type Place = 'expected' | 'baseline';

/** Writes what a reviewer accepts, one change after the other. */
export interface OpenReview {
  accept(change: AnswerChange, place: Place): Promise<Accepted>;
  close(): void;
}

export function openReview(review: Review, options: Omit<AcceptContext, 'ports'>): OpenReview {
  const judge = openJudgePorts(options);
  const context = { ...options, ports: judge.ports };
  return {
    accept: (change, place) =>
      place === 'expected' ? acceptIntoExpected(change, context) : acceptIntoBaseline(change, review, context),
    close: () => judge.close(),
  };
}
