import { reportDecided } from '../assessing/assess-run.ts';
import { judgeContracts } from '../assessing/judge-contracts.ts';
import { judgeAccepted, judgeByAccepted } from '../assessing/judge-stored.ts';
import { defined } from '../json/defined.ts';
import type { Report } from '../model/report/report.ts';
import type { EndRow } from '../model/run/record.ts';
import { type Assessment, assess, decideRecord } from '../verdict/decide-record.ts';
import type { EarlyLook } from '../verdict/gate/early-end.ts';
import type { Run } from './open-run.ts';

/** Judges the record so far. Without `endOf` the run continues, and fresh trials are still possible. */
export async function assessSoFar(run: Run, endOf?: () => EndRow, look?: EarlyLook): Promise<Assessment> {
  const { record, sides, planned, cellOf, judgePorts, stop, state } = run;
  const { findBaseline } = sides;
  const costOf = planned.costOfRecorded;
  const read = record.read(undefined);
  const mayGoOn = () => {
    if (!stop.isOverdue()) return true;
    // What is not judged is not compared, and such a run must not pass.
    state.isCutShort = true;
    stop.hard('deadline');
    return false;
  };
  // The verdicts are noted at once, so that each answer is judged once.
  const judging = { record: read, findBaseline, costOf, cellOf, ports: judgePorts, known: read.judged, mayGoOn };
  record.note(...(await judgeAccepted(judging)));
  if (endOf !== undefined) record.note(...(await judgeByAccepted(judging)));
  const judgedRecord = record.read(endOf?.());
  const { judged } = judgedRecord;
  const isOpen = endOf === undefined;
  return assess({ record: judgedRecord, findBaseline, judged, costOf, isOpen, ...defined({ look }) });
}

/** Judges what is left to judge, writes the end of the record, and reports on it. */
export async function endRun(run: Run): Promise<Report> {
  const { options, ports, record, sides, state } = run;
  const { root, suites } = options.project;
  record.finish();
  const assessment = await assessSoFar(run, () => buildEnd(run));
  const byId = new Map(suites.map((suite) => [suite.id, suite]));
  const contracts = await judgeContracts(assessment, {
    locate: async (suite, prompt, pointer) => byId.get(suite)?.locateContract?.(prompt, pointer),
  });
  record.note(contracts);
  record.close(assessment.record.end ?? buildEnd(run));
  // If the run was cut short, the next run collects the answers without submitting the batch again.
  if (!state.isCutShort) state.batches?.forgetCollected();
  ports.onProgress({ type: 'finished' });
  const { findReference } = sides;
  const interrupted = run.stop.interrupted();
  const decided = decideRecord(assessment, { findReference, contracts, ...defined({ interrupted }) });
  return reportDecided(decided, { contracts, root });
}

/** The last row of the record. */
export function buildEnd(run: Run): EndRow {
  const { options, ports, calls, remarks, startedMs, state } = run;
  return {
    type: 'end',
    durationMs: Math.round(ports.clock.now() - startedMs),
    ...defined({ stopReason: findStopReason(run) }),
    notes: [...(options.notes ?? []), ...calls.notes(), ...remarks, ...(state.batches?.notes ?? [])].map(ports.mask),
  };
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
