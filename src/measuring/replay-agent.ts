import { defined } from '../json/defined.ts';
import type { Cell } from '../model/cell.ts';
import type { Completion, CompletionOutcome } from '../model/completion.ts';
import type { createToolOpener } from '../run/open-tools.ts';
import { runCell } from '../run/run-cell.ts';
import type { KnownAnswer } from './known-answers.ts';

/**
 * An answer with the steps that led to it. Recordings hold each answer of the model alone, so its loop is run again over
 * them: the case's tools answer its calls, and no model is asked. Undefined where the recordings are of another loop.
 */
export async function replayAgent(
  answer: KnownAnswer,
  cell: Cell,
  openTools: ReturnType<typeof createToolOpener>,
): Promise<KnownAnswer | undefined> {
  const { recorded, completion } = answer;
  const isAgent = cell.agent !== undefined;
  if (recorded === undefined || (!isAgent && recorded.length === 1)) return answer;
  let asked = 0;
  const complete = (): Promise<CompletionOutcome> => {
    const next = recorded[asked];
    asked += 1;
    return Promise.resolve(next === undefined ? missing : answered(next));
  };
  const ports = {
    complete,
    openTools,
    hidesCalls: false,
    requestKey: () => '',
    costOf: () => undefined,
    judge: () => Promise.resolve({ verdicts: [], judgeCostUsd: 0 }),
    decide: () => ({ status: 'decided', passed: true, score: 1 }) as const,
    classify: () => null,
    stopReason: () => undefined,
  };
  const result = await runCell(cell, ports, new AbortController().signal);
  // All of the recorded answers, and no more: a case that has changed since asks for others.
  if (result.status !== 'judged' || !result.passed || asked !== recorded.length) return isAgent ? undefined : answer;
  const { steps, state } = result;
  const toolCalls = isAgent && steps !== undefined ? steps.flatMap(({ calls }) => calls) : completion.toolCalls;
  return { ...answer, completion: { ...completion, toolCalls, ...defined({ steps, state }) } };
}

function answered(completion: Completion): CompletionOutcome {
  return { status: 'completed', completion, cached: true, attempts: 0 };
}

const missing: CompletionOutcome = {
  status: 'failed',
  failure: { kind: 'recording', message: 'no further answer is recorded' },
  attempts: 0,
};
