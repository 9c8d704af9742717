import { defined } from '../json/defined.ts';
import type { BaselineTrial } from '../model/baseline.ts';
import { isJudged } from '../model/cell.ts';
import type { ClassPolicy } from '../model/classes.ts';
import type { ComparedSide } from '../model/comparison.ts';
import type { CellRow } from '../model/record.ts';
import type { CaseSummary, RowSummary } from '../model/summary.ts';
import { selectionId, truthOf } from '../record/count-classes.ts';

/** An answer as it was kept. */
type KeptAnswer = Pick<BaselineTrial | CellRow, 'output' | 'toolCalls' | 'reasoning'>;

export interface ClassifyOptions {
  readonly classes: ClassPolicy | undefined;
  /** The cases as they are now, for the class of one that had none when it was accepted. */
  readonly candidate: ReadonlyMap<string, CaseSummary>;
  readonly readAnswer: (row: RowSummary) => KeptAnswer | undefined;
}

/** Classifies the stored answers of a side that were classified in another way, or not at all. */
export async function classifyStored(
  side: ComparedSide,
  { classes, candidate, readAnswer }: ClassifyOptions,
): Promise<ComparedSide> {
  if (classes === undefined) return side;
  const by = selectionId(classes.found);
  const isOther = (row: RowSummary) => isJudged(row) && row.classified?.by !== by;
  const changed = new Map<string, CaseSummary>();
  for (const found of side.cases.values()) {
    if (!found.trials.some(isOther)) continue;
    const now = candidate.get(found.caseId);
    const truth = truthOf(found) ?? (now && truthOf(now));
    if (truth === undefined) continue;
    // Loaded late: nearly every comparison works without the assertions.
    const { classifyAnswer } = await import('../judges/classify-answer.ts');
    const classify = (row: RowSummary): RowSummary => {
      const answer = isOther(row) ? readAnswer(row) : undefined;
      if (answer?.output === undefined) return row;
      const { output: text, toolCalls = [], reasoning } = answer;
      const name = classifyAnswer(classes.found, { text, toolCalls, ...defined({ reasoning }) });
      return { ...row, classified: { truth, found: name, by } };
    };
    changed.set(found.caseId, { ...found, trials: found.trials.map(classify) });
  }
  return changed.size === 0 ? side : { ...side, cases: new Map([...side.cases, ...changed]) };
}
