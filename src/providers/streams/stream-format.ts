import type { JsonObject, JsonValue } from '../../json/json.ts';
import { tryParseJson } from '../../json/parse-json.ts';
import { text } from '../answer.ts';

/** One event of a streamed answer. */
export interface StreamEvent {
  /** The name beside its data, where the protocol has one there. */
  readonly name?: string;
  readonly data: JsonObject;
}

/** Joins the events of one answer into the body that the API sends without streaming. One reader can then read both. */
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

/** A part of the body while its events come. */
export type Draft = Record<string, JsonValue>;

/** Sets what a later event says over what an earlier one said; null says nothing. */
export function mergeMembers(target: Draft, members: JsonObject): void {
  for (const [key, value] of Object.entries(members)) {
    if (value !== null || target[key] === undefined) target[key] = value;
  }
}

/** Adds a piece to a member whose text comes in pieces. True for a piece that is not empty. */
export function addText(target: Draft, key: string, piece: JsonValue | undefined): boolean {
  target[key] = (text(target[key]) ?? '') + (text(piece) ?? '');
  return text(piece) !== undefined;
}

/** Arguments that came in pieces; those that were cut off stay a text. */
export function joinArguments(json: string): JsonValue {
  const parsed = tryParseJson(json);
  return parsed === undefined ? json : parsed;
}

export function inOrder<Part>(parts: ReadonlyMap<number, Part>): readonly Part[] {
  return [...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
}
