import * as z from 'zod';
import { canonicalJson } from '../lib/canonical-json.ts';
import { parseJson } from '../lib/parse-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Attachment, Completion, Message, ToolCall } from '../model/completion.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import type { KeyedRequest } from './cache-key.ts';
import { cacheKey, keyedText } from './cache-key.ts';
import { completionSchema } from './completion-schema.ts';

/** A stored answer with the request it belongs to; no credential is in it. */
export interface CacheEntry {
  readonly key: string;
  /** When the entry was written, ISO 8601. */
  readonly createdAt: string;
  /** When the answer came, ISO 8601. */
  readonly receivedAt: string;
  readonly request: KeyedRequest;
  readonly completion: Completion;
}

/** What of an entry a hit needs. */
export type StoredAnswer = Pick<CacheEntry, 'key' | 'receivedAt' | 'completion'>;

export type ParsedEntry =
  | { readonly ok: true; readonly entry: CacheEntry }
  /** A clause about the entry: 'is empty'. */
  | { readonly ok: false; readonly reason: string };

/** Grows when an entry gains or changes meaning; other numbers are a miss. Keys of format 1 forgot the order of params. */
export const cacheFormat = 2;

const head = `{"format":${cacheFormat},"checksum":"`;
const middle = '","entry":';
const bodyStart = head.length + 64 + middle.length;

/**
 * Renders an entry as one line of JSON, without a line break; equal entries give equal text. The checksum covers the text of
 * `entry` as it stands. Key and time come first and have a fixed width, so that `readEntryHead` finds them without parsing.
 */
export function renderEntry({ key, createdAt, receivedAt, request, completion }: CacheEntry): string {
  const rest = `"completion":${completionText(completion)},"receivedAt":${JSON.stringify(receivedAt)}`;
  const body = `{"key":"${key}","createdAt":"${createdAt}",${rest},"request":${keyedText(request)}}`;
  return `${head}${sha256Hex(body)}${middle}${body}}`;
}

// An answer is looked at, then stored.
let last: { readonly completion: Completion; readonly text: string } | undefined;

/** Canonical JSON of an answer, as it is stored. */
export function completionText(completion: Completion): string {
  if (last?.completion !== completion) last = { completion, text: writeCompletion(completion) };
  return last.text;
}

/** Where an answer calls no tool its members are put in order by hand, in a third of the time. */
function writeCompletion(completion: Completion): string {
  const { usage } = completion;
  if (!Array.isArray(completion.toolCalls) || completion.toolCalls.length > 0) return canonicalJson(completion);
  for (const name in completion) if (!knownMembers.has(name)) return canonicalJson(completion);
  const ordered = JSON.stringify({
    finishReason: completion.finishReason,
    latencyMs: completion.latencyMs,
    model: completion.model,
    rawFinishReason: completion.rawFinishReason,
    reasoning: completion.reasoning,
    refusal: completion.refusal,
    responseId: completion.responseId,
    systemFingerprint: completion.systemFingerprint,
    text: completion.text,
    toolCalls: completion.toolCalls,
  } satisfies { readonly [Key in Exclude<keyof Completion, 'usage'>]-?: Completion[Key] | undefined });
  return usage === undefined ? ordered : `${ordered.slice(0, -1)},"usage":${canonicalJson(usage)}}`;
}

const knownMembers: ReadonlySet<string> = new Set<keyof Required<Completion>>([
  'finishReason',
  'latencyMs',
  'model',
  'rawFinishReason',
  'reasoning',
  'refusal',
  'responseId',
  'systemFingerprint',
  'text',
  'toolCalls',
  'usage',
]);

/** What the start of a line says of its entry. */
export interface EntryHead {
  readonly key: string;
  readonly createdAtMs: number;
}

