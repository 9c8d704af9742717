import { type FindAccepted } from '../../assertions/define.ts';
import { cacheKey } from '../../cache/cache-key.ts';
import type { Calls } from '../../calls/calls.ts';
import type { Stop } from '../../calls/stop.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject } from '../../json/json.ts';
import { createOpenAsker } from '../../judges/ask-models.ts';
import { classifyAnswer, decideAnswer, type JudgePorts, judgeAnswer } from '../../judges/judge-answer.ts';
import type { Cell, CellResult } from '../../model/run/cell.ts';
import type { RunTrace } from '../../model/run/progress.ts';
import { isOwnCode, type ProviderConfig, type Suite } from '../../model/suite/suite.ts';
import { type PlannedRun } from '../../plan/plan-run.ts';
import { withAcceptedHash } from '../../plan/render-cells.ts';
import type { ToolOutcome } from '../../tools/tool-sources.ts';
import type { BailStop } from './bail.ts';
import type { ComparedAnswers } from './compared-answers.ts';
import { type CellPorts, Conversation } from './conversation.ts';
import { describeCell } from './describe-cell.ts';

interface CellRunnerOptions {
  readonly planned: PlannedRun;
  readonly calls: Calls;
  readonly judgePorts: JudgePorts;
  readonly findAccepted: FindAccepted;
  readonly comparedAnswers: ComparedAnswers;
  readonly stop: Stop;
  readonly bailStop: BailStop | undefined;
  readonly trace: RunTrace | undefined;
  readonly openTools: CellPorts['openTools'];
}

/** Runs the cells of one provider. */
export interface CellRunner {
  /** The number of cells that may run at once at present. The provider's limits apply to calls. */
  readonly cellsAtOnce: () => number;
  run(cell: Cell): Promise<CellResult>;
}

/** Gives the runner of a provider, by its key. Fresh trials get the same one, with its breaker and limits. */
export function createCellRunners(options: CellRunnerOptions): (key: string) => CellRunner {
  const { providers, plan } = options.planned;
  const suites = new Map(plan.suites.map(({ suite }) => [suite.id, suite]));
  const judge = createJudge(suites, options);
  const runners = new Map<string, CellRunner>();
  return (key) => {
    const known = runners.get(key);
    if (known !== undefined) return known;
    const provider = providers.get(key);
    if (provider === undefined) throw new Error(`the plan has no provider ${key}`);
    const runner = createRunner(provider, { suites, judge }, options);
    runners.set(key, runner);
    return runner;
  };
}

type Suites = ReadonlyMap<string, Suite>;

/** Judges an answer. Checks may ask models, or compare with the accepted answer or another cell's. */
function createJudge(suites: Suites, options: CellRunnerOptions): CellPorts['judge'] {
  const { planned, calls, findAccepted, comparedAnswers, stop, trace } = options;
  const openAsker = createOpenAsker({
    calls,
    endpointOf: planned.endpointOf,
    findSuite: (id) => suites.get(id),
    signal: stop.signal,
  });
  const ports: JudgePorts = {
    ...options.judgePorts,
    isStopped: stop.isHard,
    findAccepted,
    openAsker,
    findOther: comparedAnswers.find,
    ...defined({ onVerdict: trace?.verdict }),
  };
  return (checks, answer) => {
    trace?.startChecks();
    return judgeAnswer(checks, answer, ports);
  };
}

function createRunner(
  provider: ProviderConfig,
  { suites, judge }: { readonly suites: Suites; readonly judge: CellPorts['judge'] },
  { calls, findAccepted, comparedAnswers, stop, trace, openTools, bailStop }: CellRunnerOptions,
): CellRunner {
  const shared: Omit<CellPorts, 'complete'> = {
    requestKey: cacheKey,
    decide: decideAnswer,
    classify: classifyAnswer,
    judge,
    hidesCalls: hidesCalls(provider),
    openTools: trace === undefined ? openTools : traceTools(openTools, trace),
    costOf: (completion, how) => calls.costOf(provider, completion, how),
    stopReason: stop.reason,
  };
  const portsOf = new Map<string, CellPorts>();
  for (const [id, suite] of suites) portsOf.set(id, { ...shared, complete: calls.completeFor(provider, suite) });

  async function run(cell: Cell): Promise<CellResult> {
    const ports = portsOf.get(cell.key.suite);
    if (ports === undefined) throw new Error(`the plan has no suite ${cell.key.suite}`);
    bailStop?.markFirst(cell.request);
    let result: CellResult | undefined;
    try {
      const runIt = () => runCell(withAcceptedHash(cell, findAccepted), ports, stop.signal);
      result = await (trace === undefined ? runIt() : trace.cell(cell, runIt));
      return result;
    } finally {
      // A check that waits for this answer must not wait forever, even if a bug ends the cell.
      comparedAnswers.post(cell.key, result);
    }
  }

  return { cellsAtOnce: calls.cellsAtOnceFor(provider), run };
}

/** True for the user's own code, unless its answer can contain tool calls. */
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

/** Runs one cell to its end: the prompt's request, then each turn after the model's previous answer. */
export async function runCell(cell: Cell, ports: CellPorts, signal: AbortSignal): Promise<CellResult> {
  const cellHash = `${cell.cellHash}:${ports.requestKey(cell.request)}`;
  if (cell.skip !== undefined) {
    return { ...describeCell(cell, cellHash), status: 'skipped', reason: 'case', message: cell.skip, calls: [] };
  }
  const conversation = new Conversation(cell, ports, signal);
  const ending = await conversation.run();
  return Object.assign(describeCell(cell, cellHash, conversation.classify(ending)), conversation.resultOf(ending));
}
