import type { EmptySelection } from '../model/empty-selection.ts';
import { type Located, locate } from './locate.ts';
import type { Problems } from './problems.ts';
import type { CaseFile } from './row-source.ts';

interface WrittenCases {
  readonly suite: string;
  readonly cases: Located;
  readonly count: number;
  readonly emptyFiles: readonly CaseFile[];
}

/** Warns of files of cases that hold none, and of a suite that has none at all. */
export function findEmptyCases(
  { suite, cases, count, emptyFiles }: WrittenCases,
  problems: Problems,
): readonly EmptySelection[] {
  const found: EmptySelection[] = [];
  const warn = (message: string, isNamed: boolean, at: Located) => {
    problems.warn({ code: 'selects-nothing', message, at: locate(at) });
    found.push({ message: `suite ${suite}: ${message}`, isNamed });
  };
  for (const { shown, namedBy, isNamed } of emptyFiles) warn(`${shown} holds no case`, isNamed, namedBy);
  if (count === 0) warn('the suite has no case', true, cases);
  return found;
}
