import { checkLimitMs } from '../assertions/define.ts';
import type { Answer, Mutant } from '../assertions/mutate-answer.ts';
import { mutateTrajectory } from '../assertions/mutate-trajectory.ts';
import { defined } from '../json/defined.ts';
import type { JsonValue } from '../json/json.ts';
import type { Cell } from '../model/run/cell.ts';
import type { Completion, CompletionOutcome, ToolCall } from '../model/run/completion.ts';
import type { CheckSpec } from '../model/run/verdict.ts';
import { runCell } from '../run/cells/cell-runner.ts';
import type { createToolOpener } from '../run/cells/start-tools.ts';
import { namesIn } from '../suite/cases/suite-tools.ts';
import { runWithDeadline } from '../text/deadline.ts';
import { openToolSession } from '../tools/tool-session.ts';
import type { KnownAnswer } from './known-answers.ts';

/**
 * Rebuilds the steps of a recorded answer. Recordings contain only the model's answers, so the loop runs again: the
 * case's tools answer its calls, and no model is asked. Undefined if the recordings do not fit this loop.
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
  // All recorded answers must be used, and no more: a case changed since then would need others.
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

/** Builds an agent's wrong paths from its case and checks. */
export function mutatePath(cell: Cell, checks: readonly CheckSpec[], answer: Answer): Iterable<Mutant> {
  return mutateTrajectory(answer, { forbidden: listForbidden(cell, answer), isOrdered: !isOrderFree(checks) });
}

/** One call of each tool of the case or request that the right answer does not call. */
function listForbidden({ agent, request }: Cell, { toolCalls }: Answer): readonly ToolCall[] {
  const called = new Set(toolCalls.map(({ name }) => name));
  const calls = new Map<string, ToolCall>();
  for (const { name, when } of agent?.stubs ?? []) {
    if (!called.has(name) && !calls.has(name)) calls.set(name, callOf(name, (when?.args ?? {}) as JsonValue));
  }
  for (const name of namesIn(request.params)) {
    if (name !== undefined && !called.has(name) && !calls.has(name)) calls.set(name, callOf(name, {}));
  }
  return [...calls.values()];
}

function callOf(name: string, args: JsonValue): ToolCall {
  return { name, arguments: args, rawArguments: JSON.stringify(args) };
}

/** True if a check accepts calls in any order and no check demands one. Reordered calls are then right. */
function isOrderFree(checks: readonly CheckSpec[]): boolean {
  const orders = checks.flatMap(ordersOf);
  return orders.includes('any') && orders.every((order) => order === 'any');
}

function ordersOf({ assertion, params, children = [] }: CheckSpec): readonly unknown[] {
  const own = params as Readonly<Record<string, unknown>> | null | undefined;
  const { order, calls, after, value, names } = own ?? {};
  const isOfCalls =
    (assertion === 'trajectory' && (calls ?? after) !== undefined) ||
    (assertion === 'toolCalls' && (value ?? names) !== undefined);
  return [...(isOfCalls ? [order] : []), ...children.flatMap(ordersOf)];
}

/** True if the case's tools would end the cell before the answer, so no check needs to notice it. */
export async function isRefusedByTools({ agent }: Cell, { steps }: Answer): Promise<boolean> {
  if (agent === undefined || steps === undefined) return false;
  if (steps.length > agent.maxSteps) return true;
  for (const call of steps.flatMap(({ calls }) => calls)) {
    const stubs = [...agent.stubs];
    // A module may answer any call, and a server the calls of its tools. Neither runs here.
    if (agent.module !== undefined || agent.servers?.has(call.name) === true)
      stubs.push({ name: call.name, answer: { kind: 'returns', content: '' } });
    const session = openToolSession(
      { stubs, maxSteps: agent.maxSteps },
      {
        deadline: (run) => runWithDeadline(run, checkLimitMs),
        startModule() {
          throw new Error('a session without a module starts none');
        },
        startServer() {
          throw new Error('a session without servers asks none');
        },
      },
    );
    if ((await session.answer(call, AbortSignal.any([]))).kind !== 'result') return true;
  }
  return false;
}
