import type { Breach } from '../../model/gate.ts';
import type { StopReason } from '../../model/record.ts';
import type { RunSummary } from '../../model/summary.ts';

/** Says that a run ended before its plan; `undecided` are the limits that its unreached cells still decide. */
export function findStop(summary: RunSummary, undecided: readonly string[]): readonly Breach[] {
  const unreached = summary.suites
    .flatMap(({ variants }) => variants)
    .reduce((sum, { skipped, skippedByCase }) => sum + skipped - skippedByCase, 0);
  const { stopReason } = summary;
  // A cell without a verdict and without a reason is no pass either.
  if (stopReason === undefined && unreached === 0) return [];
  const reason = stopReason === undefined ? 'cells have no result' : describeStop[stopReason];
  const cells =
    unreached === 0 ? '' : `; ${unreached} planned ${unreached === 1 ? 'cell was' : 'cells were'} not judged`;
  return [{ code: 'stopped', message: `the run stopped before its end: ${reason}${cells}${describeOpen(undecided)}` }];
}

function describeOpen([example, ...others]: readonly string[]): string {
  if (example === undefined) return '';
  return `; undecided: ${example}${others.length === 0 ? '' : ` and ${others.length} more`}`;
}

const describeStop: Readonly<Record<StopReason, string>> = {
  budget: 'the budget is used up (--max-cost)',
  deadline: 'the deadline was reached (--deadline)',
  bail: 'enough cells failed (--bail)',
  storage: 'the run record could not be written',
  queue: 'its queue or its workers were gone (--queue; --resume goes on with it)',
  interrupted: 'it was interrupted (--resume goes on with it)',
};
