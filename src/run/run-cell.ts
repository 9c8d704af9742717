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
import type {
  Complete,
  Completion,
  CompletionRequest,
  Message,
  ProviderFailure,
  ToolCall,
} from '../model/completion.ts';
import type { Turn } from '../model/suite.ts';
import type { CheckSpec, Verdict } from '../model/verdict.ts';

/** What a cell needs of the world. */
export interface CellPorts {
  readonly complete: Complete;
  /** Names a request in the record; the cache's key. */
  requestKey(request: CompletionRequest): string;
  /** What an answer costs that is asked for live, or through the provider's batch API; undefined where no price is known. */
  costOf(request: CompletionRequest, completion: Pick<Completion, 'usage'>, how: 'live' | 'batch'): number | undefined;
  judge(checks: readonly CheckSpec[], answer: JudgedAnswer): Promise<JudgedChecks>;
  decide(verdicts: readonly Verdict[], threshold: number | undefined): CellDecision;
  /** Why the run is being stopped, once it is. */
  stopReason(): SkipReason | undefined;
}

/** Runs one cell to its end: the prompt's request, then each turn with the model's own answers in between. */
export async function runCell(cell: Cell, ports: CellPorts, signal: AbortSignal): Promise<CellResult> {
  const requestKey = ports.requestKey(cell.request);
  const base = describeCell(cell, `${cell.identity}:${requestKey}`);
  if (cell.skip !== undefined) {
    return { status: 'skipped', ...base, reason: 'case', message: cell.skip, calls: [] };
  }
  const talk: Talk = { messages: cell.request.messages, calls: [], verdicts: [], attempts: 0, judgeCostUsd: 0 };
  const ending = await converse(cell, requestKey, talk, ports, signal);
  const { calls, verdicts, attempts, judgeCostUsd } = talk;
  if (ending.status === 'skipped')
    return { calls, ...base, ...ending, ...(judgeCostUsd === 0 ? {} : { judgeCostUsd }) };
  if (ending.status === 'errored') {
    const unusable = talk.unusable === undefined ? {} : { unusable: talk.unusable };
    return { attempts, ...base, ...ending, verdicts, calls, judgeCostUsd, ...unusable };
  }
  return { attempts, ...base, ...ending, verdicts, calls, judgeCostUsd };
}

/** What every result says of its cell. */
export function describeCell(cell: Cell, identity: string) {
  const { key, stamp, observe, mustPass, at } = cell;
  const base = { key, identity, stamp, observe, mustPass, at };
  return cell.confirmation === true ? { ...base, confirmation: true as const } : base;
}

/** What a conversation has come to so far. */
interface Talk {
  messages: readonly Message[];
  readonly calls: CallRecord[];
  readonly verdicts: Verdict[];
  attempts: number;
  judgeCostUsd: number | undefined;
  judgeFailure?: ProviderFailure;
  unusable?: UnusableCost;
}

type Ending =
  | { readonly status: 'judged'; readonly passed: boolean; readonly score: number; readonly failure?: ProviderFailure }
  | { readonly status: 'errored'; readonly failure: ProviderFailure }
  | { readonly status: 'skipped'; readonly reason: SkipReason; readonly message?: string };

async function converse(
  cell: Cell,
  requestKey: string,
  talk: Talk,
  ports: CellPorts,
  signal: AbortSignal,
): Promise<Ending> {
  const failure = await ask(cell.request, requestKey, talk, ports, signal);
  if (failure !== undefined) return endWithout(failure, ports);
  if (cell.turns.length > 0) {
    const ending = await takeTurns(cell, talk, ports, signal);
    if (ending !== undefined) return ending;
  }
  await judge(cell.checks, undefined, cell, talk, ports);
  return endJudged(cell, talk, ports, signal);
}

/** Says each turn and takes the answer to it; gives the ending where the conversation breaks off. */
async function takeTurns(cell: Cell, talk: Talk, ports: CellPorts, signal: AbortSignal): Promise<Ending | undefined> {
  for (let next = 0; next < cell.turns.length; ) {
    const step = planStep(cell.turns, next, talk.messages.at(-1)?.toolCalls ?? []);
    if ('problem' in step) {
      talk.verdicts.push(turnVerdict(step.problem, next));
      return { status: 'judged', passed: false, score: 0 };
    }
    talk.messages = [...talk.messages, ...step.messages];
    next = step.nextTurn;
    const request = { ...cell.request, messages: talk.messages };
    const failure = await ask(request, ports.requestKey(request), talk, ports, signal);
    if (failure !== undefined) return endWithout(failure, ports);
    await judge(step.checks, next - 1, cell, talk, ports);
  }
  return undefined;
}

