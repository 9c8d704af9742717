import { join } from 'node:path';
import type { Cell } from '../model/cell.ts';
import { UserError } from '../model/errors.ts';
import type { RunHeader } from '../model/record.ts';

/** Finds the cell of a case, for its checks. */
export type FindCell = (
  suite: string,
  prompt: string,
  provider: string,
  caseId: string,
) => Cell | undefined | Promise<Cell | undefined>;

export interface FindCellsOptions {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The cells of a stored run's suites as they stand today; a suite is loaded when it is asked for first. */
export function openCells({ settings, suites }: RunHeader, options: FindCellsOptions): FindCell {
  const opened = new Map<string, Promise<FindCell>>();
  return async (suite, prompt, provider, caseId) => {
    const recorded = suites.find((other) => other.suite === suite);
    if (recorded === undefined) return undefined;
    const known = opened.get(suite);
    const cells = known ?? openSuite(recorded.path, settings, options);
    if (known === undefined) opened.set(suite, cells);
    return (await cells)(suite, prompt, provider, caseId);
  };
}

async function openSuite(
  path: string,
  { maxCostUsd: _maxCostUsd, ...settings }: RunHeader['settings'],
  { root, env }: FindCellsOptions,
): Promise<FindCell> {
  // Most records are compared without a look at their suites, and what reads those is half of the program.
  const [{ loadProject }, { planRun }, { indexCells }] = await Promise.all([
    import('../project/load-project.ts'),
    import('./plan-run.ts'),
    import('./index-cells.ts'),
  ]);
  try {
    const { project } = await loadProject({ paths: [join(root, path)], cwd: root });
    const selection = { filters: [], tags: [], prompts: [], providers: [] };
    return indexCells((await planRun({ project, selection, settings, record: false }, { env })).plan);
  } catch (error) {
    // A suite that is gone or broken has nothing to say of a run that is over.
    if (!(error instanceof UserError)) throw error;
    return () => undefined;
  }
}
