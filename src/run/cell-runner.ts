import { cacheKey } from '../cache/cache-key.ts';
import type { Calls } from '../calls/calls.ts';
import type { Stop } from '../calls/stop.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { createOpenAsker } from '../judges/ask-models.ts';
import { classifyAnswer } from '../judges/classify-answer.ts';
import { decideAnswer, type JudgePorts, judgeAnswer } from '../judges/judge-answer.ts';
import type { Cell, CellResult } from '../model/cell.ts';
import type { CompletionRequest } from '../model/completion.ts';
import type { RunTrace } from '../model/progress.ts';
import type { ProviderConfig } from '../model/suite.ts';
import { isOwnCode, type PlannedRun } from '../plan/plan-run.ts';
import { type FindAccepted, withAcceptedHash } from '../plan/render-cells.ts';
import type { ToolOutcome } from '../tools/tool-outcome.ts';
import type { ComparedAnswers } from './compared-answers.ts';
import type { CellPorts } from './conversation.ts';
import { runCell } from './run-cell.ts';

export interface CellRunnerOptions {
  readonly planned: PlannedRun;
  readonly calls: Calls;
  readonly judgePorts: JudgePorts;
  readonly findAccepted: FindAccepted;
  readonly comparedAnswers: ComparedAnswers;
  readonly stop: Stop;
  readonly bailGate: BailGate | undefined;
  readonly trace: RunTrace | undefined;
  readonly openTools: CellPorts['openTools'];
}

/** Runs the cells of one provider. */
export interface CellRunner {
  /** How many cells may be in work at present. The limits of calls are the provider's own. */
  readonly workers: () => number;
  run(cell: Cell): Promise<CellResult>;
}

/** Gives the runner of a provider, by its key. Confirmation trials get the same one, with its breaker and limits. */
export function createCellRunners(options: CellRunnerOptions): (key: string) => CellRunner {
  const { planned, calls, findAccepted, comparedAnswers, stop, trace, openTools } = options;
  const suites = new Map(planned.plan.suites.map(({ suite }) => [suite.id, suite]));
  const { signal } = stop;
  const openAsker = createOpenAsker({
    calls,
    endpointOf: planned.endpointOf,
    findSuite: (id) => suites.get(id),
    signal,
  });
  const judgePorts: JudgePorts = {
    ...options.judgePorts,
    findAccepted,
    openAsker,
    findOther: comparedAnswers.find,
    ...defined({ onVerdict: trace?.verdict }),
  };
  const judge: CellPorts['judge'] = (checks, answer) => {
    trace?.startChecks();
    return judgeAnswer(checks, answer, judgePorts);
  };
  const runners = new Map<string, CellRunner>();

  function createRunner(key: string): CellRunner {
    const config = planned.providers.get(key);
    if (config === undefined) throw new Error(`the plan has no provider ${key}`);
    const costOf: CellPorts['costOf'] = (completion, how) => calls.costOf(config, completion, how);
    const stopReason = stop.reason;
    const shared = {
      ...judging,
      hidesCalls: hidesCalls(config),
      openTools: trace === undefined ? openTools : traceTools(openTools, trace),
      costOf,
      judge,
      stopReason,
    };
    const portsOf = new Map<string, CellPorts>();
    for (const [id, suite] of suites) portsOf.set(id, { ...shared, complete: calls.completeFor(config, suite) });
    return { workers: calls.workersFor(config), run };

    async function run(cell: Cell): Promise<CellResult> {
      const ports = portsOf.get(cell.key.suite);
      if (ports === undefined) throw new Error(`the plan has no suite ${cell.key.suite}`);
      options.bailGate?.add(cell.request);
      let result: CellResult | undefined;
      try {
        const runIt = () => runCell(withAcceptedHash(cell, findAccepted), ports, signal);
        result = await (trace === undefined ? runIt() : trace.cell(cell, runIt));
        return result;
      } finally {
        // A check that waits for this answer must not wait forever, even where a bug ends the cell.
        comparedAnswers.post(cell.key, result);
      }
    }
  }

  return (key) => {
    const runner = runners.get(key) ?? createRunner(key);
    runners.set(key, runner);
    return runner;
  };
}

/** True for the user's own code, unless its answer has a place for tool calls. */
function hidesCalls(config: ProviderConfig): boolean {
  const { response } = config.options;
  const namesCalls = config.adapter === 'http' && isJsonObject(response) && response['toolCalls'] !== undefined;
  return isOwnCode(config) && !namesCalls;
}

/** Puts a span around every tool call. */
function traceTools(openTools: CellPorts['openTools'], trace: RunTrace): CellPorts['openTools'] {
  return (settings) => {
    const session = openTools(settings);
    return {
      async answer(call, signal) {
        const end = trace.toolCall(call);
        let outcome: ToolOutcome | undefined;
        try {
          outcome = await session.answer(call, signal);
          return outcome;
        } finally {
          end(outcome);
        }
      },
      judge: (call) => session.judge(call),
      state: (signal) => session.state(signal),
      close: () => session.close(),
    };
  };
}

/** What judges the answers of any run. */
const judging = { requestKey: cacheKey, decide: decideAnswer, classify: classifyAnswer } as const;

/** Holds back the first requests of cells once enough cells have failed (`--bail`). */
export interface BailGate {
  /** Marks the first request of a cell. A cell in work may still ask its judges and take its next turns. */
  add(request: CompletionRequest): void;
  /** False for a call that must not be made any more once it has waited for its turn. */
  readonly mayBegin: (request: CompletionRequest) => Promise<boolean>;
}

export function createBailGate(stop: Pick<Stop, 'reason'>): BailGate {
  const firstRequests = new WeakSet<CompletionRequest>();
  return {
    add(request) {
      firstRequests.add(request);
    },
    async mayBegin(request) {
      // The call that made room has been answered, but its cell is not judged yet.
      await new Promise((resolve) => setImmediate(resolve));
      return stop.reason() === undefined || !firstRequests.has(request);
    },
  };
}
