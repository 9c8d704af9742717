import { failurePolicies } from '../../calls/failure-policies.ts';
import { defined } from '../../json/defined.ts';
import type { JsonValue } from '../../json/json.ts';
import type {
  CallRecord,
  Cell,
  CellDecision,
  CellResult,
  JudgedAnswer,
  JudgedChecks,
  SkipReason,
  UnusableCost,
} from '../../model/run/cell.ts';
import {
  type AgentStep,
  type AnsweredCall,
  type Complete,
  type Completion,
  type CompletionRequest,
  findUnusable,
  type Message,
  type ProviderFailure,
  type ToolCall,
} from '../../model/run/completion.ts';
import type { CheckSpec, SelectSpec, Verdict } from '../../model/run/verdict.ts';
import { type AgentSettings, maxCallsPerStep } from '../../model/suite/agent.ts';
import { sumUsage } from '../../record/build-cell-row.ts';
import { sumKnown } from '../../stats/descriptive.ts';
import type { ToolSession } from '../../tools/tool-session.ts';
import type { Described } from './describe-cell.ts';
import { answerMessage, describeBroken, planTurn, quoteNames } from './plan-turn.ts';

/** The functions that running a cell needs. */
export interface CellPorts {
  readonly complete: Complete;
  /** The request's id in the record, which is also its cache key. */
  requestKey(request: CompletionRequest): string;
  /** The cost of an answer, live or through the provider's batch API; undefined if no price is known. */
  costOf(completion: Pick<Completion, 'usage'>, how: 'live' | 'batch'): number | undefined;
  judge(checks: readonly CheckSpec[], answer: JudgedAnswer): Promise<JudgedChecks>;
  decide(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision;
  /** The class that an answer names; null if it names none. */
  classify(found: SelectSpec, completion: Completion): string | null;
  /** True if the user's own code answers with text only, so that its tool calls are unknown. */
  readonly hidesCalls: boolean;
  /** Opens the session that answers the tool calls of a cell. */
  openTools(settings: AgentSettings): ToolSession;
  /** The reason why the run is being stopped; undefined if it is not. */
  stopReason(): SkipReason | undefined;
}

/** How a conversation ended. */
export type Ending =
  | { readonly status: 'judged'; readonly passed: boolean; readonly score: number; readonly failure?: ProviderFailure }
  | { readonly status: 'errored'; readonly failure: ProviderFailure }
  | { readonly status: 'skipped'; readonly reason: SkipReason; readonly message?: string };

type EndedCell = CellResult extends infer Result
  ? Result extends CellResult
    ? Omit<Result, Described>
    : never
  : never;

/** The requests, answers and verdicts of one cell. Every step returns how the cell ended, or undefined to go on. */
export class Conversation {
  readonly #cell: Cell;
  readonly #ports: CellPorts;
  readonly #signal: AbortSignal;
  #messages: readonly Message[];
  readonly #calls: CallRecord[] = [];
  readonly #steps: AgentStep[] = [];
  readonly #verdicts: Verdict[] = [];
  #tools: ToolSession | undefined;
  #state: JsonValue | undefined;
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

