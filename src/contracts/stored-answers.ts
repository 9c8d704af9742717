import type { Baseline, BaselineTrial, VariantKey } from '../model/baseline.ts';
import type { CellRow } from '../model/record.ts';
import type { VariantSummary } from '../model/summary.ts';
import type { StoredRecord } from '../record/open-stored-record.ts';
import type { StoredAnswer } from './observe-answers.ts';

/** The answers of a prompt on a provider that a baseline file holds. */
export function* answersOfBaseline(
  baseline: Pick<Baseline, 'casesOf' | 'readCase'>,
  key: VariantKey,
): Iterable<StoredAnswer> {
  for (const caseId of baseline.casesOf(key).keys()) {
    for (const trial of baseline.readCase(key, caseId)?.trials ?? []) yield* answerOf(caseId, trial);
  }
}

/** The answers of a variant of a record, read one after the other. */
export function* answersOfRecord(variant: VariantSummary, readRow: StoredRecord['readRow']): Iterable<StoredAnswer> {
  for (const { caseId, trials } of variant.cases.values()) {
    for (const { rowIndex } of trials) yield* answerOf(caseId, readRow(rowIndex));
  }
}

/** A tool call without a text is no answer that an output schema is about. */
function answerOf(
  caseId: string,
  { status, output, toolCalls, refusal }: Pick<BaselineTrial | CellRow, 'status' | 'output' | 'toolCalls' | 'refusal'>,
): readonly StoredAnswer[] {
  if ((status !== 'passed' && status !== 'failed') || output === undefined || refusal !== undefined) return [];
  return output === '' && toolCalls !== undefined && toolCalls.length > 0 ? [] : [{ caseId, text: output }];
}
