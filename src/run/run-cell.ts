import { failurePolicies, findUnusable } from '../calls/failure-policies.ts';
import { defined } from '../json/defined.ts';
import type {
  CallRecord,
  Cell,
  CellDecision,
  CellResult,
  JudgedAnswer,
  JudgedChecks,
  SkipReason,
  UnusableCost,
} from '../model/cell.ts';
import type { RowClass } from '../model/classes.ts';
import type {
  Complete,
  Completion,
  CompletionRequest,
  Message,
  ProviderFailure,
  ToolCall,
} from '../model/completion.ts';
import type { Turn } from '../model/suite.ts';
import type { CheckSpec, SelectSpec, Verdict } from '../model/verdict.ts';
import { sumKnown } from '../stats/means.ts';

/** What a cell needs of the world. */
export interface CellPorts {
  readonly complete: Complete;
  /** Names a request in the record; the cache's key. */
  requestKey(request: CompletionRequest): string;
  /** What an answer costs, asked live or through the provider's batch API; undefined where no price is known. */
  costOf(completion: Pick<Completion, 'usage'>, how: 'live' | 'batch'): number | undefined;
  judge(checks: readonly CheckSpec[], answer: JudgedAnswer): Promise<JudgedChecks>;
  decide(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision;
  /** The class that an answer names; null where it names none. */
  classify(found: SelectSpec, completion: Completion): string | null;
  /** Why the run is being stopped, once it is. */
  stopReason(): SkipReason | undefined;
}

/** Runs one cell to its end: the prompt's request, then each turn with the model's own answers in between. */
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

/** What every result says of its cell. `cellHash` is the hash of all that it ran, `found` the class that its answer names. */
export function describeCell(cell: Cell, cellHash: string, found?: string | null) {
  const { key, stamp, observe, mustPass, group, slices, at, confirmation, side } = cell;
  const classified = describeClass(cell, found);
  return { key, cellHash, stamp, observe, mustPass, at, ...defined({ group, slices, classified, confirmation, side }) };
}

function describeClass({ classes }: Cell, found: string | null | undefined): RowClass | undefined {
  return classes && { truth: classes.truth, ...defined({ found }), by: classes.by };
}

/** Members that every result of a cell has. */
type Described = keyof ReturnType<typeof describeCell>;

/** How a conversation ended. */
type Ending =
  | { readonly status: 'judged'; readonly passed: boolean; readonly score: number; readonly failure?: ProviderFailure }
  | { readonly status: 'errored'; readonly failure: ProviderFailure }
  | { readonly status: 'skipped'; readonly reason: SkipReason; readonly message?: string };

type EndedCell = CellResult extends infer Result
  ? Result extends CellResult
    ? Omit<Result, Described>
    : never
  : never;

/** The requests, answers and verdicts of one cell. */
class Conversation {
  readonly #cell: Cell;
  readonly #ports: CellPorts;
  readonly #signal: AbortSignal;
  #messages: readonly Message[];
  readonly #calls: CallRecord[] = [];
  readonly #verdicts: Verdict[] = [];
  #attempts = 0;
  #judgeCostUsd: number | undefined = 0;
  #judgeFailure: ProviderFailure | undefined;
  #unusable: UnusableCost | undefined;
  /** True once the last turn was answered. */
  #isWhole = false;

  constructor(cell: Cell, ports: CellPorts, signal: AbortSignal) {
    this.#cell = cell;
    this.#ports = ports;
    this.#signal = signal;
    this.#messages = cell.request.messages;
  }

