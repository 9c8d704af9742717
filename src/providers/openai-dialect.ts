import type { FinishReason } from '../model/completion.ts';
import type { JsonObject } from '../model/json.ts';
import type { Answer } from './answer.ts';
import type { OutgoingRequest } from './outgoing.ts';

/** One of the two request and answer formats of the OpenAI protocol. */
export interface Dialect {
  /** Below the base URL. */
  readonly path: string;
  /** Grows when the same request is sent differently. */
  readonly version: string;
  buildBody(request: OutgoingRequest): JsonObject;
  /** `body` is parsed JSON of a successful status, of any shape. */
  readAnswer(body: unknown, latencyMs: number): Answer;
}

/** The API's word for why it stopped, in the closed list; undefined where it gave none. */
export function mapFinishReason(raw: string | undefined): FinishReason | undefined {
  if (raw === undefined) return undefined;
  return Object.hasOwn(finishReasons, raw.toLowerCase()) ? (finishReasons[raw.toLowerCase()] ?? 'other') : 'other';
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
