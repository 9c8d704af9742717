import { Buffer, isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { HttpReply } from '../../http/client.ts';
import { defined } from '../../json/defined.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { tryParseAnswer, tryParseJson } from '../../json/parse-json.ts';
import type { ProviderFailure } from '../../model/run/completion.ts';
import { formatCount } from '../../text/format-amount.ts';
import { shortenText } from '../../text/shorten.ts';
import { type Answer, malformed, usageOf } from '../answer.ts';
import { kindOfApiError } from '../failures/classify-failure.ts';
import { describeText, readApiError } from '../failures/read-api-error.ts';
import type { StreamEvent, StreamFormat } from './stream-format.ts';

interface Reading {
  readonly stream: StreamFormat;
  readonly url: string;
  /** Reads the body of a whole answer. */
  readonly read: (body: JsonObject) => Answer;
  /** Why the connection ended before the answer; undefined if the server ended it. */
  readonly describeBreak: () => ProviderFailure | undefined;
}

/**
 * Reads a streamed answer; undefined if the server sent a whole body. The time of the first token is the arrival of the
 * first event with content.
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

/** True if the part of a stream that has come holds surely more than `textBytes` of text. */
export function isLongStream(
  bytes: Buffer,
  contentType: string,
  { stream, textBytes }: { readonly stream: StreamFormat; readonly textBytes: number },
): boolean {
  // An answer is no longer than the events with it.
  if (bytes.length <= textBytes) return false;
  const framed = readEvents(bytes, contentType);
  // A server without streaming sends a whole body, which has its own limit.
  if (framed === undefined) return false;
  const fold = stream.open();
  for (const event of framed.events) fold.add(event);
  return countTextBytes(fold.body()) > 1.5 * textBytes;
}

/** The bytes of all texts in a body, a few of which are names and ids. */
function countTextBytes(value: JsonValue): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, part: JsonValue) => sum + countTextBytes(part), 0);
}

/** When the bytes up to `end` had arrived. A compressed body has only the time of its end. */
function findArrival({ raw, latencyMs }: HttpReply, end: number): number {
  return raw?.arrivals?.find(({ bytes }) => bytes >= end)?.atMs ?? latencyMs;
}

/** Sets the time of the first token to the end, for an answer that was not streamed. */
export function timeWhole(answer: Answer): Answer {
  if ('failure' in answer) return answer;
  const { latencyMs } = answer.completion;
  return { completion: { ...answer.completion, ...defined({ firstTokenMs: latencyMs }) } };
}

/** Finds an error event. Errors can't use the status, which was sent before. */
function findError({ name, data }: StreamEvent): JsonObject | undefined {
  const { error = null, type } = data;
  if (error !== null) return data;
  return name === 'error' || type === 'error' ? { error: data } : undefined;
}

function describeError(error: JsonObject): ProviderFailure {
  const reported = readApiError(error) ?? { message: JSON.stringify(error['error']), words: [] };
  const { retryAfterMs } = reported;
  const message = `the server reported an error in its stream: ${describeText(reported.message)}`;
  return { kind: kindOfApiError(reported), message, ...defined({ retryAfterMs }) };
}

/** Fails with the partial answer, and with its usage if the API reported it. */
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

interface FramedEvent extends StreamEvent {
  /** Bytes of the body up to the end of the event. */
  readonly end: number;
}

interface Framed {
  readonly events: readonly FramedEvent[];
  /** True if the protocol's end marker was read. */
  readonly isDone: boolean;
  /** Why the body can't be read: the end of a sentence. */
  readonly fault?: string;
}

/** Reads the events in a body, as far as it arrived; undefined if the body is a whole answer. */
function readEvents(bytes: Buffer, contentType: string): Framed | undefined {
  if (isBinary(contentType)) return readAmazonEvents(bytes);
  if (contentType.includes('event-stream')) return readServerSentEvents(bytes);
  const start = bytes.subarray(0, 64).toString('latin1').trimStart();
  if (/^(?:data|event|id|retry)?:/.test(start)) return readServerSentEvents(bytes);
  if (!start.startsWith('{')) return undefined;
  // A server without streaming answers with one JSON value. A stream of JSON lines can have any content type.
  return tryParseJson(bytes.toString('utf8')) !== undefined ? undefined : readLines(bytes);
}

/** True for the content type of Amazon's event streams, which are binary. */
export function isBinary(contentType: string): boolean {
  return contentType.includes('vnd.amazon.eventstream');
}

interface Line {
  readonly text: string;
  /** Bytes up to the end of the line's text, without the line break. `isEnded`: there was a line break. */
  readonly end: number;
  readonly isEnded: boolean;
}

const [lineFeed, carriageReturn] = [10, 13];

