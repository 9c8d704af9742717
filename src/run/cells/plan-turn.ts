import { defined } from '../../json/defined.ts';
import { type Completion, findBrokenReason, type Message, type ToolCall } from '../../model/run/completion.ts';
import type { CheckSpec } from '../../model/run/verdict.ts';
import type { Turn } from '../../model/suite/suite.ts';
import { quote } from '../../text/shorten.ts';

interface PlannedTurn {
  /** Empty for checks on the existing answer. */
  readonly messages: readonly Message[];
  readonly checks: readonly CheckSpec[];
  /** The index of the next turn. */
  readonly next: number;
}

/** Plans the next message: a user's turn, or the results of all calls in the last answer. */
export function planTurn(
  turns: readonly Turn[],
  start: number,
  toolCalls: readonly ToolCall[],
): PlannedTurn | { problem: string } {
  const first = turns[start];
  if (first?.kind === 'first') return { messages: [], checks: first.checks, next: start + 1 };
  const unanswered = [...toolCalls];
  const results: Message[] = [];
  const checks: CheckSpec[] = [];
  let next = start;
  for (let turn = turns[next]; turn?.kind === 'toolResult'; turn = turns[next]) {
    const { name, content } = turn;
    const index = unanswered.findIndex((call) => call.name === name);
    const call = unanswered[index];
    if (call === undefined) return { problem: `the result of "${name}" answers no call: ${describeCalls(toolCalls)}` };
    unanswered.splice(index, 1);
    results.push({ role: 'tool', content, name, ...defined({ toolCallId: call.id }) });
    checks.push(...turn.checks);
    next += 1;
  }
  if (unanswered.length > 0) return { problem: `no toolResult answers ${quoteNames(unanswered)}` };
  const turn = turns[next];
  if (results.length > 0 || turn?.kind !== 'user') return { messages: results, checks, next };
  return { messages: [{ role: 'user', content: turn.content }], checks: turn.checks, next: next + 1 };
}

/** The message of an answer. APIs need an id to match a result with its call, so calls without an id get one. */
export function answerMessage({ text, toolCalls, continuation }: Completion, answer: number): Message {
  const own = { role: 'assistant', content: text, ...defined({ continuation }) } as const;
  if (toolCalls.length === 0) return own;
  const named = toolCalls.map((call, position) => ({ ...call, id: call.id ?? `call_${answer}_${position}` }));
  return { ...own, toolCalls: named };
}

function describeCalls(toolCalls: readonly ToolCall[]): string {
  return toolCalls.length === 0 ? 'the model called no tool' : `the model called ${quoteNames(toolCalls)}`;
}

export function quoteNames(toolCalls: readonly ToolCall[]): string {
  return toolCalls.map(({ name }) => `"${name}"`).join(', ');
}

/** Why an answer fails whatever it says: a part of it is lost. Undefined for any other answer. */
export function describeBroken(completion: Completion | undefined): string | undefined {
  const reason = completion && findBrokenReason(completion);
  if (reason === undefined) return undefined;
  const lost = /image/i.test(reason) ? 'an image' : /response|output/i.test(reason) ? 'an answer' : 'a tool call';
  return `the model wrote ${lost} that its API could not read, and the answer lacks it: it stopped by ${quote(reason, 60)}`;
}
