import type { RowSummary } from '../model/run/summary.ts';
import { hashAnswer } from '../record/case-summaries.ts';
import type { StoredRecord } from '../record/read-run-record.ts';
import { formatCount, listFirst } from '../text/format-amount.ts';

/** Warns of answers that passed with nothing in them: checks of what must not be said find nothing to object to. */
export function findEmptyAnswers({ summary, readRow }: Pick<StoredRecord, 'summary' | 'readRow'>): readonly string[] {
  const emptyHash = hashAnswer({ output: '', toolCalls: undefined });
  // A refusal and the state that a program left are answers too. Few rows are read: the hash is that of text and calls.
  const isEmpty = ({ status, answerHash, rowIndex }: RowSummary) => {
    if (status !== 'passed' || answerHash !== emptyHash) return false;
    const { refusal, state } = readRow(rowIndex);
    return refusal === undefined && state === undefined;
  };
  return summary.suites.flatMap(({ recorded: { suite }, variants }) =>
    variants.flatMap(({ recorded: { prompt, provider }, replacedBy, cases }) => {
      if (replacedBy !== undefined) return [];
      const found = [...cases.values()].filter(({ observe, trials }) => !observe && trials.some(isEmpty));
      if (found.length === 0) return [];
      const ids = listFirst(
        found.map(({ caseId }) => caseId),
        3,
      );
      const pass = found.length === 1 ? 'passes' : 'pass';
      return [
        `${suite} · ${prompt} × ${provider}: ${formatCount(found.length, 'case')} ${pass} on an empty answer (${ids}); to refuse it, check length: { min: 1 }`,
      ];
    }),
  );
}