  async run(): Promise<Ending> {
    try {
      const { request, checks } = this.#cell;
      const ending = (await this.#askUntilAnswered(request)) ?? (await this.#takeTurns());
      if (ending !== undefined) return ending;
      this.#isWhole = true;
      return (await this.#judge(checks, this.#steps, undefined)) ?? this.#decide();
    } finally {
      this.#tools?.close();
    }
  }

  resultOf(ending: Ending): EndedCell {
    const [calls, verdicts, attempts, judgeCostUsd] = [this.#calls, this.#verdicts, this.#attempts, this.#judgeCostUsd];
    const agent = this.#pathState() === 'known' ? defined({ steps: this.#steps, state: this.#state }) : {};
    switch (ending.status) {
      case 'skipped':
        return { ...ending, calls, ...agent, ...defined({ judgeCostUsd: judgeCostUsd || undefined }) };
      case 'errored':
        return {
          attempts,
          verdicts,
          calls,
          judgeCostUsd,
          ...agent,
          ...ending,
          ...defined({ unusable: this.#unusable }),
        };
      case 'judged':
        return { attempts, verdicts, calls, judgeCostUsd, ...agent, ...ending };
    }
  }

  /** The class that the last answer names, null if it names none; undefined without a verdict on it. */
  classify(ending: Ending): string | null | undefined {
    const { classes } = this.#cell;
    if (classes === undefined || ending.status !== 'judged') return undefined;
    const completion = this.#isWhole ? this.#calls.at(-1)?.completion : undefined;
    if (completion === undefined) return null;
    const steps = this.#hasSteps() ? this.#steps : undefined;
    return this.#ports.classify(classes.found, { ...completion, ...defined({ steps, state: this.#state }) });
  }

  /** Takes the turns in order. */
  async #takeTurns(): Promise<Ending | undefined> {
    const { turns } = this.#cell;
    for (let next = 0; next < turns.length; ) {
      const turn = planTurn(turns, next, this.#messages.at(-1)?.toolCalls ?? []);
      if ('problem' in turn) return this.#endAsFailed('turns', turn.problem, next);
      next = turn.next;
      let firstStep = 0;
      if (turn.messages.length > 0) {
        const limit = this.#endAtLimit('has turns left', next - 1);
        if (limit !== undefined) return limit;
        firstStep = this.#steps.length;
        const ending = await this.#askUntilAnswered(this.#requestAfter(turn.messages));
        if (ending !== undefined) return ending;
      }
      if (turn.checks.length > 0) {
        const fault = await this.#judge(turn.checks, this.#steps.slice(firstStep), next - 1);
        if (fault !== undefined) return fault;
      }
    }
    return undefined;
  }

  /** Adds messages to the conversation, and returns the request for the answer. */
  #requestAfter(messages: readonly Message[]): CompletionRequest {
    this.#messages = [...this.#messages, ...messages];
    return { ...this.#cell.request, messages: this.#messages };
  }

  /** Asks the model and answers its tool calls until it makes none. Asks once if the case has no tools. */
  async #askUntilAnswered(first: CompletionRequest): Promise<Ending | undefined> {
    const { agent } = this.#cell;
    let request = first;
    for (;;) {
      const failure = await this.#ask(request);
      if (failure !== undefined) return this.#endByFailure(failure);
      const broken = describeBroken(this.#calls.at(-1)?.completion);
      if (broken !== undefined) return this.#endAsFailed('tools', broken);
      const forbidden = this.#refuseForbiddenCalls();
      if (forbidden !== undefined) return forbidden;
      const calls = this.#messages.at(-1)?.toolCalls ?? [];
      if (agent === undefined || calls.length === 0) return undefined;
      const limit = this.#endAtLimit(`still calls ${quoteNames(calls)}`);
      if (limit !== undefined) return limit;
      if (calls.length > maxCallsPerStep) {
        const reason = `makes ${calls.length} tool calls at once, and ${maxCallsPerStep} are the most`;
        return this.#endAsFailed('tools', reason);
      }
      const results: Message[] = [];
      for (const call of calls) {
        const ending = await this.#answerCall(call, agent, results);
        if (ending !== undefined) return ending;
      }
      request = this.#requestAfter(results);
    }
  }

  /**
   * Fails the cell if a stub forbids a call. The user's own agent has already answered its calls, so stubs can't answer
   * them.
   */
  #refuseForbiddenCalls(): Ending | undefined {
    const { agent } = this.#cell;
    const reported = this.#calls.at(-1)?.completion.steps;
    if (agent === undefined || reported === undefined) return undefined;
    for (const call of reported.flatMap(({ calls }) => calls)) {
      const outcome = this.#toolsOf(agent).judge(call);
      if (outcome?.kind === 'fails') return this.#endAsFailed('tools', outcome.reason);
      if (outcome?.kind === 'errored') return this.#endByTools(outcome.message);
    }
    return undefined;
  }

  /** Fails a cell whose agent would need another answer. */
  #endAtLimit(what: string, turn?: number): Ending | undefined {
    const { agent } = this.#cell;
    if (agent === undefined || this.#steps.length < agent.maxSteps) return undefined;
    const answers = agent.maxSteps === 1 ? '1 answer' : `${agent.maxSteps} answers`;
    return this.#endAsFailed('tools', `${what} after ${answers}, the most that maxSteps allows`, turn);
  }

  /** Answers one tool call, and adds the result to the step and to `results`. */
  async #answerCall(call: ToolCall, agent: AgentSettings, results: Message[]): Promise<Ending | undefined> {
    const outcome = await this.#toolsOf(agent).answer(call, this.#signal);
    if (outcome.kind === 'fails') return this.#endAsFailed('tools', outcome.reason);
    if (outcome.kind === 'errored') return this.#endByTools(outcome.message);
    const { content, isError } = outcome.result;
    const { name, id } = call;
    results.push({ role: 'tool', content, name, ...defined({ toolCallId: id, isError }) });
    const last = this.#steps.at(-1);
    if (last === undefined) return undefined;
    const answered = last.calls.map(
      (known, at): AnsweredCall => (at === results.length - 1 ? { ...known, result: outcome.result } : known),
    );
    this.#steps[this.#steps.length - 1] = { ...last, calls: answered };
    return undefined;
  }

  #toolsOf(agent: AgentSettings): ToolSession {
    this.#tools ??= this.#ports.openTools(agent);
    return this.#tools;
  }

  /** Reads the final state of the tools. */
  async #readState(): Promise<Ending | undefined> {
    const { agent } = this.#cell;
    if (agent === undefined) return undefined;
    const outcome = await this.#toolsOf(agent).state(this.#signal);
    if ('fault' in outcome) return this.#endByTools(outcome.fault);
    // An agent of the user's own reports its state with its answer, whatever stubs the case has.
    if (outcome.state !== undefined) this.#state = outcome.state;
    return undefined;
  }

  /** Ends a cell whose tools could not be run. */
  #endByTools(message: string): Ending {
    return this.#endByFailure({ kind: this.#signal.aborted ? 'aborted' : 'check', message });
  }

