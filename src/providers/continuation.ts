import { writeJson } from '../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { parseExactJson } from '../json/parse-json.ts';
import type { CompletionRequest, Message, ToolCall } from '../model/completion.ts';

/** The request that an answer belongs to, as far as it is known: an answer of a batch comes without it. */
export type AskedRequest = Pick<CompletionRequest, 'messages' | 'params'>;

/**
 * True for an answer that calls tools, and for one to the results of calls. APIs ask for the reasoning of these alone, and
 * any other answer is stored without it.
 */
export function isOfToolLoop(toolCalls: readonly ToolCall[], asked: AskedRequest | undefined): boolean {
  return toolCalls.length > 0 || asked?.messages.at(-1)?.role === 'tool';
}

/**
 * What the adapter sends back with an answer, as a text: stores sort the members of objects, but the API gets its own parts
 * as it wrote them.
 */
export function writeContinuation(kept: JsonValue): string {
  return writeJson(kept) ?? '';
}

/** The same as it was; undefined where there is none, or none that this adapter can have written. */
export function readContinuation({ continuation }: Pick<Message, 'continuation'>): JsonValue | undefined {
  if (typeof continuation !== 'string') return undefined;
  try {
    return parseExactJson(continuation) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * The parts that were kept of an answer, each call under the id that its result names. `withId` gives the part of a call
 * with that id, and undefined for any other part.
 */
export function readKeptParts(
  message: Pick<Message, 'continuation' | 'toolCalls'>,
  withId: (part: JsonObject, id: string | undefined) => JsonObject | undefined,
): readonly JsonObject[] | undefined {
  const kept = readContinuation(message);
  if (!Array.isArray(kept)) return undefined;
  const { toolCalls = [] } = message;
  let calls = 0;
  return (kept as readonly JsonValue[]).filter(isJsonObject).map((part) => {
    const call = withId(part, toolCalls[calls]?.id);
    if (call !== undefined) calls += 1;
    return call ?? part;
  });
}