  async run(requestKey: string): Promise<Ending> {
    const { request, turns, checks } = this.#cell;
    const failure = await this.#ask(request, requestKey);
    if (failure !== undefined) return this.#endWithout(failure);
    for (let next = 0; next < turns.length; ) {
      const step = planStep(turns, next, this.#messages.at(-1)?.toolCalls ?? []);
      if ('problem' in step) {
        this.#verdicts.push(turnVerdict(step.problem, next));
        return { status: 'judged', passed: false, score: 0 };
      }
      next = step.nextTurn;
      const ending = await this.#takeStep(step);
      if (ending !== undefined) return ending;
    }
    this.#isWhole = true;
    await this.#judge(checks, undefined);
    return this.#decide();
  }

  resultOf(ending: Ending): EndedCell {
    const [calls, verdicts, attempts, judgeCostUsd] = [this.#calls, this.#verdicts, this.#attempts, this.#judgeCostUsd];
    switch (ending.status) {
      case 'skipped':
        return { ...ending, calls, ...(judgeCostUsd === 0 ? {} : { judgeCostUsd }) };
      case 'errored':
        return { attempts, verdicts, calls, judgeCostUsd, ...ending, ...defined({ unusable: this.#unusable }) };
      case 'judged':
        return { attempts, verdicts, calls, judgeCostUsd, ...ending };
    }
  }

  /** The class that the last answer names, null where it names none; undefined without a verdict on it. */
  classify(ending: Ending): string | null | undefined {
    const { classes } = this.#cell;
    if (classes === undefined || ending.status !== 'judged') return undefined;
    const completion = this.#isWhole ? this.#calls.at(-1)?.completion : undefined;
    return completion === undefined ? null : this.#ports.classify(classes.found, completion);
  }

  async #takeStep({ messages, checks, nextTurn }: Step): Promise<Ending | undefined> {
    this.#messages = [...this.#messages, ...messages];
    const request = { ...this.#cell.request, messages: this.#messages };
    const failure = await this.#ask(request, this.#ports.requestKey(request));
    if (failure !== undefined) return this.#endWithout(failure);
    await this.#judge(checks, nextTurn - 1);
    return undefined;
  }

  /** Sends one request and adds its answer to the conversation, or says why there is none. */
  async #ask(request: CompletionRequest, requestHash: string): Promise<ProviderFailure | undefined> {
    const ports = this.#ports;
    const outcome = await ports.complete(request, this.#signal);
    this.#attempts += outcome.attempts;
    if (outcome.status === 'failed') {
      const unusable = findUnusable(outcome);
      if (unusable !== undefined) {
        const costUsd = ports.costOf(unusable, 'live');
        const billedUsd = outcome.batched === true ? ports.costOf(unusable, 'batch') : costUsd;
        this.#unusable = { costUsd, billedUsd };
      }
      return outcome.failure;
    }
    const { completion, cached, attempts, batched } = outcome;
    this.#messages = this.#messages.concat(answerMessage(completion, this.#calls.length));
    const billed = batched === true ? { costUsd: ports.costOf(completion, 'batch') } : undefined;
    const costUsd = ports.costOf(completion, 'live');
    this.#calls.push({ requestHash, completion, cached, attempts, costUsd, ...defined({ billed }) });
    return undefined;
  }

  /** Makes checks on the last answer. */
  async #judge(checks: readonly CheckSpec[], turn: number | undefined): Promise<void> {
    const [cell, calls] = [this.#cell, this.#calls];
    const completion = calls.at(-1)?.completion;
    if (completion === undefined || checks.length === 0) return;
    const judged = await this.#ports.judge(checks, {
      cell,
      completion,
      latencyMs: sumKnown(calls, (call) => call.completion.latencyMs),
      costUsd: sumKnown(calls, (call) => call.costUsd),
      calls: [...calls],
      conversation: this.#messages.slice(cell.request.messages.length, -1),
    });
    this.#verdicts.push(...judged.verdicts.map((verdict) => (turn === undefined ? verdict : { ...verdict, turn })));
    this.#judgeCostUsd = sumKnown([this.#judgeCostUsd, judged.judgeCostUsd], (costUsd) => costUsd);
    this.#judgeFailure = judged.failure ?? this.#judgeFailure;
  }

  #decide(): Ending {
    const decision = this.#ports.decide(this.#verdicts, this.#cell.threshold);
    if (decision.status === 'decided') return { status: 'judged', passed: decision.passed, score: decision.score };
    const { kind } = this.#judgeFailure ?? {};
    const isStopped = this.#signal.aborted && kind !== 'budget';
    const isOfRun = kind === 'budget' || kind === 'aborted' || kind === 'cacheMiss';
    return this.#endWithout({ kind: isStopped ? 'aborted' : isOfRun ? kind : 'check', message: decision.reason });
  }

  /** A cell that the run itself stopped is skipped, one whose prompt is at fault fails, any other is errored. */
  #endWithout(failure: ProviderFailure): Ending {
    if (failure.kind === 'budget') return { status: 'skipped', reason: 'budget', message: failure.message };
    const reason = this.#ports.stopReason();
    if (failure.kind === 'aborted' && reason !== undefined) return { status: 'skipped', reason };
    if (failurePolicies[failure.kind].failsCell) return { status: 'judged', passed: false, score: 0, failure };
    return { status: 'errored', failure };
  }
}

/** An API takes a tool's result only under its call's id, so calls without an id get one. */
function answerMessage({ text, toolCalls }: Completion, answer: number): Message {
  if (toolCalls.length === 0) return { role: 'assistant', content: text };
  const named = toolCalls.map((call, position) => ({ ...call, id: call.id ?? `call_${answer}_${position}` }));
  return { role: 'assistant', content: text, toolCalls: named };
}

interface Step {
  readonly messages: readonly Message[];
  readonly checks: readonly CheckSpec[];
  readonly nextTurn: number;
}

/** What is sent next: a user's message, or the results of all calls that the last answer made. */
function planStep(turns: readonly Turn[], start: number, toolCalls: readonly ToolCall[]): Step | { problem: string } {
  const unanswered = [...toolCalls];
  const results: Message[] = [];
  let nextTurn = start;
  for (let turn = turns[nextTurn]; turn?.kind === 'toolResult'; turn = turns[nextTurn]) {
    const { name, content } = turn;
    const index = unanswered.findIndex((call) => call.name === name);
    const call = unanswered[index];
    if (call === undefined) return { problem: `the result of "${name}" answers no call: ${describeCalls(toolCalls)}` };
    unanswered.splice(index, 1);
    results.push({ role: 'tool', content, name, ...defined({ toolCallId: call.id }) });
    nextTurn += 1;
  }
  if (unanswered.length > 0) return { problem: `no toolResult answers ${quoteNames(unanswered)}` };
  const turn = turns[nextTurn];
  if (results.length > 0 || turn?.kind !== 'user') return { messages: results, checks: [], nextTurn };
  return { messages: [{ role: 'user', content: turn.content }], checks: turn.checks, nextTurn: nextTurn + 1 };
}

function describeCalls(toolCalls: readonly ToolCall[]): string {
  return toolCalls.length === 0 ? 'the model called no tool' : `the model called ${quoteNames(toolCalls)}`;
}

function quoteNames(toolCalls: readonly ToolCall[]): string {
  return toolCalls.map(({ name }) => `"${name}"`).join(', ');
}

function turnVerdict(reason: string, turn: number): Verdict {
  return { assertion: 'turns', pass: false, score: 0, reason, weight: 1, required: true, turn };
}
