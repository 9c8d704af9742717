import * as z from 'zod';
import { jsonObject, jsonValue, magnitude, type Stored, wholeNumber } from '../../json/stored.ts';
import type { PlacedFile } from '../suite/workspace.ts';

const roles = ['system', 'developer', 'user', 'assistant', 'tool'] as const;

export type Role = (typeof roles)[number];

/** The system, developer or assistant role with this name. Any other name means the user's role. */
export function toRole(name: unknown): Role {
  return name === 'system' || name === 'developer' || name === 'assistant' ? name : 'user';
}

export function isSystemRole(role: Role): boolean {
  return role === 'system' || role === 'developer';
}

/** A file attached to a message. */
const attachmentSchema = z.object({
  /** Relative to the project root, with forward slashes. */
  path: z.string(),
  /** The media type, such as image/png. */
  mediaType: z.string(),
  bytes: wholeNumber,
  /** The hash of its content. */
  sha256: z.string(),
});

export type Attachment = Stored<typeof attachmentSchema>;

export const toolCallSchema = z.object({
  id: z.string().exactOptional(),
  name: z.string(),
  /** The parsed arguments; undefined if `rawArguments` is not JSON. */
  arguments: jsonValue.optional(),
  rawArguments: z.string(),
});

export type ToolCall = Stored<typeof toolCallSchema>;

/** One rendered chat message. Its content is data and is never rendered again. */
export const messageSchema = z.object({
  role: z.enum(roles),
  content: z.string(),
  attachments: z.array(attachmentSchema).exactOptional(),
  /** Calls made by an assistant message. */
  toolCalls: z.array(toolCallSchema).exactOptional(),
  /** The call that a `tool` message answers. */
  toolCallId: z.string().exactOptional(),
  name: z.string().exactOptional(),
  /** Set on a `tool` message that reports an error. */
  isError: z.literal(true).exactOptional(),
  /** Only in an assistant message; see `Completion`. */
  continuation: jsonValue.exactOptional(),
});

export type Message = Stored<typeof messageSchema>;

/** The reasons why a model stops, the same for all APIs. `rawFinishReason` has the API's own word. */
export const finishReasons = ['stop', 'length', 'toolCalls', 'contentFilter', 'refusal', 'other'] as const;

export type FinishReason = (typeof finishReasons)[number];

/**
 * Words of Gemini and Bedrock, and of servers that forward them, for what the model wrote and the API could not read: a call
 * of a tool that was not offered, or that is not well-formed, or an image. The answer lacks it, so that it would seem to
 * make no call.
 */
const brokenReasons =
  /malformed_(?:function_call|response|tool_use|model_output)|unexpected_tool_call|too_many_tool_calls|no_image|image_other/i;

/** The API's word for an answer that it could not read; undefined for any other answer. */
export function findBrokenReason({ rawFinishReason = '' }: Pick<Completion, 'rawFinishReason'>): string | undefined {
  return brokenReasons.test(rawFinishReason) ? rawFinishReason : undefined;
}

/** Token counts with the same meaning for every API. The totals include the parts. */
export const usageSchema = z.object({
  /** All input tokens, including tokens read from the provider's cache. */
  inputTokens: magnitude,
  /** All output tokens, including reasoning. */
  outputTokens: magnitude,
  cachedInputTokens: magnitude.exactOptional(),
  cacheWriteTokens: magnitude.exactOptional(),
  reasoningTokens: magnitude.exactOptional(),
  inputAudioTokens: magnitude.exactOptional(),
  outputAudioTokens: magnitude.exactOptional(),
  /** USD, as reported by the user's own agent. It is used if no price is known. */
  costUsd: magnitude.exactOptional(),
});

export type Usage = Stored<typeof usageSchema>;

