import { relative } from 'node:path';
import { type Calls, openCalls } from '../calls/calls.ts';
import type { CallOptions } from '../calls/run-calls.ts';
import { runWorkers } from '../calls/run-workers.ts';
import { createStop } from '../calls/stop.ts';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import { createOpenAsker } from '../judges/ask-models.ts';
import { judgeAnswer } from '../judges/judge-answer.ts';
import { describeUnvalidated, hashLabels, readCalibrations, writeCalibrations } from '../judges/validated-judges.ts';
import type { CellKey } from '../model/cell.ts';
import { withRefusal } from '../model/storage-problem.ts';
import type { LabelledAnswer, Suite } from '../model/suite.ts';
import type { JudgeCalibration, Verdict } from '../model/verdict.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import type { RunPorts } from '../plan/run-options.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { calibrationPathOf } from '../project/project-paths.ts';
import { sumKnown } from '../stats/means.ts';
import { type JudgedLabel, type MeasuredCriterion, measureJudge } from './measure-judge.ts';

export interface CheckJudgesOptions extends Omit<CallOptions, 'suites'> {
  /** Only these judges; all where empty. */
  readonly judges: readonly string[];
  /** False: the results are shown and not kept. */
  readonly keep: boolean;
}

export interface CheckedJudges {
  readonly suites: readonly CheckedSuite[];
  /** USD billed; undefined where a price is not known. */
  readonly spentUsd: number | undefined;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

export interface CheckedSuite {
  readonly suite: string;
  readonly criteria: readonly (MeasuredCriterion & {
    /** Why the judge may not decide by it; undefined where it may. */
    readonly lack?: string;
  })[];
  /** The file that was written, relative to the working folder. */
  readonly file?: string;
  readonly isChanged: boolean;
}

/** Asks judges about answers that people have labelled, measures the agreement, and keeps the result beside the suite. */
export async function checkJudges(options: CheckJudgesOptions, ports: RunPorts): Promise<CheckedJudges> {
  const { project } = options;
  const settings = { maxErrors: { count: 0 }, allowEmpty: true, requireConclusive: false, ...options.settings };
  const planned = await planRun({ project, selection: emptySelection, settings, record: options.record }, ports);
  const isMeasured = (suite: Suite) => suite.labels.some(({ criterion }) => isWanted(criterion.judge.id, options));
  for (const suite of options.keep ? project.suites.filter(isMeasured) : []) {
    const path = calibrationPathOf(project.root, suite.path);
    readCalibrations(path, relative(ports.cwd, path));
    withRefusal(() => probeFile(path));
  }
  const stop = createStop();
  const stopListening = stop.listen(ports);
  const calls = openCalls(planned, { ...options, suites: project.suites }, ports);
  const spent: (number | undefined)[] = [];
  try {
    const suites: CheckedSuite[] = [];
    for (const suite of project.suites) {
      const wanted = suite.labels.filter(({ criterion }) => isWanted(criterion.judge.id, options));
      if (wanted.length === 0) continue;
      const judged = await askAll(wanted, suite, { calls, planned, signal: stop.signal, spent });
      suites.push(
        keepSuite(suite, judged, stop.interrupted() === undefined && options.keep, { ...options, cwd: ports.cwd }),
      );
    }
    const spentUsd = sumKnown(spent, (cost) => cost);
    return { suites, spentUsd, ...defined({ interrupted: stop.interrupted() }) };
  } finally {
    stopListening();
    await calls.close();
    calls.writeRecordings();
  }
}

function isWanted(judge: string, { judges }: CheckJudgesOptions): boolean {
  return judges.length === 0 || judges.includes(judge);
}

interface Asking {
  readonly calls: Calls;
  readonly planned: PlannedRun;
  readonly signal: AbortSignal;
  readonly spent: (number | undefined)[];
}

async function askAll(
  labels: readonly LabelledAnswer[],
  suite: Suite,
  asking: Asking,
): Promise<readonly JudgedLabel[]> {
  const judged: JudgedLabel[] = [];
  const queue = labels.entries();
  const work = async (): Promise<boolean> => {
    const next = queue.next();
    if (next.done === true) return false;
    const [index, label] = next.value;
    judged[index] = await askOne(label, suite, asking);
    return true;
  };
  const workers = suite.askedModels.map((model) => asking.calls.workersFor(model));
  await runWorkers(work, () => Math.max(...workers.map((allowed) => allowed())));
  return judged;
}

async function askOne(
  label: LabelledAnswer,
  suite: Suite,
  { calls, planned, signal, spent }: Asking,
): Promise<JudgedLabel> {
  const key: CellKey = {
    suite: suite.id,
    prompt: 'labels',
    provider: label.criterion.judge.id,
    caseId: label.id,
    trial: 0,
  };
  const openAsker = createOpenAsker({ calls, endpointOf: planned.endpointOf, findSuite: () => suite, signal });
  const { other } = label;
  const checks = [label.check];
  const { verdicts, judgeCostUsd } = await judgeAnswer(
    checks,
    {
      cell: { key, checks, vars: label.vars },
      completion: { text: label.answer, toolCalls: [] },
      latencyMs: undefined,
      costUsd: undefined,
      conversation: [],
    },
    { openAsker, findOther: () => Promise.resolve(other === undefined ? undefined : { text: other, toolCalls: [] }) },
  );
  spent.push(judgeCostUsd);
  return { label, ...readVerdict(verdicts[0]) };
}

function readVerdict(verdict: Verdict | undefined): Pick<JudgedLabel, 'said' | 'verdict' | 'error'> {
  if (verdict === undefined || verdict.error !== undefined) return { error: verdict?.error ?? 'no verdict' };
  const isTie = verdict.assertion === 'pairwise' && verdict.score === 0.5;
  // The `min` of a comparison decides what passes the gate, not which answer the judge preferred.
  const isPass = verdict.assertion === 'pairwise' ? verdict.score > 0.5 : verdict.pass;
  return { said: isTie ? 'tie' : isPass ? 'pass' : 'fail', verdict };
}

/** Removes measurements of checks that the suite no longer has. Keeps those that were not made again. */
function keepSuite(
  suite: Suite,
  judged: readonly JudgedLabel[],
  keep: boolean,
  { project, cwd }: Pick<CheckJudgesOptions, 'project'> & { readonly cwd: string },
): CheckedSuite {
  const measured = suite.criteria
    .map((criterion) =>
      measureJudge(
        criterion,
        judged.filter(
          ({ label }) =>
            label.criterion.criterionHash === criterion.criterionHash &&
            label.criterion.judge.id === criterion.judge.id,
        ),
      ),
    )
    .filter(({ calibration, errored }) => calibration.cases + errored > 0);
  const fresh = measured.map(({ criterion, calibration }) => ({
    ...calibration,
    labels: hashLabels(suite.labels, criterion),
  }));
  const criteria = measured.map((found) => {
    const lack = describeUnvalidated(found.criterion, fresh, suite);
    return { ...found, ...defined({ lack }) };
  });
  if (!keep) return { suite: suite.id, criteria, isChanged: false };
  const path = calibrationPathOf(project.root, suite.path);
  const file = relative(cwd, path);
  const isAsked = ({ judge, criterionHash }: JudgeCalibration) =>
    suite.criteria.some((criterion) => criterion.judge.id === judge && criterion.criterionHash === criterionHash);
  const isFresh = ({ judge, criterionHash }: JudgeCalibration) =>
    fresh.some((other) => other.judge === judge && other.criterionHash === criterionHash);
  // Without a verdict there is no measurement.
  const usable = fresh.filter(({ cases }) => cases > 0);
  const isChanged = withFileLock(path, () => {
    const kept = readCalibrations(path, file).filter((old) => isAsked(old) && !isFresh(old));
    return writeCalibrations(path, [...kept, ...usable]);
  });
  return { suite: suite.id, criteria, file, isChanged };
}