/** Reads the key and the time of a rendered entry; undefined where the bytes don't begin like one. */
export function readEntryHead(bytes: Buffer, start: number, length: number): EntryHead | undefined {
  if (length < timeEnd) return undefined;
  // As one text, which the engine's own functions compare: a loop over the bytes takes five times as long.
  const text = bytes.toString('latin1', start, start + timeEnd);
  if (!text.startsWith(head) || !text.startsWith(middle, bodyStart - middle.length) || !startsLikeBody(text, bodyStart))
    return undefined;
  const at = bodyStart + timeStart;
  if (text[at + 10] !== 'T' || text[at + 23] !== 'Z') return undefined;
  const createdAtMs = Date.parse(text.slice(at, at + timeLength));
  if (Number.isNaN(createdAtMs)) return undefined;
  // Of its own: a slice would keep all of the text alive, a hundred thousand times.
  const keyAt = start + bodyStart + keyStart;
  return { key: bytes.toString('latin1', keyAt, keyAt + keyLength), createdAtMs };
}

/** The members of a fixed width, as far as the text goes. */
function startsLikeBody(text: string, start: number): boolean {
  return (
    text.startsWith('{"key":"', start) &&
    text.startsWith('","createdAt":"', start + keyStart + keyLength) &&
    text.startsWith('",', start + timeStart + timeLength)
  );
}

/** Reads what `renderEntry` wrote, and says why not where it was cut, changed or made up. */
export function parseEntry(line: string): ParsedEntry {
  const parsed = parseUnkeyed(line);
  if (!parsed.ok) return parsed;
  if (cacheKey(parsed.entry.request) === parsed.entry.key) return parsed;
  return garbled('is damaged: its key is not that of its request');
}

export type ParsedAnswer =
  | { readonly ok: true; readonly answer: StoredAnswer }
  | { readonly ok: false; readonly reason: string };

/**
 * As `parseEntry`, but takes the entry's word for its key: the checksum holds, and a hit is asked for by its key. The
 * request, most of the line, is not even parsed where the answer is a common one.
 */
export function parseStoredAnswer(line: Buffer): ParsedAnswer {
  const answer = readPlainAnswer(line);
  if (answer !== undefined) return { ok: true, answer };
  const parsed = parseUnkeyed(line.toString('utf8'));
  return parsed.ok ? { ok: true, answer: parsed.entry } : parsed;
}

/** Undefined for whatever takes a closer look. */
function readPlainAnswer(line: Buffer): StoredAnswer | undefined {
  if (line.length < answerStart || line.at(-1) !== closingBrace) return undefined;
  const start = line.toString('latin1', 0, answerStart);
  if (!start.startsWith(head) || !start.startsWith(middle, bodyStart - middle.length)) return undefined;
  if (!startsLikeBody(start, bodyStart) || !start.endsWith(completionKey)) return undefined;
  // Inside a text quotes are escaped; and what ends too early, behind an object within the answer, is no JSON.
  const end = line.indexOf(receivedAtKey, answerStart) + 1;
  const receivedStart = end + receivedAtKey.length - 1;
  const receivedEnd = line.indexOf(quoteMark, receivedStart);
  if (end === 0 || receivedEnd === -1) return undefined;
  if (sha256Hex(line.subarray(bodyStart, -1)) !== start.slice(head.length, head.length + 64)) return undefined;
  const completion = parseOrUndefined(line.toString('utf8', answerStart, end));
  if (!isPlainCompletion(completion)) return undefined;
  return {
    key: start.slice(bodyStart + keyStart, bodyStart + keyStart + keyLength),
    receivedAt: line.toString('latin1', receivedStart, receivedEnd),
    completion,
  };
}

function parseOrUndefined(text: string): unknown {
  const parsed = parseJson(text);
  return parsed.ok ? parsed.value : undefined;
}

function parseUnkeyed(line: string): ParsedEntry {
  const text = line.trimEnd();
  if (text === '') return garbled('is empty');
  if (!text.startsWith(head)) return garbled(describeForeignLine(text));
  const body = text.slice(bodyStart, -1);
  const isWhole = text.endsWith('}') && text.slice(bodyStart - middle.length, bodyStart) === middle;
  if (!isWhole || sha256Hex(body) !== text.slice(head.length, head.length + 64)) {
    return garbled('is damaged: its checksum does not match');
  }
  const json = parseJson(body);
  if (!json.ok) return garbled(`is not JSON: ${json.reason}`);
  if (isPlainEntry(json.value)) return { ok: true, entry: json.value };
  const parsed = entrySchema.safeParse(json.value);
  if (!parsed.success) return garbled(`is no cache entry: ${describeIssue(parsed.error)}`);
  return { ok: true, entry: parsed.data };
}

