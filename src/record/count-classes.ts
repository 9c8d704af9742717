import { isJudged } from '../model/cell.ts';
import { type ClassPolicy, noClass, selectionId } from '../model/classes.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';
import type { Classified } from '../stats/classification.ts';

/** The class of a case; undefined where the suite has none for it. */
export function truthOf({ trials }: Pick<CaseSummary, 'trials'>): string | undefined {
  return trials.find(({ classified }) => classified !== undefined)?.classified?.truth;
}

/** Reads the class that a row's answer names, by the classes of one suite. */
export type FindClass = (row: Pick<RowSummary, 'status' | 'classified'>) => string | undefined;

/** \`noClass\` where an answer names none of the suite's; undefined without a verdict, or where it was found in another way. */
export function createFindClass({ found, names }: Pick<ClassPolicy, 'found' | 'names'>): FindClass {
  const by = selectionId(found);
  const known = new Set(names);
  return ({ status, classified }) => {
    if (!isJudged({ status }) || classified === undefined || classified.by !== by) return undefined;
    if (classified.found === undefined) return undefined;
    return classified.found !== null && known.has(classified.found) ? classified.found : noClass;
  };
}

/** The classified answers to a case of a class; together they weigh as much as one. */
export function classifyRows(
  rows: readonly Pick<RowSummary, 'status' | 'classified'>[],
  truth: string,
  findClass: FindClass,
): readonly Classified[] {
  const classes = rows.map(findClass).filter((name) => name !== undefined);
  return classes.map((found) => ({ truth, found, weight: 1 / classes.length }));
}
