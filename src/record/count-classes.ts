import { canonicalJson } from '../json/canonical-json.ts';
import type { ClassCell, ClassReport, ClassScoreReport, ShareEstimate } from '../model/report/report.ts';
import { isJudged } from '../model/run/cell.ts';
import type { CaseSummary, RowSummary } from '../model/run/summary.ts';
import type { SelectSpec } from '../model/run/verdict.ts';
import { type ClassPolicy, noClass } from '../model/suite/classes.ts';
import { macroF1Interval } from '../stats/bootstrap-f1.ts';
import {
  type Classified,
  type ClassScores,
  classScores,
  confusionMatrix,
  f1Interval,
  macroScores,
} from '../stats/classification.ts';
import { sharedGroups } from '../stats/descriptive.ts';
import { wilsonInterval } from '../stats/proportions.ts';
import { scoreMeanInterval } from '../stats/score-bound.ts';
import { sha256Hex } from '../text/sha256.ts';

/** An id of a selection: the start of its hash. */
export function selectionId(select: SelectSpec): string {
  return sha256Hex(canonicalJson(select)).slice(0, 12);
}

/** The class of a case; undefined if the suite has none for it. */
export function truthOf({ trials }: Pick<CaseSummary, 'trials'>): string | undefined {
  return trials.find(({ classified }) => classified !== undefined)?.classified?.truth;
}

/** Reads the class that a row's answer names, by the classes of one suite. */
type FindClass = (row: Pick<RowSummary, 'status' | 'classified'>) => string | undefined;

/**
 * Finds the class of an answer; `noClass` if it names no class of the suite. Undefined without a verdict, or if the
 * class was selected in another way.
 */
export function createFindClass({ found, names }: Pick<ClassPolicy, 'found' | 'names'>): FindClass {
  const selection = selectionId(found);
  const known = new Set(names);
  return ({ status, classified }) => {
    if (!isJudged({ status }) || classified === undefined || classified.by !== selection) return undefined;
    if (classified.found === undefined) return undefined;
    return classified.found !== null && known.has(classified.found) ? classified.found : noClass;
  };
}

/** Classifies the answers to a case whose class is `truth`. Together they weigh as much as one answer. */
export function classifyRows(
  rows: readonly Pick<RowSummary, 'status' | 'classified'>[],
  truth: string,
  findClass: FindClass,
): readonly Classified[] {
  const classes = rows.map(findClass).filter((name) => name !== undefined);
  return classes.map((found) => ({ truth, found, weight: 1 / classes.length }));
}

interface ClassifiedCase {
  readonly truth: string;
  readonly answers: readonly Classified[];
  readonly group: string | undefined;
}

/** The confusion matrix of a variant, and the scores of its classes. */
export function reportClasses(
  cases: ReadonlyMap<string, CaseSummary>,
  classes: ClassPolicy,
  alpha: number,
): ClassReport {
  const findClass = createFindClass(classes);
  const classified: ClassifiedCase[] = [];
  for (const found of cases.values()) {
    const truth = truthOf(found);
    if (truth === undefined) continue;
    const answers = classifyRows(found.trials, truth, findClass);
    if (answers.length > 0) classified.push({ truth, answers, group: found.group });
  }
  const matrix = confusionMatrix(classified.flatMap(({ answers }) => answers));
  const { names } = classes;
  const macro = macroScores(matrix, names);
  return {
    names,
    cells: listCells(matrix),
    scores: classScores(matrix).flatMap((scores, index) => {
      const found = matrix.counts.reduce((sum, row) => sum + (row[index] ?? 0), 0);
      const right = matrix.counts[index]?.[index] ?? 0;
      if (scores.support === 0) return [];
      const own = classified.filter(({ truth }) => truth === scores.name);
      return [scoreClass({ ...scores, found, right }, own, alpha)];
    }),
    macro: {
      precision: macro.precision,
      recall: macro.recall,
      f1: macroF1Interval(classified, { alpha, classes: names }),
    },
    others: listOthers(cases, new Set(names)),
  };
}

function listCells({ classes, counts }: ReturnType<typeof confusionMatrix>): readonly ClassCell[] {
  return classes.flatMap((truth, row) =>
    classes.flatMap((found, column): ClassCell[] => {
      const cases = counts[row]?.[column] ?? 0;
      return cases === 0 ? [] : [{ truth, found: found === noClass ? null : found, cases }];
    }),
  );
}

interface CountedClass extends ClassScores {
  /** Number of answers that name the class. `right` counts the correct ones. */
  readonly found: number;
  readonly right: number;
}

function scoreClass(
  { name, support, precision, f1, found, right }: CountedClass,
  cases: readonly ClassifiedCase[],
  alpha: number,
): ClassScoreReport {
  return {
    class: name,
    cases: cases.length,
    recall: estimateRecall(cases, alpha),
    precision: { value: precision, ...wilsonInterval(Math.min(right, found), found, alpha) },
    f1: { value: f1, ...f1Interval(Math.min(right, support, found), { support, found }, alpha) },
  };
}

/** Estimates recall like a pass rate: a case counts once, however many trials it has. */
function estimateRecall(cases: readonly ClassifiedCase[], alpha: number): ShareEstimate {
  const rights = cases.map(({ answers }) => {
    return answers.filter(({ truth, found }) => truth === found).length / answers.length;
  });
  const { mean, low, high } = scoreMeanInterval(rights, alpha, sharedGroups(cases.map(({ group }) => group)));
  return { value: mean, low, high };
}

/** The answers that named no class. */
function listOthers(cases: ReadonlyMap<string, CaseSummary>, names: ReadonlySet<string>): ClassReport['others'] {
  const counts = new Map<string | null, number>();
  for (const { trials, observe } of cases.values()) {
    for (const row of observe ? [] : trials) {
      const found = isJudged(row) ? row.classified?.found : undefined;
      if (found !== undefined && (found === null || !names.has(found))) counts.set(found, (counts.get(found) ?? 0) + 1);
    }
  }
  return [...counts]
    .map(([found, answers]) => ({ found, answers }))
    .sort((a, b) => b.answers - a.answers || (String(a.found) < String(b.found) ? -1 : 1))
    .slice(0, maxOthers);
}

const maxOthers = 10;
