import { canonicalJson } from '../json/canonical-json.ts';
import type { JsonValue } from '../json/json.ts';
import type { ComparedVariant } from '../model/comparison.ts';
import type { CaseSummary } from '../model/summary.ts';
import type { StoredRecord } from '../record/open-stored-record.ts';

/** The cases of a variant as they were accepted. */
export interface Accepted {
  readonly cases: ReadonlyMap<string, CaseSummary>;
  /** The output contract that their answers were checked against. */
  readonly outputContract: JsonValue | undefined;
}

/**
 * Finds cases that were accepted under other checks than those that both sides were judged by: none of them is a known
 * failure. An output contract belongs to the variant and does not keep cases from being compared. So where it changed,
 * only a case that breaks the new one is redefined, unless the case counts as a regression anyway.
 */
export function findRedefined(
  { baseline: side, candidate, cases }: ComparedVariant,
  accepted: Accepted,
  readRow: StoredRecord['readRow'],
): ReadonlySet<string> {
  const hasOtherContract = canonicalJson(accepted.outputContract) !== canonicalJson(candidate.recorded.contract.output);
  const isAcceptedSide = side.cases === accepted.cases;
  const redefined = new Set<string>();
  // Then nothing can be found, and a large suite need not be read again.
  if (isAcceptedSide && !hasOtherContract) return redefined;
  const breaksContract = ({ trials }: CaseSummary) =>
    trials.some(
      ({ status, rowIndex }) =>
        status === 'failed' &&
        readRow(rowIndex).checks.some(({ assertion, pass }) => assertion === 'contract' && !pass),
    );
  for (const { caseId, baseline, candidate: found, change } of cases.values()) {
    const held = accepted.cases.get(caseId);
    if (held === undefined || baseline === undefined || found === undefined || change === 'redefined') continue;
    const mayBeExcused = change === 'stillFailing' || change === 'flaky';
    if (held.stamp !== found.stamp || (hasOtherContract && mayBeExcused && breaksContract(found)))
      redefined.add(caseId);
  }
  return redefined;
}
