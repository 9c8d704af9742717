import type { JsonObject } from '../../json/json.ts';

/** One event of a streamed answer. */
export interface StreamEvent {
  /** The name beside its data, where the protocol has one there. */
  readonly name?: string;
  readonly data: JsonObject;
}

/**
 * Puts the events of one answer together again as the body that the API sends when the answer is not streamed, so that one
 * reader reads both.
 */
export interface StreamFold {
  /** True for an event that brings something that a user sees: text, a refusal or a tool call, not reasoning. */
  add(event: StreamEvent): boolean;
  body(): JsonObject;
  /** True once the API has said that the answer ends here. */
  isComplete(): boolean;
}

/** How an API streams its answers. */
export interface StreamFormat {
  /** Where another path than that of whole answers is asked. */
  readonly pathOf?: (model: string) => string;
  /** The request for a stream, from that for a whole answer. */
  ask(body: JsonObject): JsonObject;
  open(): StreamFold;
}

/** Sets what a later event says over what an earlier one said; null says nothing. */
export function mergeMembers(target: Record<string, unknown>, members: JsonObject): void {
  for (const [key, value] of Object.entries(members)) {
    if (value !== null || target[key] === undefined) target[key] = value;
  }
}
