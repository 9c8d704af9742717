import { join } from 'node:path';
import { UserError } from '../model/problem.ts';
import { type Cell, caseKey, type FindCell } from '../model/run/cell.ts';
import type { RunHeader } from '../model/run/record.ts';
import type { Plan } from './build-plan.ts';
import { emptySelection } from './select-cases.ts';

export interface FindCellsOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The cells of a stored run's suites as the files are today. A suite is loaded when one of its cells is needed. */
export function openCells({ settings, suites }: RunHeader, options: FindCellsOptions): FindCell {
  const opened = new Map<string, Promise<FindCell>>();
  return async (suite, prompt, provider, caseId) => {
    const recorded = suites.find((other) => other.suite === suite);
    if (recorded === undefined) return undefined;
    const findCell = opened.get(suite) ?? openSuite(recorded.path, settings, options);
    opened.set(suite, findCell);
    return (await findCell)(suite, prompt, provider, caseId);
  };
}

async function openSuite(
  path: string,
  { maxCostUsd: _maxCostUsd, ...settings }: RunHeader['settings'],
  { root, env }: FindCellsOptions,
): Promise<FindCell> {
  // Most comparisons need no suite, and the code that loads one is half of the program.
  const [{ loadProject }, { planRun }] = await Promise.all([
    import('../project/load-project.ts'),
    import('./plan-run.ts'),
  ]);
  try {
    const { project } = await loadProject({ paths: [join(root, path)], cwd: root });
    return indexCells((await planRun({ project, selection: emptySelection, settings, record: false }, { env })).plan);
  } catch (error) {
    // A run can be judged without its suite, so a missing or broken suite is not an error here.
    if (!(error instanceof UserError)) throw error;
    return () => undefined;
  }
}

/** Finds the first trial of a case on a variant. The plan is walked once, at the first call. */
export function indexCells(
  plan: Plan,
): (suite: string, prompt: string, provider: string, caseId: string) => Cell | undefined {
  let index: Map<string, Cell> | undefined;
  return (suite, prompt, provider, caseId) => {
    index ??= new Map(firstTrials(plan));
    return index.get(caseKey({ suite, prompt, provider, caseId }));
  };
}

function* firstTrials(plan: Plan): Iterable<[string, Cell]> {
  for (const key of plan.providerKeys) {
    for (const cell of plan.cells(key)) if (cell.key.trial === 0) yield [caseKey(cell.key), cell];
  }
}
