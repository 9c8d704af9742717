import * as z from 'zod';
import { canonicalJson, writeJson } from '../json/canonical-json.ts';
import { defined } from '../json/defined.ts';
import { isJsonObject, type JsonValue } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import { jsonValue, type Stored } from '../json/stored.ts';
import {
  agentStepSchema,
  answeredCallSchema,
  type Completion,
  completionSchema,
  keyedRequestSchema,
  messageSchema,
  type ToolCall,
  toolCallSchema,
  usageSchema,
} from '../model/run/completion.ts';
import { sha256Hex } from '../text/sha256.ts';
import { cacheKey, keyedText } from './cache-key.ts';

const writtenToolCall = {
  ...toolCallSchema.shape,
  arguments: jsonValue.optional(),
  rawArguments: z.string().optional(),
};

const usage = z.strictObject(usageSchema.shape);

const stepSchema = z.strictObject({
  ...agentStepSchema.shape,
  usage: usage.exactOptional(),
  calls: z.array(
    z
      .strictObject({ ...writtenToolCall, result: answeredCallSchema.shape.result })
      .transform(({ result, ...call }) => ({ ...completeToolCall(call), ...defined({ result }) })),
  ),
});

const writtenCompletion = z.strictObject({
  ...completionSchema.shape,
  text: z.string().optional(),
  toolCalls: z.array(z.strictObject(writtenToolCall).transform(completeToolCall)).default([]),
  usage: usage.exactOptional(),
  steps: z.array(stepSchema).exactOptional(),
});

/** The keys that a stored answer may have. */
export const completionKeys: readonly string[] = Object.keys(writtenCompletion.shape);

/** A stored answer. Handwritten ones may be short: `{text: "…"}` is valid. */
export const writtenCompletionSchema = writtenCompletion
  .refine(({ text, refusal, toolCalls }) => text !== undefined || refusal !== undefined || toolCalls.length > 0, {
    message: 'needs a text, a refusal or toolCalls',
  })
  .transform(({ text = '', ...rest }): Completion => ({ text, ...rest }));

interface WrittenToolCall {
  readonly id?: string;
  readonly name: string;
  readonly arguments?: JsonValue | undefined;
  readonly rawArguments?: string | undefined;
}

function completeToolCall({ id, name, arguments: written, rawArguments }: WrittenToolCall): ToolCall {
  const base = id === undefined ? { name } : { id, name };
  if (rawArguments !== undefined) {
    // In the order of the text: a store may have sorted the object, which is sent on in the next turn.
    return { ...base, arguments: parseOrUndefined(rawArguments) ?? written, rawArguments };
  }
  // APIs write arguments as a JSON text, and so do people who copy from their logs.
  if (typeof written === 'string') return { ...base, arguments: parseOrUndefined(written), rawArguments: written };
  return { ...base, arguments: written ?? {}, rawArguments: writeJson(written ?? {}) ?? '{}' };
}

function parseOrUndefined(text: string): JsonValue | undefined {
  const json = parseJson(text);
  return json.ok ? (json.value as JsonValue) : undefined;
}

// All times have the same width, so that they sort as text.
const time = z.iso.datetime({ precision: 3 });

const entrySchema = z.strictObject({
  key: z.string(),
  /** When the entry was written, ISO 8601. */
  createdAt: time,
  /** When the answer came, ISO 8601. */
  receivedAt: z.iso.datetime(),
  request: z.strictObject({ ...keyedRequestSchema.shape, messages: z.array(z.strictObject(messageSchema.shape)) }),
  completion: writtenCompletionSchema,
});

/** A stored answer with the request it belongs to; no credential is in it. */
export type CacheEntry = Stored<typeof entrySchema>;

/** The part of an entry that a cache hit needs. */
export type StoredAnswer = Pick<CacheEntry, 'key' | 'receivedAt' | 'completion'>;

interface Refused {
  readonly ok: false;
  /** A clause about the entry: 'is empty'. */
  readonly reason: string;
}

export type ParsedEntry = { readonly ok: true; readonly entry: CacheEntry } | Refused;
type ParsedAnswer = { readonly ok: true; readonly answer: StoredAnswer; readonly signature: Signature } | Refused;

/** The checksum of an entry, and the mark of the machine that wrote its line. */
export interface Signature {
  readonly checksum: string;
  /** Absent in exports, in a shared cache, and where the entry was imported. */
  readonly mark?: string;
}

/** Grows when an entry gains or changes meaning; other numbers are a miss. Keys of format 1 forgot the order of params. */
export const cacheFormat = 2;

const head = `{"format":${cacheFormat},"checksum":"`;
/**
 * The checksum is of the entry's text as it was written: a parsed entry would be rendered differently. In the log of a
 * machine, the line has its mark.
 */
