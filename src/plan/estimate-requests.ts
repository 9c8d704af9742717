import { Buffer } from 'node:buffer';
import { type AgentSettings, maxCallsPerStep, maxResultBytes } from '../model/agent.ts';
import type { Cell } from '../model/cell.ts';
import type { Completion, CompletionRequest } from '../model/completion.ts';
import type { CheckSpec } from '../model/verdict.ts';

/**
 * Requests of a cell: the prompt's own, and one for each user turn and for each group of tool results. Where stubs answer
 * the model's tool calls, the most that there may be.
 */
export function countRequests({ turns, agent }: Cell): number {
  if (agent !== undefined) return agent.maxSteps;
  return 1 + turns.filter((_, index) => isRequested(turns, index)).length;
}

/** The most requests of a cell to judges: each vote, and one more where a reply can't be read. */
export function countJudgeRequests({ checks, turns }: Cell): number {
  return countVotes([...checks, ...turns.flatMap((turn) => turn.checks)]) * judgeRounds;
}

/** A judge whose reply can't be read is asked once more. */
export const judgeRounds = 2;

/** An upper bound of what all requests of a cell cost: each later one repeats the whole conversation so far. */
export function boundCell(
  { request, turns, agent }: Cell,
  boundOf: (inputTokens: number, outputTokens: number) => number | undefined,
): number | undefined {
  const output = maxOutputTokens(request);
  if (output === undefined) return undefined;
  if (agent !== undefined) return boundAgent(request, turns, agent, (input) => boundOf(input, output), output);
  let input = inputBytes(request);
  let sum = boundOf(input, output);
  for (const [index, turn] of turns.entries()) {
    if (turn.kind === 'first') continue;
    input += Buffer.byteLength(turn.content) + perMessageOverhead;
    if (!isRequested(turns, index)) continue;
    input += output + perMessageOverhead;
    const bound = boundOf(input, output);
    sum = sum === undefined || bound === undefined ? undefined : sum + bound;
  }
  return sum;
}

/** Each answer may make the most calls that one may make, each with the longest result. */
function boundAgent(
  request: CompletionRequest,
  turns: Cell['turns'],
  { stubs, module, maxSteps }: AgentSettings,
  boundOf: (inputTokens: number) => number | undefined,
  output: number,
): number | undefined {
  const contents = stubs.map(({ answer }) =>
    'content' in answer ? answer.content : 'message' in answer ? answer.message : '',
  );
  const longest =
    module === undefined ? Math.max(0, ...contents.map((text) => Buffer.byteLength(text))) : maxResultBytes;
  const ofTurns = turns.map((turn) =>
    turn.kind === 'first' ? 0 : Buffer.byteLength(turn.content) + perMessageOverhead,
  );
  const base = inputBytes(request) + ofTurns.reduce((sum, bytes) => sum + bytes, 0);
  const growth = output + perMessageOverhead + maxCallsPerStep * (longest + perMessageOverhead);
  let sum: number | undefined = 0;
  for (let step = 0; step < maxSteps; step += 1) {
    const bound = boundOf(base + step * growth);
    sum = sum === undefined || bound === undefined ? undefined : sum + bound;
  }
  return sum;
}

/** Results of several tool calls go in one request, after the last of them. */
function isRequested(turns: Cell['turns'], index: number): boolean {
  return turns[index]?.kind === 'user' || turns[index + 1]?.kind !== 'toolResult';
}

export function countVotes(checks: readonly CheckSpec[]): number {
  return checks.reduce((sum, { asks, assertion, params, children = [] }) => {
    if (asks === undefined) return sum + countVotes(children);
    const { votes = 1 } = params as { readonly votes?: number };
    return sum + votes * (assertion === 'pairwise' ? 2 : 1);
  }, 0);
}

/** No tokenizer makes more tokens than bytes, so bytes are an upper bound for any model. */
export function inputBytes({ messages, params }: CompletionRequest): number {
  let bytes = 0;
  for (const { content, toolCalls, continuation, attachments = [] } of messages) {
    for (const { mediaType, bytes: size } of attachments) {
      bytes += mediaType.startsWith('image/') ? maxImageTokens : size;
    }
    bytes += Buffer.byteLength(content) + perMessageOverhead;
    for (const sent of [toolCalls, continuation]) {
      if (sent !== undefined) bytes += Buffer.byteLength(JSON.stringify(sent));
    }
  }
  for (const key of ['tools', 'functions', 'response_format', 'text']) {
    if (params[key] !== undefined) bytes += Buffer.byteLength(JSON.stringify(params[key]));
  }
  return bytes;
}

/** Vendors scale images down; none counts more tokens for one (2026). */
const maxImageTokens = 20_000;

/** Role and separators of a message, in tokens. */
const perMessageOverhead = 8;

/** The request's own limit on output tokens, over all the choices it asks for. */
export function maxOutputTokens({ params }: Pick<CompletionRequest, 'params'>): number | undefined {
  for (const key of ['max_completion_tokens', 'max_tokens', 'max_output_tokens']) {
    const limit = params[key];
    if (typeof limit === 'number') return limit * (typeof params['n'] === 'number' ? params['n'] : 1);
  }
  return undefined;
}

const firstOutputEstimate = 4096;

/** Bounds output tokens where requests do not. */
interface OutputEstimate {
  observe(completion: Pick<Completion, 'usage'>): void;
  boundOf(request: CompletionRequest): number;
}

/** Where a request sets no limit, twice the longest answer so far is the bound, and one note says so. */
export function createOutputEstimate(note: (message: string) => void): OutputEstimate {
  let longest = 0;
  return {
    observe({ usage }) {
      longest = Math.max(longest, usage?.outputTokens ?? 0);
    },
    boundOf(request) {
      const limit = maxOutputTokens(request);
      if (limit !== undefined) return limit;
      note(
        `requests to ${request.adapter}:${request.model} set no limit on output tokens, so --max-cost reserves an estimate ` +
          'from the answers so far; set max_tokens in params for a hard bound',
      );
      return longest === 0 ? firstOutputEstimate : longest * 2;
    },
  };
}
