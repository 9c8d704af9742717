import { relative } from 'node:path';
import { type Calls, openCalls } from '../calls/calls.ts';
import { runConcurrently } from '../calls/run-concurrently.ts';
import type { CallOptions } from '../calls/run-resources.ts';
import { createStop } from '../calls/stop.ts';
import { withFileLock } from '../files/file-lock.ts';
import { probeFile } from '../files/write-files.ts';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { createOpenAsker } from '../judges/ask-models.ts';
import { judgeAnswer } from '../judges/judge-answer.ts';
import { describeUnvalidated, hashLabels, readValidations, writeValidations } from '../judges/validated-judges.ts';
import type { CellKey } from '../model/run/cell.ts';
import { type JudgeValidation, type Verdict, validationAlpha } from '../model/run/verdict.ts';
import { withRefusal } from '../model/storage-problem.ts';
import type { Criterion, LabelledAnswer, Suite } from '../model/suite/suite.ts';
import { type PlannedRun, planRun } from '../plan/plan-run.ts';
import type { RunPorts } from '../plan/run-options.ts';
import { emptySelection } from '../plan/select-cases.ts';
import { validationPathOf } from '../project/project-paths.ts';
import { type CorrelationEstimate, cohenKappa, type JudgeCounts, rankCorrelation } from '../stats/agreement.ts';
import { sum, sumKnown } from '../stats/descriptive.ts';
import { groupBy } from '../text/group-by.ts';

interface CheckJudgesOptions extends Omit<CallOptions, 'suites'> {
  /** Judges to measure; empty for all. */
  readonly judges: readonly string[];
  /** False to show the results without storing them. */
  readonly keep: boolean;
}

export interface CheckedJudges {
  readonly suites: readonly CheckedSuite[];
  /** USD billed; undefined if a price is unknown. */
  readonly spentUsd: number | undefined;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
}

export interface CheckedSuite {
  readonly suite: string;
  readonly criteria: readonly (MeasuredCriterion & {
    /** Why the judge may not decide by this criterion; undefined if it may. */
    readonly lack?: string;
  })[];
  /** Written file, relative to the working folder. */
  readonly file?: string;
  readonly isChanged: boolean;
}