/** Names the cell that a request belongs to. It is never part of a cache key. */
export interface RequestOrigin {
  readonly suite: string;
  readonly prompt: string;
  /** The id of the variant's provider (for a judge's call, the judge's id). */
  readonly provider: string;
  readonly caseId: string;
}

/** The part of a request that can change its answer, as it is stored. */
export const keyedRequestSchema = z.object({
  adapter: z.string(),
  /** Increases when an adapter sends the same request in another form. */
  adapterVersion: z.string(),
  baseUrl: z.string().exactOptional(),
  /** A hash of the provider's headers and `stream`; absent if it has neither. */
  settings: z.string().exactOptional(),
  model: z.string(),
  messages: z.array(messageSchema),
  /** Passed to the API unchanged: temperature, seed, tools, response_format … */
  params: jsonObject,
  /** 0-based repetition; part of the cache key, so that every trial is its own sample. */
  trial: wholeNumber,
  /** Variables of the case, if the provider's requests contain them. */
  vars: jsonObject.exactOptional(),
  /** Files that a program finds in its workspace, without their source. Absent for a provider without one. */
  workspace: z.array(z.object({ path: z.string(), sha256: z.string() })).exactOptional(),
});

export type KeyedRequest = Stored<typeof keyedRequestSchema>;

/** A rendered request, ready to send. It holds everything that can change the answer, but no credentials and limits. */
export interface CompletionRequest extends Omit<KeyedRequest, 'workspace'> {
  /** Files that a program finds in its workspace. Absent for a provider without one. */
  readonly workspace?: readonly PlacedFile[];
  readonly origin: RequestOrigin;
}

/** The result of a tool call. */
const toolResultSchema = z.object({
  content: z.string(),
  isError: z.literal(true).exactOptional(),
  /** Absent if it was not measured, as for a stub. */
  latencyMs: magnitude.exactOptional(),
});

export type ToolResult = Stored<typeof toolResultSchema>;

/** A tool call and its result; a call that ended the cell has none. */
export const answeredCallSchema = z.object({ ...toolCallSchema.shape, result: toolResultSchema.exactOptional() });

export type AnsweredCall = Stored<typeof answeredCallSchema>;

/** One answer of the model, with the tool calls that it made. */
export const agentStepSchema = z.object({
  text: z.string(),
  calls: z.array(answeredCallSchema),
  latencyMs: magnitude.exactOptional(),
  usage: usageSchema.exactOptional(),
});

export type AgentStep = Stored<typeof agentStepSchema>;

export const completionSchema = z.object({
  text: z.string(),
  /** Reasoning is kept apart from the text. */
  reasoning: z.string().exactOptional(),
  refusal: z.string().exactOptional(),
  toolCalls: z.array(toolCallSchema),
  /** Undefined if there is none, as in a recording written by hand. */
  finishReason: z.enum(finishReasons).exactOptional(),
  rawFinishReason: z.string().exactOptional(),
  /** Undefined if the API reported none. */
  usage: usageSchema.exactOptional(),
  /**
   * Time of the successful attempt on a monotonic clock, without queueing and waits between retries. Absent if not
   * measured, as in a batch.
   */
  latencyMs: magnitude.exactOptional(),
  /** Time from just before sending to the first text, refusal or tool call; absent if the answer was not streamed. */
  firstTokenMs: magnitude.exactOptional(),
  responseId: z.string().exactOptional(),
  /** The model snapshot as the API answered it. */
  model: z.string().exactOptional(),
  systemFingerprint: z.string().exactOptional(),
  /** The steps of the user's own agent, as its program reports them. The last step is the answer itself. */
  steps: z.array(agentStepSchema).exactOptional(),
  /** The final state that the user's own agent reports. */
  state: jsonValue.exactOptional(),
  /** The user's own code returned only text, which can't tell the tools that it called. */
  isTextAlone: z.literal(true).exactOptional(),
  /** Data that the adapter must send back if the conversation continues, such as signed reasoning. */
  continuation: jsonValue.exactOptional(),
});

