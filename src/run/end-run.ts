import { type Assessment, assessRecord, reportAssessment } from '../assessing/assess-run.ts';
import { judgeContracts } from '../assessing/judge-contracts.ts';
import { judgeErosion } from '../assessing/judge-erosion.ts';
import { defined } from '../json/defined.ts';
import type { Report } from '../model/report/report.ts';
import type { EndRow } from '../model/run/record.ts';
import type { EarlyLook } from '../verdict/gate/early-end.ts';
import type { Run } from './open-run.ts';

/** Judges the record so far. Without `end` the run continues, and confirmation trials are still possible. */
export function assess(run: Run, end?: EndRow, look?: EarlyLook): Promise<Assessment> {
  const { record, findBaseline, planned, cellOf, judgePorts } = run;
  return assessRecord({
    record: record.read(end),
    findBaseline,
    costOf: planned.costOfRecorded,
    cellOf,
    judgePorts,
    isOpen: end === undefined,
    ...defined({ look }),
  });
}

/** Writes the last row of the record. */
export function closeRecord(run: Run): EndRow {
  const { options, ports, calls, record, remarks, startedMs, state } = run;
  const stopReason = findStopReason(run);
  const end: EndRow = {
    type: 'end',
    durationMs: Math.round(ports.clock.now() - startedMs),
    ...defined({ stopReason }),
    notes: [...(options.notes ?? []), ...calls.notes(), ...remarks, ...(state.batches?.notes ?? [])].map(ports.mask),
  };
  record.close(end);
  // If the run was cut short, the next run collects the answers without submitting the batch again.
  if (!state.isCutShort) state.batches?.forgetCollected();
  ports.onProgress({ type: 'finished' });
  return end;
}

/**
 * A limit is a stop reason only if some work was left undone. An interruption, a failed disk and a lost queue always
 * are.
 */
function findStopReason({ stop, calls, state }: Run): EndRow['stopReason'] {
  const reached = stop.reason() ?? (calls.isBudgetExhausted() ? 'budget' : undefined);
  const isAlwaysCut = reached === 'interrupted' || reached === 'storage' || reached === 'queue';
  if (isAlwaysCut || state.isCutShort) return reached;
  return state.isDecidedEarly ? 'decided' : undefined;
}

/** The report of a finished run. Contracts and erosion are judged in addition to the record. */
export async function reportOn(run: Run, assessment: Assessment): Promise<Report> {
  const { options, findBaseline, findReference } = run;
  const { root, suites } = options.project;
  const byId = new Map(suites.map((suite) => [suite.id, suite]));
  const contracts = await judgeContracts(assessment, {
    findBaseline,
    locate: async (suite, prompt, pointer) => byId.get(suite)?.locateContract?.(prompt, pointer),
  });
  const interrupted = run.stop.interrupted();
  const erosion = judgeErosion(assessment.record, { findReference, root });
  return reportAssessment(assessment, { contracts, erosion, root, ...defined({ interrupted }) });
}
