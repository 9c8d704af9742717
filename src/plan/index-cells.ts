import type { Cell } from '../model/cell.ts';
import type { Plan } from './build-plan.ts';

/** Finds the first trial of a case on a variant; the plan is walked once, and only if somebody asks. */
export function indexCells(
  plan: Plan,
): (suite: string, prompt: string, provider: string, caseId: string) => Cell | undefined {
  let index: Map<string, Cell> | undefined;
  return (suite, prompt, provider, caseId) => {
    if (index === undefined) {
      index = new Map();
      for (const lane of plan.providerIds) {
        for (const cell of plan.cells(lane)) {
          const { key } = cell;
          if (key.trial === 0) index.set(JSON.stringify([key.suite, key.prompt, key.provider, key.caseId]), cell);
        }
      }
    }
    return index.get(JSON.stringify([suite, prompt, provider, caseId]));
  };
}