/** Asks judges about answers labelled by people, measures the agreement, and stores it beside the suite. */
export async function checkJudges(options: CheckJudgesOptions, ports: RunPorts): Promise<CheckedJudges> {
  const { project } = options;
  const settings = { maxErrors: { count: 0 }, allowEmpty: true, requireConclusive: false, ...options.settings };
  const planned = await planRun({ project, selection: emptySelection, settings, record: options.record }, ports);
  const isMeasured = (suite: Suite) => suite.labels.some(({ criterion }) => isWanted(criterion.judge.id, options));
  for (const suite of options.keep ? project.suites.filter(isMeasured) : []) {
    const path = validationPathOf(project.root, suite.path);
    readValidations(path, relative(ports.cwd, path));
    withRefusal(() => probeFile(path));
  }
  const stop = createStop();
  const stopListening = stop.listen(ports);
  const calls = openCalls(planned, { ...options, suites: project.suites }, ports);
  const spent: (number | undefined)[] = [];
  try {
    const suites: CheckedSuite[] = [];
    for (const suite of project.suites) {
      const wanted = withoutRepeats(suite.labels.filter(({ criterion }) => isWanted(criterion.judge.id, options)));
      if (wanted.length === 0) continue;
      const judged = await askAll(wanted, suite, { calls, planned, signal: stop.signal, spent });
      const measured = measureSuite(suite, judged);
      const validations = listValidations(suite, measured);
      const mayKeep = options.keep && stop.interrupted() === undefined;
      const stored = mayKeep
        ? storeValidations(suite, validations, { root: project.root, cwd: ports.cwd })
        : { isChanged: false };
      suites.push({ suite: suite.id, criteria: describeLacks(suite, measured, validations), ...stored });
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

/** Keeps the first label of each answer: a copied row is no further evidence. */
function withoutRepeats(labels: readonly LabelledAnswer[]): readonly LabelledAnswer[] {
  const keyOf = ({ criterion, vars, answer, other, label }: LabelledAnswer): string =>
    canonicalJson([criterion.judge.id, criterion.criterionHash, vars, answer, other ?? null, label]);
  return [...groupBy(labels, keyOf).values()].map(([first]) => first);
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
  const limits = suite.askedModels.map((model) => asking.calls.cellsAtOnceFor(model));
  await runConcurrently(work, () => Math.max(...limits.map((atOnce) => atOnce())));
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
  // Whether a tie passes depends on the comparison's `min`. A win always passes, a loss never.
  const isTie = verdict.assertion === 'pairwise' && verdict.score === 0.5;
  return { said: isTie ? 'tie' : verdict.pass ? 'pass' : 'fail', verdict };
}

/** Measures each criterion of a suite that has judged labels. */
function measureSuite(suite: Suite, judged: readonly JudgedLabel[]): readonly MeasuredCriterion[] {
  const isOf =
    ({ judge, criterionHash }: Criterion) =>
    ({ label: { criterion } }: JudgedLabel) =>
      criterion.criterionHash === criterionHash && criterion.judge.id === judge.id;
  return suite.criteria
    .map((criterion) => measureJudge(criterion, judged.filter(isOf(criterion))))
    .filter(({ validation, errored }) => validation.cases + errored > 0);
}

/** The measurements as they are stored, each with a hash of its labels. */
function listValidations(suite: Suite, measured: readonly MeasuredCriterion[]): readonly JudgeValidation[] {
  return measured.map(({ criterion, validation }) => ({
    ...validation,
    labels: hashLabels(suite.labels, criterion),
  }));
}

/** Adds to each measurement why the judge may not decide. */
function describeLacks(
  suite: Suite,
  measured: readonly MeasuredCriterion[],
  validations: readonly JudgeValidation[],
): CheckedSuite['criteria'] {
  return measured.map((found) => ({
    ...found,
    ...defined({ lack: describeUnvalidated(found.criterion, validations, suite) }),
  }));
}

/** Stores new measurements and keeps older ones. Drops those of checks no longer in the suite. */
function storeValidations(
  suite: Suite,
  fresh: readonly JudgeValidation[],
  { root, cwd }: { readonly root: string; readonly cwd: string },
): Required<Pick<CheckedSuite, 'file' | 'isChanged'>> {
  const path = validationPathOf(root, suite.path);
  const file = relative(cwd, path);
  const isAsked = ({ judge, criterionHash }: JudgeValidation) =>
    suite.criteria.some((criterion) => criterion.judge.id === judge && criterion.criterionHash === criterionHash);
  const isFresh = ({ judge, criterionHash }: JudgeValidation) =>
    fresh.some((other) => other.judge === judge && other.criterionHash === criterionHash);
  // There is no measurement without a verdict.
  const usable = fresh.filter(({ cases }) => cases > 0);
  const isChanged = withFileLock(path, () => {
    const kept = readValidations(path, file).filter((old) => isAsked(old) && !isFresh(old));
    return writeValidations(path, [...kept, ...usable]);
  });
  return { file, isChanged };
}

/** A labelled answer with the judge's verdict, or why there is none. */
interface JudgedLabel {
  readonly label: LabelledAnswer;
  readonly said?: LabelledAnswer['label'];
  readonly verdict?: Verdict;
  readonly error?: string;
}

interface MeasuredCriterion {
  readonly criterion: Criterion;
  readonly validation: JudgeValidation;
  /** Labelled answers without a verdict; they are not measured. */
  readonly errored: number;
  /** Confusion matrix: counts by verdict and label. */
  readonly confusion: readonly { readonly said: string; readonly label: string; readonly count: number }[];
  /** For comparisons: wins of the first and second answer and ties, over both orders. */
  readonly positions?: { readonly first: number; readonly second: number; readonly tie: number };
  /** Rank correlation of answer length with verdict minus label. Above 0, the judge prefers long answers. */
  readonly lengthBias: CorrelationEstimate;
  /** Answers with a wrong or missing verdict, in file order. */
  readonly wrong: readonly JudgedLabel[];
}

const worth = { fail: 0, tie: 0.5, pass: 1 } as const;

/** Compares a judge's verdicts with the labels of one criterion. */
function measureJudge(criterion: Criterion, labelled: readonly JudgedLabel[]): MeasuredCriterion {
  const judged = labelled.flatMap(({ label, said, verdict }) => (said === undefined ? [] : [{ label, said, verdict }]));
  const categories = (['pass', 'tie', 'fail'] as const).filter((category) =>
    judged.some(({ label, said }) => said === category || label.label === category),
  );
  const counts = categories.map((said) =>
    categories.map((label) => judged.filter((one) => one.said === said && one.label.label === label).length),
  );
  const { kappa, agreement, low, high } = cohenKappa(counts, validationAlpha);
  const { judge, assertion, name, criterionHash } = criterion;
  const positions = sumPositions(judged.map(({ verdict }) => verdict));
  const measured = { criterionHash, cases: judged.length, agreement, kappa, low, high, counts: countFound(judged) };
  return {
    criterion,
    validation: { judge: judge.id, assertion, ...defined({ name }), ...measured },
    errored: labelled.length - judged.length,
    confusion: categories.flatMap((said, i) =>
      categories.map((label, j) => ({ said, label, count: counts[i]?.[j] ?? 0 })),
    ),
    ...defined({ positions }),
    lengthBias: rankCorrelation(
      judged.map(({ label, said }) => [
        label.answer.length - (label.other?.length ?? 0),
        worth[said] - worth[label.label],
      ]),
      validationAlpha,
    ),
    wrong: labelled.filter(({ label, said }) => said !== label.label),
  };
}

type Said = Required<Pick<JudgedLabel, 'label' | 'said'>>;

/**
 * Counts the labelled passes and failures that the judge found. A tie passes, unless the check demands a win. Unevenly
 * drawn answers count by their weight relative to the largest, so the uncertainty is never understated.
 */
function countFound(judged: readonly Said[]): JudgeCounts {
  const weightOf = weigh(judged);
  const largest = Math.max(...judged.map(weightOf));
  const count = (wanted: (one: Said) => boolean) =>
    judged.filter(wanted).reduce((sum, one) => sum + weightOf(one) / largest, 0);
  const isGood = ({ label }: Said) => isPass(label.label, label);
  const isFound = ({ label, said }: Said) => isPass(said, label) === isPass(label.label, label);
  return {
    passesFound: count((one) => isGood(one) && isFound(one)),
    passes: count(isGood),
    failuresFound: count((one) => !isGood(one) && isFound(one)),
    failures: count((one) => !isGood(one)),
  };
}

/** Number of stored answers that a labelled one represents, relative to the mean; 1 if it was not drawn. */
function weigh(judged: readonly Said[]): (one: Said) => number {
  const groupOf = ({ label }: Said) => `${label.drawn?.stratum} of ${label.drawn?.of}`;
  const drawn = judged.filter(({ label }) => label.drawn !== undefined);
  const groups = groupBy(drawn, groupOf);
  const sizeOf = ([one]: readonly Said[]) => one?.label.drawn?.of ?? 0;
  const mean = sum([...groups.values()].map(sizeOf)) / drawn.length;
  return (one) => {
    const group = groups.get(groupOf(one));
    return group === undefined ? 1 : sizeOf(group) / group.length / mean;
  };
}

function isPass(verdict: LabelledAnswer['label'], { check }: LabelledAnswer): boolean {
  const min = isJsonObject(check.params) ? check.params['min'] : undefined;
  return worth[verdict] >= (typeof min === 'number' ? min : 0.5);
}

function sumPositions(verdicts: readonly (Verdict | undefined)[]): MeasuredCriterion['positions'] {
  const found = verdicts.flatMap((verdict) => verdict?.judgement?.positions ?? []);
  if (found.length === 0) return undefined;
  return found.reduce(
    (sum, { first, second, tie }) => ({ first: sum.first + first, second: sum.second + second, tie: sum.tie + tie }),
    { first: 0, second: 0, tie: 0 },
  );
}
