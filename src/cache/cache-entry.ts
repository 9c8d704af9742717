import * as z from 'zod';
import { canonicalJson } from '../json/canonical-json.ts';
import type { JsonObject } from '../json/json.ts';
import { isJsonObject } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Attachment, Completion, Message, ToolCall } from '../model/completion.ts';
import { sha256Hex } from '../text/sha256.ts';
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
 * Renders an entry as one line of JSON, without a line break; equal entries give equal text. The checksum covers the text
 * of `entry` as it is written.
 */
export function renderEntry({ key, createdAt, receivedAt, request, completion }: CacheEntry): string {
  const body =
    `{"key":"${key}","createdAt":"${createdAt}","completion":${completionText(completion)},` +
    `"receivedAt":${JSON.stringify(receivedAt)},"request":${keyedText(request)}}`;
  return `${head}${sha256Hex(body)}${middle}${body}}`;
}

/** An answer as it is stored: its members, and those of its usage, in one order. */
export function completionText(completion: Completion): string {
  const { usage } = completion;
  const ordered: { readonly [Member in keyof Required<Completion>]: Completion[Member] | undefined } = {
    text: completion.text,
    reasoning: completion.reasoning,
    refusal: completion.refusal,
    toolCalls: completion.toolCalls,
    finishReason: completion.finishReason,
    rawFinishReason: completion.rawFinishReason,
    usage: usage && {
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      cachedInputTokens: usage.cachedInputTokens,
      cacheWriteTokens: usage.cacheWriteTokens,
      reasoningTokens: usage.reasoningTokens,
      inputAudioTokens: usage.inputAudioTokens,
      outputAudioTokens: usage.outputAudioTokens,
    },
    latencyMs: completion.latencyMs,
    responseId: completion.responseId,
    model: completion.model,
    systemFingerprint: completion.systemFingerprint,
  };
  // Arguments of tools may hold numbers that no double keeps.
  return completion.toolCalls.length === 0 ? JSON.stringify(ordered) : canonicalJson(ordered);
}

/** Reads what `renderEntry` wrote, and says why not where it was cut, changed or made up. */
export function parseEntry(line: string): ParsedEntry {
  const text = line.trimEnd();
  if (text === '') return refused('is empty');
  if (!text.startsWith(head)) return refused(describeForeignLine(text));
  const body = text.slice(bodyStart, -1);
  const isWhole = text.endsWith('}') && text.slice(bodyStart - middle.length, bodyStart) === middle;
  if (!isWhole || sha256Hex(body) !== text.slice(head.length, head.length + 64)) {
    return refused('is damaged: its checksum does not match');
  }
  const json = parseJson(body);
  if (!json.ok) return refused(`is not JSON: ${json.reason}`);
  const parsed = entrySchema.safeParse(json.value);
  return parsed.success
    ? { ok: true, entry: parsed.data }
    : refused(`is no cache entry: ${describeIssue(parsed.error)}`);
}

/** Refuses an entry that is not the answer to the request it names, or not stored under its key. */
export function checkKey(entry: CacheEntry, key: string): ParsedEntry {
  if (entry.key === key && cacheKey(entry.request) === key) return { ok: true, entry };
  return refused('is damaged: its key is not that of its request');
}

/** Says what a line is instead of an entry, given its beginning. */
function describeForeignLine(text: string): string {
  const format = /^\{"format":(\d{1,9}),/.exec(text)?.[1];
  if (format === undefined || format === String(cacheFormat)) return 'is no cache entry';
  return `has format ${format}, and this version reads format ${cacheFormat}`;
}

/** True for a line of a cache export, false for anything else, such as a line of recordings. */
export function isCacheExportLine(line: string): boolean {
  return /^\s*\{"format":\d+,"checksum":"/.test(line);
}

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

function refused(reason: string): ParsedEntry {
  return { ok: false, reason };
}