export type Completion = Stored<typeof completionSchema>;

/** The kinds of failures. Each has a policy in calls/failure-policies.ts. */
export const failureKinds = [
  'auth', // key missing or refused: stops the provider
  'notFound', // no such model or path: stops the provider
  'badRequest',
  'contextLength', // fails the cell: a fact about the prompt
  'contentFilter', // fails the cell
  'stepLimit', // fails the cell: an agent of the user's own stopped before its answer
  'tooLarge', // fails the cell: the answer is larger than limits.maxAnswer
  'rateLimit',
  'quota', // stops the provider
  'overloaded',
  'server',
  'network',
  'timeout',
  'malformed', // a reply that is not an answer: empty choices, not JSON, an error object under 200
  'recording', // a recorded answer is missing or stale
  'cacheMiss', // `--cache replay` without an entry
  'check', // the answer came, but a check could not be made: price unknown, judge unreadable, deadline
  'budget', // the reservation did not fit
  'aborted',
] as const;

export type FailureKind = (typeof failureKinds)[number];

/** The longest wait that a server can request. Without it, one header could stop a run for an hour. */
export const maxRetryAfterMs = 60_000;

export interface ProviderFailure {
  readonly kind: FailureKind;
  /** The error and, if there is one, the next step. The code that prints it masks secrets. */
  readonly message: string;
  readonly status?: number;
  /** The wait that the server requested, in milliseconds from now. */
  readonly retryAfterMs?: number;
  /** The part of an interrupted answer that arrived, as the end of a sentence. */
  readonly partial?: string;
  /** The tokens that the API bills for an unusable answer. */
  readonly usage?: Usage;
  /** False if the server says that a retry is useless. Overrides the kind's policy. */
  readonly retryable?: boolean;
}

/** The state of one rate limit, as the server reports it. Unknown members are absent. */
export interface LimitReport {
  readonly unit: 'requests' | 'tokens' | 'inputTokens' | 'outputTokens';
  readonly limit?: number;
  readonly remaining?: number;
  /** Until the limit is whole again, counted from the answer. */
  readonly resetMs?: number;
  /** The scope of the limit, if the server names it. */
  readonly periodMs?: number;
}

export type CompletionOutcome =
  | {
      readonly status: 'completed';
      readonly completion: Completion;
      /** True if no request was sent for this answer. */
      readonly cached: boolean;
      /** Requests sent for it; 0 for a cache hit. */
      readonly attempts: number;
      /** True if the answer came through the provider's batch API, which has its own price. */
      readonly batched?: true;
      /** When the answer was first received, ISO 8601; kept through the cache. */
      readonly receivedAt?: string;
      /** Set if the killed run had sent the request, so that its answer was in the cache. */
      readonly isStored?: true;
      readonly limits?: readonly LimitReport[];
    }
  | {
      readonly status: 'failed';
      readonly failure: ProviderFailure;
      readonly attempts: number;
      /** True if it came through the provider's batch API, as above. */
      readonly batched?: true;
      readonly limits?: readonly LimitReport[];
    };

/** The function type of a model call. Providers, cache, retry, limits and budget all have this type. */
export type Complete = (request: CompletionRequest, signal: AbortSignal) => Promise<CompletionOutcome>;

/**
 * Finds the usage of a billed call without a usable answer. The usage of an unreadable body may be unknown. Undefined
 * if nothing is known to have been billed.
 */
export function findUnusable(outcome: CompletionOutcome): Pick<Completion, 'usage'> | undefined {
  if (outcome.status === 'completed' || outcome.attempts === 0) return undefined;
  const { kind, usage } = outcome.failure;
  if (usage !== undefined) return { usage };
  // A batch bills nothing for a request that brought no answer at all.
  const isUnread = kind === 'malformed' || kind === 'tooLarge';
  return isUnread && outcome.batched !== true ? {} : undefined;
}
