import { Buffer } from 'node:buffer';
import { defined } from '../json/defined.ts';
import type { Complete, Completion } from '../model/run/completion.ts';
import { type AnswerLimits, showBytes, tooLargeFailure } from '../model/suite/limits.ts';

/** Turns an answer that is too large into a failure, wherever it came from. */
export function withAnswerLimits(next: Complete, limits: AnswerLimits): Complete {
  return async (request, signal) => {
    const outcome = await next(request, signal);
    if (outcome.status === 'failed') return outcome;
    const { completion, attempts, batched } = outcome;
    const excess = findExcess(completion, limits);
    if (excess === undefined) return outcome;
    const failure = tooLargeFailure('the answer', excess, completion.usage);
    return { status: 'failed', failure, attempts, ...defined({ batched, limits: outcome.limits }) };
  };
}

/** Why an answer is too large: the end of a sentence about it; undefined if it is not. */
function findExcess(completion: Completion, { textBytes, toolCalls }: AnswerLimits): string | undefined {
  const { steps = [] } = completion;
  const stepCalls = steps.reduce((sum, step) => sum + step.calls.length, 0);
  const calls = Math.max(completion.toolCalls.length, stepCalls, steps.length);
  if (calls > toolCalls) return `has ${showCount(calls)} tool calls, and ${showCount(toolCalls)} are the most`;
  return hasMoreText(completion, textBytes) ? `has more than ${showBytes(textBytes)} of text` : undefined;
}

function hasMoreText({ text, reasoning, refusal, toolCalls, steps = [], state }: Completion, most: number): boolean {
  let left = most;
  const take = (part: string | undefined) => {
    if (part !== undefined && left >= 0) left -= Buffer.byteLength(part);
  };
  for (const part of [text, reasoning, refusal]) take(part);
  for (const { rawArguments } of toolCalls) take(rawArguments);
  for (const step of steps) {
    take(step.text);
    for (const { rawArguments, result } of step.calls) {
      take(rawArguments);
      take(result?.content);
    }
  }
  if (state !== undefined) take(JSON.stringify(state));
  return left < 0;
}

function showCount(count: number): string {
  return count.toLocaleString('en-US');
}
