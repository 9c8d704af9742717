import { defined } from '../json/defined.ts';
import type { CellResult } from '../model/cell.ts';
import type { ProgressEvent } from '../model/progress.ts';
import type { CellRow } from '../model/record.ts';

/** What the progress of a run shows of a cell that has ended. */
export function describeProgress(result: CellResult, row: CellRow): ProgressEvent {
  const { suite, caseId, prompt, provider, trial } = result.key;
  const label = `${suite}/${caseId} · ${prompt} × ${provider}${trial === 0 ? '' : ` · trial ${trial + 1}`}`;
  const status = result.status === 'judged' ? (result.passed ? 'passed' : 'failed') : result.status;
  const reason = reasonOf(result);
  const { unusable = { billedUsd: 0 } } = result;
  return {
    type: 'cell-finished',
    key: result.key,
    label,
    status,
    row,
    cached: result.calls.length > 0 && result.calls.every(({ cached }) => cached),
    spentUsd: result.calls.reduce<number | undefined>((sum, { cached, costUsd, billed = { costUsd } }) => {
      if (cached) return sum;
      return sum === undefined || billed.costUsd === undefined ? undefined : sum + billed.costUsd;
    }, unusable.billedUsd),
    ...defined({ reason }),
  };
}

function reasonOf(result: CellResult): string | undefined {
  switch (result.status) {
    case 'skipped':
      return result.message ?? result.reason;
    case 'errored':
      return result.failure.message;
    case 'judged':
      return result.passed ? undefined : (result.failure?.message ?? result.verdicts.find(({ pass }) => !pass)?.reason);
  }
}
