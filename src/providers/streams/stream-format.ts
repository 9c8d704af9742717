import type { JsonObject, JsonValue } from '../../json/json.ts';
import { parseJson } from '../../json/parse-json.ts';
import { withoutInherited } from '../../json/without-inherited.ts';
import { text } from '../answer.ts';

/** One event of a streamed answer. */
export interface StreamEvent {
  /** The event's name, if the protocol sends one outside the data. */
  readonly name?: string;
  readonly data: JsonObject;
}

/** Joins the events of an answer into the body of a whole answer, so that one reader reads both. */
export interface StreamFold {
  /** True if the event adds visible content: text, a refusal or a tool call, not reasoning. */
  add(event: StreamEvent): boolean;
  body(): JsonObject;
  /** True after the API's own end of the answer. */
  isComplete(): boolean;
}

/** How an API streams its answers. */
export interface StreamFormat {
  /** Path of streamed requests, if it differs. */
  readonly pathOf?: (model: string) => string;
  /** Turns a request for a whole answer into one for a stream. */
  ask(body: JsonObject): JsonObject;
  open(): StreamFold;
}

/** A part of the body under construction. */
export type Draft = Record<string, JsonValue>;

/** Starts a part. The API chooses the names of its members, so any is data, `__proto__` too. */
export function openDraft(members: JsonObject = {}): Draft {
  return withoutInherited({ ...members });
}

/** Overwrites members with later values. Null overwrites nothing. */
export function mergeMembers(target: Draft, members: JsonObject): void {
  for (const [key, value] of Object.entries(members)) {
    if (value !== null || target[key] === undefined) target[key] = value;
  }
}

/** Appends a piece to a text member. True if the piece is not empty. */
export function addText(target: Draft, key: string, piece: JsonValue | undefined): boolean {
  target[key] = (text(target[key]) ?? '') + (text(piece) ?? '');
  return text(piece) !== undefined;
}

/** Parses joined arguments. What is not JSON, or has a key twice, stays the text that the model wrote. */
export function joinArguments(json: string): JsonValue {
  const parsed = parseJson(json);
  return parsed.ok ? (parsed.value as JsonValue) : json;
}

export function inOrder<Part>(parts: ReadonlyMap<number, Part>): readonly Part[] {
  return [...parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
}
