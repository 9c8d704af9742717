import type { Cell } from '../../model/cell.ts';
import type { Run } from '../open-run.ts';
import { executeInRun } from './execute-cells.ts';

/** Asks the planned cells. True where an early run has failed before it asked all of them. */
export async function askPlanned(run: Run): Promise<boolean> {
  // Most runs ask everything.
  if (run.options.early !== undefined) return (await import('./ask-early.ts')).askEarly(run);
  const { providerKeys } = run.planned.plan;
  await executeInRun(
    run,
    providerKeys.map((key) => [key, cellsToRun(run, key)]),
  );
  return false;
}

/** The planned cells of a provider, without those that an earlier part of the run finished. */
function* cellsToRun({ planned, record }: Run, providerKey: string): Iterable<Cell> {
  for (const cell of planned.plan.cells(providerKey)) if (!record.countIfFinished(cell)) yield cell;
}