  /** True if the cell has steps with tool results besides its answers. */
  #hasSteps(): boolean {
    const { agent, turns } = this.#cell;
    const isTold = this.#calls.some(({ completion }) => completion.steps !== undefined);
    return agent !== undefined || isTold || turns.some(({ kind }) => kind === 'toolResult');
  }

  /**
   * Whether the steps show which tools were called. 'none': the cell has no steps. 'unknown': a program returned text
   * only, without its tool calls.
   */
  #pathState(): 'none' | 'known' | 'unknown' {
    const isHidden = this.#ports.hidesCalls && this.#steps.every(({ calls }) => calls.length === 0);
    if (!this.#hasSteps()) return isHidden ? 'unknown' : 'none';
    // If a case has tools, an object without calls means that the program called none of them.
    const isTextAlone =
      this.#calls.length > 0 && this.#calls.every(({ completion }) => completion.isTextAlone === true);
    return isHidden && isTextAlone ? 'unknown' : 'known';
  }

  /** Sends one request and adds its answer to the conversation, or says why there is none. */
  async #ask(request: CompletionRequest): Promise<ProviderFailure | undefined> {
    const ports = this.#ports;
    const requestHash = ports.requestKey(request);
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
    const { text, toolCalls, latencyMs, usage, steps, state } = completion;
    if (state !== undefined) this.#state = state;
    this.#steps.push(...(steps ?? [defined({ text, calls: toolCalls, latencyMs, usage })]));
    return undefined;
  }

  /** Makes checks on the last answer. `steps` are the answers up to it. */
  async #judge(
    checks: readonly CheckSpec[],
    steps: readonly AgentStep[],
    turn: number | undefined,
  ): Promise<Ending | undefined> {
    const fault = await this.#readState();
    if (fault !== undefined) return fault;
    const cell = this.#cell;
    const calls = this.#calls;
    const completion = calls.at(-1)?.completion;
    if (completion === undefined || checks.length === 0) return undefined;
    const answer = calls.length === 1 ? completion : defined({ ...completion, usage: sumUsage(calls) });
    const promptMessages = cell.promptMessages ?? cell.request.messages.length;
    const judged = await this.#ports.judge(checks, {
      cell,
      completion:
        cell.agent === undefined && completion.steps === undefined
          ? answer
          : { ...answer, toolCalls: steps.flatMap((step) => step.calls) },
      latencyMs: sumKnown(calls, (call) => call.completion.latencyMs),
      costUsd: sumKnown(calls, (call) => call.costUsd),
      conversation: this.#messages.slice(promptMessages, -1),
      steps,
      ...defined({ isPathUnknown: this.#pathState() === 'unknown' ? (true as const) : undefined, state: this.#state }),
    });
    this.#verdicts.push(...judged.verdicts.map((verdict) => (turn === undefined ? verdict : { ...verdict, turn })));
    this.#judgeCostUsd = sumKnown([this.#judgeCostUsd, judged.judgeCostUsd], (costUsd) => costUsd);
    this.#judgeFailure = judged.failure ?? this.#judgeFailure;
    return undefined;
  }

  #decide(): Ending {
    const decision = this.#ports.decide(this.#verdicts, this.#cell.threshold);
    const { kind } = this.#judgeFailure ?? {};
    const isStopped = this.#signal.aborted && kind !== 'budget';
    // Other checks may decide the cell without the interrupted one. But the score would differ from the score of a
    // complete run.
    const isCutOff = isStopped && this.#verdicts.some(({ error }) => error !== undefined);
    if (decision.status === 'decided' && !isCutOff) {
      return { status: 'judged', passed: decision.passed, score: decision.score };
    }
    const message = decision.status === 'errored' ? decision.reason : 'a check was cut off';
    const isOfRun = kind === 'budget' || kind === 'aborted' || kind === 'cacheMiss';
    return this.#endByFailure({ kind: isStopped ? 'aborted' : isOfRun ? kind : 'check', message });
  }

  /** Fails the cell at once, without its checks. */
  #endAsFailed(assertion: 'turns' | 'tools', reason: string, turn?: number): Ending {
    const verdict = { assertion, pass: false, score: 0, reason, weight: 1, required: true, ...defined({ turn }) };
    this.#verdicts.push(verdict);
    return { status: 'judged', passed: false, score: 0 };
  }

  /** Skips the cell if the run was stopped, fails it if its prompt is at fault, else makes it errored. */
  #endByFailure(failure: ProviderFailure): Ending {
    if (failure.kind === 'budget') return { status: 'skipped', reason: 'budget', message: failure.message };
    const reason = this.#ports.stopReason();
    if (failure.kind === 'aborted' && reason !== undefined) return { status: 'skipped', reason };
    if (failurePolicies[failure.kind].failsCell) return { status: 'judged', passed: false, score: 0, failure };
    return { status: 'errored', failure };
  }
}