const linePattern = /^\{"format":\d+,"checksum":"([\da-f]{64})",(?:"mark":"([\da-f]{64})",)?"entry":(.*)\}$/s;
const keyPattern = new RegExp(
  `^\\{"format":${cacheFormat},"checksum":"[\\da-f]{64}",(?:"mark":"[\\da-f]{64}",)?"entry":\\{"key":"([\\da-f]{64})"`,
);
/** More than the start of a line up to its key. */
const keyedLength = 300;

/**
 * Renders an entry as one line of JSON, without a line break; equal entries give equal text. The checksum covers the text
 * of `entry` as it is written.
 */
export function renderEntry({ key, createdAt, receivedAt, request, completion }: CacheEntry): string {
  const body =
    `{"key":"${key}","createdAt":"${createdAt}","completion":${canonicalJson(completion)},` +
    `"receivedAt":${JSON.stringify(receivedAt)},"request":${keyedText(request)}}`;
  return `${head}${sha256Hex(body)}","entry":${body}}`;
}

/** The line of an entry with the mark that `markOf` gives its checksum. */
export function markLine(line: string, markOf: (checksum: string) => string | undefined): string {
  const end = head.length + checksumLength;
  const mark = markOf(line.slice(head.length, end));
  return mark === undefined ? line : `${line.slice(0, end)}","mark":"${mark}${line.slice(end)}`;
}

/** The line of an entry without its mark. */
export function withoutMark(line: string): string {
  const end = head.length + checksumLength;
  const marked = '","mark":"';
  return line.startsWith(marked, end) ? line.slice(0, end) + line.slice(end + marked.length + checksumLength) : line;
}

const checksumLength = 64;

/** The key of a line, read from its start; undefined if the line is no entry. */
export function keyOfLine(line: Buffer): string | undefined {
  return keyPattern.exec(line.toString('latin1', 0, keyedLength))?.[1];
}

/** Parses an entry of `renderEntry`. Returns the reason if it was truncated, changed or forged. */
export function parseEntry(line: string): ParsedEntry {
  const opened = openLine(line);
  if (!opened.ok) return opened;
  const parsed = entrySchema.safeParse(opened.value);
  return parsed.success ? { ok: true, entry: parsed.data } : refusedBy(parsed.error);
}

/**
 * Parses the part that a cache hit needs. The checksum proves that `renderEntry` wrote it, so no schema check is
 * needed.
 */
export function parseAnswer(line: string): ParsedAnswer {
  const opened = openLine(line);
  if (!opened.ok) return opened;
  if (!isStoredAnswer(opened.value)) return refused('is not a cache entry');
  const { signature } = opened;
  const { key, receivedAt, completion } = opened.value;
  if (completion.toolCalls.length === 0) return { ok: true, answer: opened.value, signature };
  return { ok: true, answer: { key, receivedAt, completion: withOrderedArguments(completion) }, signature };
}

function withOrderedArguments(completion: Completion): Completion {
  return { ...completion, toolCalls: completion.toolCalls.map(completeToolCall) };
}

function isStoredAnswer(value: unknown): value is StoredAnswer {
  if (!isJsonObject(value)) return false;
  const { key, receivedAt, completion } = value;
  if (typeof key !== 'string' || typeof receivedAt !== 'string' || !isJsonObject(completion)) return false;
  return typeof completion['text'] === 'string' && Array.isArray(completion['toolCalls']);
}

/** The entry in a line whose checksum matches. */
function openLine(
  line: string,
): { readonly ok: true; readonly value: unknown; readonly signature: Signature } | Refused {
  const text = line.trimEnd();
  if (text === '') return refused('is empty');
  if (!text.startsWith(head)) return refused(describeForeignLine(text));
  const [, checksum = '', mark, body = ''] = linePattern.exec(text) ?? [];
  if (sha256Hex(body) !== checksum) return refused('is damaged: its checksum does not match');
  const json = parseJson(body);
  if (!json.ok) return refused(`is not JSON: ${json.reason}`);
  return { ok: true, value: json.value, signature: { checksum, ...defined({ mark }) } };
}

/** Refuses an entry that is not the answer to the request it names, or not stored under its key. */
export function checkKey(entry: CacheEntry, key: string): ParsedEntry {
  if (entry.key === key && cacheKey(entry.request) === key) return { ok: true, entry };
  return refused('is damaged: its key is not that of its request');
}

/** Describes a line that is not an entry, by its beginning. */
function describeForeignLine(text: string): string {
  const format = /^\{"format":(\d{1,9}),/.exec(text)?.[1];
  if (format === undefined || format === String(cacheFormat)) return 'is not a cache entry';
  return `has format ${format}, and this version reads format ${cacheFormat}`;
}

/** True for a line of a cache export, false for anything else, such as a line of recordings. */
export function isCacheExportLine(line: string): boolean {
  return /^\s*\{"format":\d+,"checksum":"/.test(line);
}

function refusedBy(error: z.ZodError): Refused {
  const [issue] = error.issues;
  return refused(
    `is not a cache entry: ${issue === undefined ? 'unreadable' : `${issue.path.join('.')}: ${issue.message}`}`,
  );
}

function refused(reason: string): Refused {
  return { ok: false, reason };
}
