import { writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';
import { parseShallowJson } from '../json/parse-json.ts';
import type { Completion, FinishReason, ProviderFailure, ToolCall, Usage } from '../model/completion.ts';
import { kindOfApiError } from './failures/classify-reply.ts';
import { describeText } from './failures/describe-text.ts';
import { readApiError } from './failures/read-api-error.ts';

/** What the body of a successful status comes to. */
export type Answer = { readonly completion: Completion } | { readonly failure: ProviderFailure };

/** A call whose arguments the API gives as JSON text or, as some do, already parsed. */
export function buildToolCall(id: unknown, name: string, rawArguments: unknown): ToolCall {
  const raw = typeof rawArguments === 'string' ? rawArguments : (writeJson(rawArguments ?? {}) ?? '{}');
  return {
    ...(typeof id === 'string' && id !== '' ? { id } : {}),
    name,
    arguments: parseArguments(raw),
    rawArguments: raw,
  };
}

/** `said` is the API's own word or sentence for it. */
export function filtered(said?: string): Answer {
  const reason = said === undefined ? '' : ` (${describeText(said)})`;
  return { failure: { kind: 'contentFilter', message: `the provider's content filter refused the answer${reason}` } };
}

/** `usage` is what it was billed for, where it says so. */
export function malformed(found: string, usage?: Usage): Answer {
  const message = `the answer is no completion: ${found}`;
  return { failure: { kind: 'malformed', message, ...defined({ usage }) } };
}

/** A malformed answer was billed all the same, for what its body counts under `member`. */
export function withUsage(
  answer: Answer,
  body: unknown,
  member: string,
  readUsage: (raw: JsonValue | undefined) => Usage | undefined,
): Answer {
  if (!('failure' in answer) || answer.failure.kind !== 'malformed' || !isJsonObject(body)) return answer;
  const usage = readUsage(body[member]);
  return usage === undefined ? answer : { failure: { ...answer.failure, usage } };
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

/**
 * Says what keeps the parts of an answer from being read; undefined where nothing does. What is passed over would leave
 * an empty answer, and blame the prompt for it.
 */
export function findUnreadable(parts: JsonValue | undefined, where: string): string | undefined {
  if (!Array.isArray(parts)) return `${where} is ${describeType(parts)}`;
  for (const part of parts as readonly JsonValue[]) {
    if (!isJsonObject(part)) return `${where} holds ${describeType(part)}`;
    const { text: said = null } = part;
    if (said !== null && typeof said !== 'string') return `a "text" in ${where} is ${describeType(said)}`;
  }
  return undefined;
}

function describeType(value: JsonValue | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/**
 * The first of several answers to one request: the one with the lowest `index`, wherever it stands in the list. Without
 * an index it is the one that stands first; Google leaves out an index of 0.
 */
export function firstByIndex(answers: JsonValue | undefined): JsonValue | undefined {
  const indexOf = (answer: JsonValue) => (isJsonObject(answer) ? (count(answer['index']) ?? 0) : 0);
  // The sort is stable.
  return list(answers).toSorted((a, b) => indexOf(a) - indexOf(b))[0];
}

/** Says what keeps the first of several answers from being found; undefined where nothing does. */
export function findIndexFault(answers: JsonValue | undefined): string | undefined {
  for (const answer of list(answers)) {
    const index = isJsonObject(answer) ? (answer['index'] ?? 0) : 0;
    if (!Number.isInteger(index)) return `an "index" is ${describeText(writeJson(index) ?? '')}, not an integer`;
  }
  return undefined;
}

/** JSON can escape half of a surrogate pair, which no text holds and UTF-8 can't write. */
export const halfCharacter = 'half of a character (a lone surrogate)';

export function hasHalfCharacter({
  text: said,
  reasoning,
  refusal,
  toolCalls,
}: Omit<Completion, 'latencyMs'>): boolean {
  // `JSON.stringify` escapes surrogates that stand alone, and no others.
  return /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(JSON.stringify([said, reasoning, refusal, toolCalls]));
}

/** A member that is left out where the API gives no text for it. */
export function named<Name extends string>(name: Name, value: JsonValue | undefined): { [K in Name]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [K in Name]: string }) : {};
}

/** Reasoning that came in several parts; undefined where there is none. */
export function joinReasoning(parts: readonly (string | undefined)[]): { readonly reasoning?: string } {
  const reasoning = parts.filter((part) => part !== undefined && part !== '').join('\n\n');
  return reasoning === '' ? {} : { reasoning };
}

/** A model writes its arguments itself, so they need not be JSON; none at all is how some servers write `{}`. */
function parseArguments(raw: string): JsonValue | undefined {
  if (raw.trim() === '') return {};
  try {
    return parseShallowJson(raw) as JsonValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The member of an answer that says why it stopped; none where nobody gave a reason. */
export function finished(finishReason: FinishReason | undefined): Pick<Completion, 'finishReason'> {
  return finishReason === undefined ? {} : { finishReason };
}

/** The API's word for why it stopped, in the closed list; without a word, calls of tools speak for themselves. */
export function mapFinishReason(
  reasons: Readonly<Record<string, FinishReason>>,
  raw: string | undefined,
  toolCalls: readonly ToolCall[],
): FinishReason | undefined {
  if (raw === undefined) return toolCalls.length > 0 ? 'toolCalls' : undefined;
  return Object.hasOwn(reasons, raw) ? (reasons[raw] ?? 'other') : 'other';
}

/** A count of tokens as an API reports it; undefined for anything else. */
export function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A part of a total, left out where the API does not report it. */
export function part<Name extends keyof Usage>(name: Name, value: number | undefined): { [K in Name]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]: number });
}

/** A part larger than its total is a server's mistake; the total is what is billed. */
export function atMost<Name extends keyof Usage>(
  name: Name,
  value: number | undefined,
  total: number,
): { [K in Name]?: number } {
  return value === undefined ? {} : ({ [name]: Math.min(value, total) } as { [K in Name]: number });
}

/** Left out where there was none, so that the records of text models stay short. */
export function positive(value: unknown): number | undefined {
  const tokens = count(value);
  return tokens === 0 ? undefined : tokens;
}