/** Splits bytes into lines at LF, CR or CRLF. Each line is decoded whole, so no character is split. */
function* splitBytes(bytes: Buffer): Iterable<Line> {
  // Skip a byte order mark.
  let start = bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] !== lineFeed && bytes[at] !== carriageReturn) continue;
    yield { text: bytes.toString('utf8', start, at), end: at, isEnded: true };
    if (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) at += 1;
    start = at + 1;
  }
  if (start < bytes.length) yield { text: bytes.toString('utf8', start), end: bytes.length, isEnded: false };
}

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
function readServerSentEvents(bytes: Buffer): Framed {
  const reader = createReader();
  let name = '';
  let data: string[] = [];
  let end = 0;
  for (const { text, end: at } of splitBytes(bytes)) {
    if (text === '') {
      reader.add(data.join('\n'), end, name);
      [name, data] = ['', []];
      continue;
    }
    // A line with a leading colon is a comment, sent to keep the connection alive.
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(text) ?? [];
    if (field === 'event') name = value;
    if (field !== 'data') continue;
    data.push(value);
    end = at;
  }
  // Some servers omit the blank line after the last event.
  reader.add(data.join('\n'), end, name, true);
  return reader.framed();
}

function describeRepeated(repeated: string): string {
  return `in an event ${repeated}`;
}

/** Reads JSON lines, as sent by Ollama. */
function readLines(bytes: Buffer): Framed {
  const reader = createReader();
  for (const { text, end, isEnded } of splitBytes(bytes)) reader.add(text, end, '', !isEnded);
  return reader.framed();
}

function createReader() {
  const events: FramedEvent[] = [];
  let isDone = false;
  let fault: string | undefined;
  return {
    framed: (): Framed => (fault === undefined ? { events, isDone } : { events, isDone, fault }),
    /** Adds an event. `isLast`: nothing followed, so it may be cut off. */
    add(text: string, end: number, name: string, isLast = false): void {
      const data = text.trim();
      if (data === '' || fault !== undefined) return;
      if (data === '[DONE]') {
        isDone = true;
        return;
      }
      const parsed = tryParseAnswer(data);
      if (isJsonObject(parsed?.value)) {
        events.push({ data: parsed.value, end, ...defined({ name: name === '' ? undefined : name }) });
        fault = parsed.repeated && describeRepeated(parsed.repeated);
      } else if (!isLast) fault = `an event is no JSON object: ${describeText(shortenText(data, 120))}`;
    },
  };
}

/**
 * Frames of Amazon's event streams: lengths, headers, a payload of JSON, and checksums
 * (https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html).
 */
function readAmazonEvents(bytes: Buffer): Framed {
  const events: FramedEvent[] = [];
  const damaged: Framed = { events, isDone: false, fault: 'a frame of its event stream is damaged' };
  let at = 0;
  while (at + 16 <= bytes.length) {
    const [total, headersLength] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
    if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32BE(at + 8)) return damaged;
    if (headersLength + 16 > total) return damaged;
    const end = at + total;
    if (end > bytes.length) break;
    if (crc32(bytes.subarray(at, end - 4)) !== bytes.readUInt32BE(end - 4)) return damaged;
    const headers = readHeaders(bytes.subarray(at + 12, at + 12 + headersLength));
    const written = bytes.subarray(at + 12 + headersLength, end - 4);
    const payload = isUtf8(written) ? tryParseAnswer(written.toString('utf8')) : undefined;
    if (headers === undefined || !isJsonObject(payload?.value)) return damaged;
    events.push(nameEvent(headers, payload.value, end));
    if (payload.repeated !== undefined) return { ...damaged, fault: describeRepeated(payload.repeated) };
    at = end;
  }
  return { events, isDone: false };
}

/** Reads an event. Exceptions and errors are frames of their own. */
function nameEvent(headers: ReadonlyMap<string, string>, payload: JsonObject, end: number): FramedEvent {
  const kind = headers.get(':message-type');
  if (kind === 'event' || kind === undefined) return { name: headers.get(':event-type') ?? '', data: payload, end };
  const type = headers.get(':exception-type') ?? headers.get(':error-code') ?? kind;
  const message = payload['message'] ?? headers.get(':error-message') ?? type;
  return { name: 'error', data: { error: { type, message } }, end };
}

/** Length in bytes of a value, by type. Bytes and texts have a length prefix. */
const valueLengths: readonly (number | 'counted' | undefined)[] = [0, 0, 1, 2, 4, 8, 'counted', 'counted', 8, 16];

function readHeaders(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const nameLength = bytes[at] ?? 0;
    const typeAt = at + 1 + nameLength;
    const name = bytes.toString('utf8', at + 1, typeAt);
    const known = valueLengths[bytes[typeAt] ?? valueLengths.length];
    if (known === undefined || (known === 'counted' && typeAt + 3 > bytes.length)) return undefined;
    const length = known === 'counted' ? bytes.readUInt16BE(typeAt + 1) : known;
    const valueAt = typeAt + (known === 'counted' ? 3 : 1);
    headers.set(name, bytes.toString('utf8', valueAt, valueAt + length));
    at = valueAt + length;
  }
  return headers;
}
