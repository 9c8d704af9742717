import type { HttpReply } from '../../http/client.ts';
import { defined } from '../../json/defined.ts';
import type { JsonObject } from '../../json/json.ts';
import type { ProviderFailure, Usage } from '../../model/completion.ts';
import { formatCount } from '../../text/format-amount.ts';
import { shortenText } from '../../text/shorten.ts';
import { type Answer, malformed } from '../answer.ts';
import { kindOfApiError } from '../failures/classify-failure.ts';
import { describeText, readApiError } from '../failures/read-api-error.ts';
import { readEvents } from './framing.ts';
import type { StreamEvent, StreamFormat } from './stream-format.ts';

interface Reading {
  readonly stream: StreamFormat;
  readonly url: string;
  /** Reads a body as that of a whole answer. */
  readonly read: (body: JsonObject) => Answer;
  /** Why the connection ended before the answer did; undefined where the server ended it. */
  readonly describeBreak: () => ProviderFailure | undefined;
}

/**
 * Reads a streamed answer; undefined where the server answered whole. The time of the first token is when the bytes of the
 * first event with content had come.
 */
export function readStream(reply: HttpReply, { stream, url, read, describeBreak }: Reading): Answer | undefined {
  const { raw, headers } = reply;
  const framed = raw === undefined ? undefined : readEvents(raw.bytes, headers['content-type'] ?? '');
  const broken = describeBreak();
  if (framed === undefined && broken === undefined) return undefined;
  const fold = stream.open();
  let firstTokenMs: number | undefined;
  let error: JsonObject | undefined;
  for (const event of framed?.events ?? []) {
    error = findError(event);
    if (error !== undefined) break;
    if (fold.add(event)) firstTokenMs ??= findArrival(reply, event.end);
  }
  const answer = read(fold.body());
  if (error !== undefined) return endEarly(describeError(error), answer);
  if (framed?.fault !== undefined) return malformed(framed.fault, usageOf(answer));
  if (framed?.isDone !== true && !fold.isComplete()) {
    const { host } = new URL(url);
    const ended = `could not get the whole answer from ${host}: its stream ended early`;
    return endEarly(broken ?? { kind: 'network', message: ended }, answer);
  }
  if ('failure' in answer) return answer;
  return { completion: { ...answer.completion, ...defined({ firstTokenMs }) } };
}

/** What came compressed could be read only as a whole. */
function findArrival({ raw, latencyMs }: HttpReply, end: number): number {
  return raw?.arrivals?.find(({ bytes }) => bytes >= end)?.atMs ?? latencyMs;
}

/** The first token of an answer that came whole, although a stream was asked for, came with its last. */
export function timeWhole(answer: Answer): Answer {
  if ('failure' in answer) return answer;
  const { latencyMs } = answer.completion;
  return { completion: { ...answer.completion, ...defined({ firstTokenMs: latencyMs }) } };
}

/** Errors come as events of their own: the status was sent long before. */
function findError({ name, data }: StreamEvent): JsonObject | undefined {
  const { error = null, type } = data;
  if (error !== null) return data;
  return name === 'error' || type === 'error' ? { error: data } : undefined;
}

function describeError(error: JsonObject): ProviderFailure {
  const said = readApiError(error) ?? { message: JSON.stringify(error['error']), words: [] };
  const { retryAfterMs } = said;
  const message = `the server reported an error in its stream: ${describeText(said.message)}`;
  return { kind: kindOfApiError(said), message, ...defined({ retryAfterMs }) };
}

/** What had come is shown, and billed where the API said what it counts. */
function endEarly(failure: ProviderFailure, answer: Answer): Answer {
  const partial = describePart(answer);
  const message = `${failure.message} (${partial})`;
  return { failure: { ...failure, message, partial, ...defined({ usage: failure.usage ?? usageOf(answer) }) } };
}

function describePart(answer: Answer): string {
  if ('failure' in answer) return 'nothing of the answer had come';
  const { text, toolCalls } = answer.completion;
  const calls = toolCalls.map(({ name }) => `a call of ${describeText(name)}`);
  const came = text === '' ? calls : [`${formatCount(text.length, 'character')}: ${quotePart(text)}`, ...calls];
  return came.length === 0 ? 'nothing of the answer had come' : `what had come: ${came.join(', ')}`;
}

function quotePart(text: string): string {
  return JSON.stringify(describeText(shortenText(text, 200)));
}

function usageOf(answer: Answer): Usage | undefined {
  return 'failure' in answer ? answer.failure.usage : answer.completion.usage;
}
