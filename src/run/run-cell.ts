import type { Cell, CellResult } from '../model/cell.ts';
import { type CellPorts, Conversation } from './conversation.ts';
import { describeCell } from './describe-cell.ts';

/** Runs one cell to its end: the prompt's request, then each turn, with the model's own answers in between. */
export async function runCell(cell: Cell, ports: CellPorts, signal: AbortSignal): Promise<CellResult> {
  const requestKey = ports.requestKey(cell.request);
  const cellHash = `${cell.cellHash}:${requestKey}`;
  if (cell.skip !== undefined) {
    return { ...describeCell(cell, cellHash), status: 'skipped', reason: 'case', message: cell.skip, calls: [] };
  }
  const conversation = new Conversation(cell, ports, signal);
  const ending = await conversation.run(requestKey);
  const described = describeCell(cell, cellHash, conversation.classify(ending));
  // Faster than a literal that begins with a spread: see build-cases.ts.
  return Object.assign(described, conversation.resultOf(ending));
}
