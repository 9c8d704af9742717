import { judgeContract } from '../compare/gate/judge-cases.ts';
import type { Baseline } from '../model/baseline.ts';
import type { CaseSummary, SuiteSummary } from '../model/summary.ts';
import type { StoredRecord } from '../record/open-stored-record.ts';

/** A failing case that nobody has accepted before: once it is accepted, it fails no gate. */
export interface KnownFailure {
  readonly suite: string;
  readonly caseId: string;
  readonly prompt: string;
  readonly provider: string;
  /** Why it failed. */
  readonly reason: string;
}

/** Finds the cases that become known failures when a suite's run is accepted. */
export function findNewKnownFailures(
  { recorded, variants }: SuiteSummary,
  old: Pick<Baseline, 'casesOf'> | undefined,
  readRow: StoredRecord['readRow'],
): readonly KnownFailure[] {
  return variants.flatMap(({ recorded: { prompt, provider }, replacedBy, cases }) => {
    if (replacedBy !== undefined) return [];
    const accepted = old?.casesOf({ prompt, provider });
    return [...cases.values()].flatMap((found): KnownFailure[] => {
      const { caseId, stamp, observe, trials } = found;
      if (observe || !isFailure(found)) return [];
      const before = accepted?.get(caseId);
      if (before !== undefined && before.stamp === stamp && isFailure(before)) return [];
      const failed = trials.find(({ status }) => status === 'failed');
      const row = failed === undefined ? undefined : readRow(failed.rowIndex);
      const reason = row?.checks.find(({ pass }) => !pass)?.reason ?? row?.error?.message ?? 'failed';
      return [{ suite: recorded.suite, caseId, prompt, provider, reason }];
    });
  });
}

/** Not passed in most of its trials; a contract, not passed in each. */
function isFailure(found: CaseSummary): boolean {
  const { caseId, mustPass, trials } = found;
  if (mustPass) return judgeContract(caseId, found, 'must-pass', 'stands', false)[0]?.kind === 'broken';
  const count = (wanted: string) => trials.filter(({ status }) => status === wanted).length;
  return count('failed') > 0 && count('failed') >= count('passed');
}