function endJudged(cell: Cell, talk: Talk, ports: CellPorts, signal: AbortSignal): Ending {
  const decision = ports.decide(talk.verdicts, cell.threshold);
  if (decision.status === 'decided') return { status: 'judged', passed: decision.passed, score: decision.score };
  const isOutOfBudget = talk.judgeFailure?.kind === 'budget';
  const isStopped = signal.aborted || talk.judgeFailure?.kind === 'aborted';
  const isMissing = talk.judgeFailure?.kind === 'cacheMiss';
  const kind = isOutOfBudget ? 'budget' : isStopped ? 'aborted' : isMissing ? 'cacheMiss' : 'check';
  return endWithout({ kind, message: decision.reason }, ports);
}

/** Sends one request and takes its answer into the conversation, or says why there is none. */
async function ask(
  request: CompletionRequest,
  requestHash: string,
  talk: Talk,
  ports: CellPorts,
  signal: AbortSignal,
): Promise<ProviderFailure | undefined> {
  const outcome = await ports.complete(request, signal);
  talk.attempts += outcome.attempts;
  if (outcome.status === 'failed') {
    const unusable = findUnusable(outcome);
    if (unusable !== undefined) {
      const costUsd = ports.costOf(request, unusable, 'live');
      const billedUsd = outcome.batched === true ? ports.costOf(request, unusable, 'batch') : costUsd;
      talk.unusable = { costUsd, billedUsd };
    }
    return outcome.failure;
  }
  const { completion, cached, attempts, batched } = outcome;
  talk.messages = [...talk.messages, answerMessage(completion, talk.calls.length)];
  const call = { requestHash, completion, cached, attempts, costUsd: ports.costOf(request, completion, 'live') };
  talk.calls.push(
    batched === true ? { ...call, billed: { costUsd: ports.costOf(request, completion, 'batch') } } : call,
  );
  return undefined;
}

/** Makes the checks on the last answer. */
async function judge(
  checks: readonly CheckSpec[],
  turn: number | undefined,
  cell: Cell,
  talk: Talk,
  ports: CellPorts,
): Promise<void> {
  const { calls } = talk;
  const completion = calls.at(-1)?.completion;
  if (completion === undefined || checks.length === 0) return;
  let latencyMs: number | undefined = 0;
  let costUsd: number | undefined = 0;
  for (const call of calls) {
    latencyMs = addKnown(latencyMs, call.completion.latencyMs);
    costUsd = addKnown(costUsd, call.costUsd);
  }
  const conversation = talk.messages.slice(cell.request.messages.length, -1);
  const judged = await ports.judge(checks, { cell, completion, latencyMs, costUsd, calls: [...calls], conversation });
  for (const verdict of judged.verdicts) talk.verdicts.push(turn === undefined ? verdict : { ...verdict, turn });
  talk.judgeCostUsd = addKnown(talk.judgeCostUsd, judged.judgeCostUsd);
  if (judged.failure !== undefined) talk.judgeFailure = judged.failure;
}

/** A cell that the run itself stopped is skipped, one whose prompt is at fault fails, any other is errored. */
function endWithout(failure: ProviderFailure, ports: CellPorts): Ending {
  if (failure.kind === 'budget') return { status: 'skipped', reason: 'budget', message: failure.message };
  const stopReason = ports.stopReason();
  if (failure.kind === 'aborted' && stopReason !== undefined) return { status: 'skipped', reason: stopReason };
  if (failurePolicies[failure.kind].failsCell) return { status: 'judged', passed: false, score: 0, failure };
  return { status: 'errored', failure };
}

/** An API takes a tool's result only under its call's id, so calls that came without one get one. */
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

/** What is said next: a user's message, or the results of all calls that the last answer made. */
function planStep(turns: readonly Turn[], start: number, toolCalls: readonly ToolCall[]): Step | { problem: string } {
  const open = [...toolCalls];
  const results: Message[] = [];
  let nextTurn = start;
  for (let turn = turns[nextTurn]; turn?.kind === 'toolResult'; turn = turns[nextTurn]) {
    const { name, content } = turn;
    const [call] = open.splice(indexOrEnd(open, name), 1);
    if (call === undefined) return { problem: `the result of "${name}" answers no call: ${describeCalls(toolCalls)}` };
    results.push({ role: 'tool', content, name, ...defined({ toolCallId: call.id }) });
    nextTurn += 1;
  }
  if (open.length > 0) return { problem: `no toolResult answers ${open.map(({ name }) => `"${name}"`).join(', ')}` };
  const turn = turns[nextTurn];
  if (results.length > 0 || turn?.kind !== 'user') return { messages: results, checks: [], nextTurn };
  return { messages: [{ role: 'user', content: turn.content }], checks: turn.checks, nextTurn: nextTurn + 1 };
}

function indexOrEnd(calls: readonly ToolCall[], name: string): number {
  const index = calls.findIndex((call) => call.name === name);
  return index === -1 ? calls.length : index;
}

function describeCalls(toolCalls: readonly ToolCall[]): string {
  if (toolCalls.length === 0) return 'the model called no tool';
  return `the model called ${toolCalls.map(({ name }) => `"${name}"`).join(', ')}`;
}

function turnVerdict(reason: string, turn: number): Verdict {
  return { assertion: 'turns', pass: false, score: 0, reason, weight: 1, required: true, turn };
}

function addKnown(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}