const plainTexts = new Set(['text', 'finishReason', 'rawFinishReason', 'responseId', 'model', 'systemFingerprint']);
const plainCounts = new Set([
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'inputAudioTokens',
  'outputAudioTokens',
]);

function isPlainEntry(value: unknown): value is CacheEntry {
  if (!isJsonObject(value)) return false;
  const { key, createdAt, receivedAt, request, completion } = value;
  if (typeof key !== 'string' || typeof createdAt !== 'string' || typeof receivedAt !== 'string') return false;
  return isJsonObject(request) && Object.keys(value).length === 5 && isPlainCompletion(completion);
}

/** The common answer, text and usage alone, is told by hand in a tenth of the schema's time; all else goes to the schema. */
function isPlainCompletion(completion: unknown): completion is Completion {
  if (!isJsonObject(completion)) return false;
  const { toolCalls, usage, latencyMs, text, finishReason } = completion;
  if (!Array.isArray(toolCalls) || toolCalls.length > 0) return false;
  if (typeof text !== 'string' || finishReason !== 'stop') return false;
  if (latencyMs !== undefined && (typeof latencyMs !== 'number' || latencyMs < 0)) return false;
  for (const name in completion) {
    if (name === 'toolCalls' || name === 'usage' || name === 'latencyMs') continue;
    if (!plainTexts.has(name) || typeof completion[name] !== 'string') return false;
  }
  return usage === undefined || isPlainUsage(usage);
}

function isPlainUsage(usage: JsonValue): usage is JsonObject {
  if (!isJsonObject(usage) || usage['inputTokens'] === undefined || usage['outputTokens'] === undefined) return false;
  for (const name in usage) {
    const count = usage[name];
    if (!plainCounts.has(name) || typeof count !== 'number' || count < 0) return false;
  }
  return true;
}

/** Says what a line is instead of an entry, given its beginning. */
export function describeForeignLine(text: string): string {
  const format = /^\{"format":(\d{1,9}),/.exec(text)?.[1];
  if (format === undefined || format === String(cacheFormat)) return 'is no cache entry';
  return `has format ${format}, and this version reads format ${cacheFormat}`;
}

/** True for a line of a cache export, false for anything else, such as a line of recordings. */
export function isCacheExportLine(line: string): boolean {
  return /^\s*\{"format":\d+,"checksum":"/.test(line);
}

// Places of what has a fixed width, from the start of the body; a time is as long as `2026-11-24T15:30:12.000Z`.
const keyStart = '{"key":"'.length;
const keyLength = 64;
/** Where its key stands in an entry's line. */
export const keyOffset = bodyStart + keyStart;
const timeStart = keyStart + keyLength + '","createdAt":"'.length;
const timeLength = 24;
const timeEnd = bodyStart + timeStart + timeLength + '",'.length;
const completionKey = '"completion":';
const answerStart = timeEnd + completionKey.length;
const receivedAtKey = Buffer.from('},"receivedAt":"');
const closingBrace = 0x7d;
const quoteMark = 0x22;

// Of one width, so that texts sort like the times they name.
const time = z.iso.datetime({ precision: 3 });

const params = z.custom<JsonObject>(isJsonObject, 'is no object');

const entrySchema = z.strictObject({
  key: z.string(),
  createdAt: time,
  receivedAt: z.iso.datetime(),
  request: z.strictObject({
    adapter: z.string(),
    adapterVersion: z.string(),
    baseUrl: z.string().exactOptional(),
    model: z.string(),
    messages: z.array(
      z.strictObject({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
        content: z.string(),
        attachments: z.custom<readonly Attachment[]>(Array.isArray).exactOptional(),
        toolCalls: z.custom<readonly ToolCall[]>(Array.isArray).exactOptional(),
        toolCallId: z.string().exactOptional(),
        name: z.string().exactOptional(),
      }) satisfies z.ZodType<Message>,
    ),
    params,
    trial: z.int().nonnegative(),
  }),
  completion: completionSchema,
});

function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'unreadable' : `${issue.path.join('.')}: ${issue.message}`;
}

function garbled(reason: string): ParsedEntry {
  return { ok: false, reason };
}
