import type { Cell } from '../model/cell.ts';
import { buildRenderer, laneId, type Plan, type PlanOptions } from './build-plan.ts';

/** A case on one variant of which further trials are wanted. */
export interface FreshTrials {
  readonly suite: string;
  readonly prompt: string;
  readonly provider: string;
  readonly caseId: string;
  /** Behind the planned trials and the fresh ones that were made already. */
  readonly firstTrial: number;
  readonly count: number;
}

/** Renders fresh trials, by lane. The trial number is in the cache key, so each of them is a new sample. */
export function renderFreshCells(
  plan: Plan,
  wanted: readonly FreshTrials[],
  options: PlanOptions,
): ReadonlyMap<string, readonly Cell[]> {
  const lanes = new Map<string, Cell[]>();
  for (const { suite, variants } of plan.suites) {
    const own = wanted.filter((trials) => trials.suite === suite.id);
    if (own.length === 0) continue;
    const cases = new Map(own.map(({ caseId }) => [caseId, own.filter((trials) => trials.caseId === caseId)]));
    for (const testCase of suite.cases()) {
      for (const trials of cases.get(testCase.id) ?? []) {
        const variant = variants.find(
          ({ prompt, provider }) => prompt.id === trials.prompt && provider.id === trials.provider,
        );
        if (variant === undefined) continue;
        const lane = laneId(variant.provider);
        const cells = lanes.get(lane) ?? [];
        lanes.set(lane, cells);
        for (const cell of buildRenderer(suite, variant, options)(testCase, trials.count, trials.firstTrial)) {
          cells.push({ ...cell, confirmation: true });
        }
      }
    }
  }
  return lanes;
}
