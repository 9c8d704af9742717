import type { Completion, CompletionRequest, FinishReason, ProviderFailure, ToolCall } from '../model/completion.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { kindOfApiError, readApiError } from './classify-reply.ts';
import { describeText } from './describe-text.ts';

/** One of the two request and answer formats of the OpenAI protocol. */
export interface Dialect {
  /** Below the base URL. */
  readonly path: string;
  /** Grows when the same request is sent differently. */
  readonly version: string;
  buildBody(request: CompletionRequest): JsonObject;
  /** `body` is parsed JSON of a successful status, of any shape. */
  readAnswer(body: unknown, latencyMs: number): Answer;
}

export type Answer = { readonly completion: Completion } | { readonly failure: ProviderFailure };

export function buildToolCall(id: unknown, name: string, rawArguments: unknown): ToolCall {
  const raw = typeof rawArguments === 'string' ? rawArguments : JSON.stringify(rawArguments ?? {});
  return {
    ...(typeof id === 'string' && id !== '' ? { id } : {}),
    name,
    arguments: parseArguments(raw),
    rawArguments: raw,
  };
}

/** The API's word for why it stopped, in the closed list. */
export function mapFinishReason(raw: string | undefined): FinishReason {
  return raw !== undefined && Object.hasOwn(finishReasons, raw.toLowerCase())
    ? (finishReasons[raw.toLowerCase()] ?? 'other')
    : 'other';
}

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  completed: 'stop',
  complete: 'stop',
  end_turn: 'stop',
  eos: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_length: 'length',
  tool_calls: 'toolCalls',
  tool_use: 'toolCalls',
  function_call: 'toolCalls',
  content_filter: 'contentFilter',
  safety: 'contentFilter',
  refusal: 'refusal',
};

export function filtered(): Answer {
  return { failure: { kind: 'contentFilter', message: "the provider's content filter refused the answer" } };
}

export function malformed(found: string): Answer {
  return { failure: { kind: 'malformed', message: `the answer is no completion: ${found}` } };
}

/** An error object that came under a successful status, or undefined where there is none. */
export function readErrorUnderSuccess(body: JsonObject): Answer | undefined {
  const error = body['error'];
  if (error === undefined || error === null) return undefined;
  const said = readApiError(body);
  if (said === undefined) return malformed(`its "error" is ${describeText(JSON.stringify(error))}`);
  const message = `the server reported an error under a successful status: ${describeText(said.message)}`;
  return { failure: { kind: kindOfApiError(said), message } };
}

export function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** A model writes its arguments itself, so they need not be JSON; none at all is how some servers write `{}`. */
function parseArguments(raw: string): JsonValue | undefined {
  if (raw.trim() === '') return {};
  try {
    return JSON.parse(raw) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
