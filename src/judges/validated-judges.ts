import { relative } from 'node:path';
import * as z from 'zod';
import { canonicalJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import type { RecordedJudge, RecordedSuite } from '../model/run/record.ts';
import { type JudgeValidation, validationAlpha, validationFormat } from '../model/run/verdict.ts';
import type { Criterion, LabelledAnswer, Suite } from '../model/suite/suite.ts';
import { defineKeptList } from '../project/kept-list.ts';
import { validationPathOf } from '../project/project-paths.ts';
import { judgeError } from '../stats/agreement.ts';
import { formatCount } from '../text/format-amount.ts';
import { sha256Hex } from '../text/sha256.ts';
import { quote } from '../text/shorten.ts';
import { plainNumbers } from '../text/yaml/exact-numbers.ts';

/** The data on a suite's judges for a record: why they may not decide yet, and how each was measured. */
export function describeJudges(suite: Suite, root: string, cwd: string): Pick<RecordedSuite, 'unvalidated' | 'judges'> {
  const { criteria, labels } = suite;
  if (criteria.length === 0) return {};
  const path = validationPathOf(root, suite.path);
  const validations = readValidations(path, relative(cwd, path));
  const unvalidated = criteria.flatMap((criterion) => describeUnvalidated(criterion, validations, suite) ?? []);
  const judges = criteria.map((criterion): RecordedJudge => {
    const { judge, assertion, name } = criterion;
    const measured = describeMeasured(findValidation(criterion, validations), labels, criterion);
    return { judge: judge.id, assertion, ...defined({ name, measured }) };
  });
  return { ...defined({ unvalidated: unvalidated.length === 0 ? undefined : unvalidated }), judges };
}

function findValidation({ judge, criterionHash }: Criterion, validations: readonly JudgeValidation[]) {
  return validations.find((validation) => validation.judge === judge.id && validation.criterionHash === criterionHash);
}

/** Undefined if the labels changed, or if no answer is labelled good or none bad. */
function describeMeasured(
  found: JudgeValidation | undefined,
  labels: readonly LabelledAnswer[],
  criterion: Criterion,
): RecordedJudge['measured'] {
  if (found?.counts === undefined || isStale(found, labels, criterion)) return undefined;
  const { youdenLow } = judgeError(found.counts, validationAlpha);
  return youdenLow === null ? undefined : { labels: found.cases, youdenLow };
}

function isStale(found: JudgeValidation, labels: readonly LabelledAnswer[], criterion: Criterion): boolean {
  return found.labels !== undefined && found.labels !== hashLabels(labels, criterion);
}

/** Undefined if the judge may decide by this criterion. */
export function describeUnvalidated(
  criterion: Criterion,
  validations: readonly JudgeValidation[],
  { path: suitePath, labels }: Pick<Suite, 'path' | 'labels'>,
): string | undefined {
  const minKappa = criterion.judge.judging?.minKappa;
  if (minKappa === undefined) return undefined;
  const own = validations.filter(({ judge }) => judge === criterion.judge.id);
  const measured = findValidation(criterion, validations);
  const lead = `judge ${quote(criterion.judge.id)} may not decide by ${describeCriterion(criterion)}`;
  const wanted = `minKappa is ${minKappa}`;
  const next = `run llmcheck judge check ${suitePath}`;
  if (measured === undefined) {
    const before = own.some(({ assertion, name }) => assertion === criterion.assertion && name === criterion.name);
    const what = before
      ? 'it was measured before the judge or the check changed'
      : 'its agreement with people was never measured';
    return `${lead}: ${what}, and ${wanted}; ${next}`;
  }
  if (isStale(measured, labels, criterion)) {
    return `${lead}: it was measured before its labels changed, and ${wanted}; ${next}`;
  }
  const { kappa, low, high, cases } = measured;
  const answers = formatCount(cases, 'labelled answer');
  if (cases < minLabels) {
    return `${lead}: it was measured on ${answers}, and minKappa needs at least ${minLabels}; label ${formatCount(minLabels - cases, 'more answer', 'more answers')}, then ${next}`;
  }
  if (kappa === null) return `${lead}: its kappa over ${answers} can't be said, and ${wanted}`;
  if (low !== null && low >= minKappa) return undefined;
  const found = `kappa ${kappa.toFixed(2)} [${show(low)}, ${show(high)}] over ${answers}`;
  if (kappa <= minKappa) return `${lead}: ${found}, and ${wanted}`;
  return `${lead}: ${found}, and its lower bound must reach minKappa, which is ${minKappa}; label more answers, then ${next}`;
}

/** Below this the interval of kappa is too rough to decide by. */
const minLabels = 30;

function describeCriterion({ assertion, name }: Pick<Criterion, 'assertion' | 'name'>): string {
  return name === undefined ? assertion : quote(name);
}

function show(bound: number | null): string {
  return bound === null ? '–' : bound.toFixed(2);
}

/** Hash of the labelled answers of one criterion, independent of their order. */
export function hashLabels(labels: readonly LabelledAnswer[], { judge, criterionHash }: Criterion): string {
  const rows = labels
    .filter(({ criterion }) => criterion.judge.id === judge.id && criterion.criterionHash === criterionHash)
    .map(({ id, vars, answer, other, label, drawn }) =>
      canonicalJson(
        plainNumbers([id, vars, answer, other ?? null, label, ...(drawn === undefined ? [] : [{ ...drawn }])]),
      ),
    );
  return sha256Hex(rows.toSorted().join('\n')).slice(0, 12);
}

const share = z.number().nullable();
const count = z.number().nonnegative();

const countsSchema = z
  .object({ passesFound: count, passes: count, failuresFound: count, failures: count })
  .refine(({ passesFound, passes, failuresFound, failures }) => passesFound <= passes && failuresFound <= failures, {
    error: 'more is found than there is',
  });

const kept = defineKeptList<JudgeValidation>({
  name: 'validations',
  formerName: 'calibrations',
  format: validationFormat,
  row: z.object({
    judge: z.string(),
    assertion: z.string(),
    name: z.string().exactOptional(),
    criterionHash: z.string(),
    labels: z.string().exactOptional(),
    cases: z.int().nonnegative(),
    agreement: share,
    kappa: share,
    low: share,
    high: share,
    counts: countsSchema.exactOptional(),
  }),
  keyOf: ({ judge, assertion, name = '', criterionHash }) => [judge, assertion, name, criterionHash],
  lack: 'holds no validations of judges',
  command: 'llmcheck judge check',
});

/** The stored measurements of a suite's judges. */
export const { read: readValidations, write: writeValidations } = kept;
