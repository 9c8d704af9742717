import { cacheKey } from '../cache/cache-key.ts';
import { type Calls, openCalls } from '../calls/calls.ts';
import type { Dispatch } from '../calls/open-dispatch.ts';
import type { Stop } from '../calls/stop.ts';
import type { BatchAnswers } from '../calls/with-batch.ts';
import { defined } from '../json/defined.ts';
import { createOpenAsker } from '../judges/ask-models.ts';
import { decideAnswer, type JudgePorts, judgeAnswer } from '../judges/judge-answer.ts';
import type { Cell, CellResult, JudgedAnswer } from '../model/cell.ts';
import type { Completion, CompletionRequest } from '../model/completion.ts';
import type { CheckSpec } from '../model/verdict.ts';
import { withAcceptedIdentity } from '../plan/identify.ts';
import type { PlannedRun } from '../plan/plan-run.ts';
import type { RunOptions, RunPorts } from '../plan/run-options.ts';
import type { Lane } from './execute-cells.ts';
import type { OtherAnswers } from './find-other.ts';
import { type CellPorts, runCell } from './run-cell.ts';

/** The providers of a run, ready to take cells. */
export interface Lanes
  extends Pick<Calls, 'isAnswered' | 'batchSpendingOf' | 'isBudgetExhausted' | 'notes' | 'writeRecordings' | 'close'> {
  /** Cells of one provider, ready to run. */
  lane(laneId: string, cells: Iterable<Cell>): Lane;
  /** True where a suite answers from its recordings or the cache alone, so that asking again gives the same answer. */
  readonly isHermetic: (suiteId: string) => boolean;
}

export interface LanePorts {
  readonly stop: Stop;
  readonly judgePorts: JudgePorts;
  readonly others: OtherAnswers;
  readonly batchAnswers?: BatchAnswers;
  readonly dispatch?: Dispatch;
  /** True for an answer from the cache that an earlier part of this run had asked for. */
  readonly isOwn?: (receivedAt: string) => boolean;
}

export function openLanes(
  planned: PlannedRun,
  options: RunOptions,
  ports: RunPorts,
  { stop, judgePorts, others, batchAnswers, dispatch, isOwn }: LanePorts,
): Lanes {
  const { plan, providers } = planned;
  const suites = new Map(plan.suites.map(({ suite }) => [suite.id, suite]));
  const { signal } = stop;
  // What a cell in work still needs, a judge's word or the next turn, is asked for even where the run is to end.
  const firstRequests = new WeakSet<CompletionRequest>();
  const mayBegin = async (request: CompletionRequest): Promise<boolean> => {
    // The call that made room has been answered and not yet judged.
    await new Promise((resolve) => setImmediate(resolve));
    return stop.reason() === undefined || !firstRequests.has(request);
  };
  const calls = openCalls(
    planned,
    {
      ...options,
      ...(options.bail === undefined ? {} : { mayBegin }),
      suites: [...suites.values()],
      ...defined({ batchAnswers, dispatch, isOwn }),
    },
    ports,
  );
  const openAsker = createOpenAsker({
    calls,
    endpointOf: planned.endpointOf,
    findSuite: (id) => suites.get(id),
    signal,
  });
  const { trace } = ports;
  const checkPorts: JudgePorts = {
    ...judgePorts,
    openAsker,
    findOther: others.find,
    ...defined({ onVerdict: trace?.verdict }),
  };
  const runners = new Map<string, Omit<Lane, 'cells'>>();

  function openRunner(laneId: string): Omit<Lane, 'cells'> {
    const config = providers.get(laneId);
    if (config === undefined) throw new Error(`the plan has no provider in lane ${laneId}`);
    const { findAccepted } = judgePorts;
    const identified = (cell: Cell) => (findAccepted === undefined ? cell : withAcceptedIdentity(cell, findAccepted));
    const cellPorts = {
      requestKey: cacheKey,
      costOf: (_request: CompletionRequest, completion: Pick<Completion, 'usage'>, how: 'live' | 'batch') =>
        calls.costOf(config, completion, how),
      judge: (checks: readonly CheckSpec[], answer: JudgedAnswer) => {
        trace?.startChecks();
        return judgeAnswer(checks, answer, checkPorts);
      },
      decide: decideAnswer,
      stopReason: stop.reason,
    };
    const bySuite = new Map<string, CellPorts>();
    for (const [id, suite] of suites) bySuite.set(id, { ...cellPorts, complete: calls.completeFor(config, suite) });
    return {
      workers: calls.workersFor(config),
      async run(cell) {
        const own = bySuite.get(cell.key.suite);
        if (own === undefined) throw new Error(`the plan has no suite ${cell.key.suite}`);
        if (options.bail !== undefined) firstRequests.add(cell.request);
        let result: CellResult | undefined;
        try {
          const run = () => runCell(identified(cell), own, signal);
          result = await (trace === undefined ? run() : trace.cell(cell, run));
          return result;
        } finally {
          // Whoever waits for this answer must not wait for ever, not even where a bug ends the cell.
          others.post(cell.key, result);
        }
      },
    };
  }

  return {
    lane(laneId, cells) {
      // Fresh trials go through the same breaker, limits and connection as the planned ones.
      let runner = runners.get(laneId);
      if (runner === undefined) {
        runner = openRunner(laneId);
        runners.set(laneId, runner);
      }
      return { ...runner, cells };
    },
    isHermetic(suiteId) {
      const suite = suites.get(suiteId);
      return suite !== undefined && calls.isHermetic(suite);
    },
    isAnswered: calls.isAnswered,
    batchSpendingOf: calls.batchSpendingOf,
    isBudgetExhausted: calls.isBudgetExhausted,
    notes: calls.notes,
    writeRecordings: calls.writeRecordings,
    close: calls.close,
  };
}
