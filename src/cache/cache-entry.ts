import * as z from 'zod';
import { canonicalJson } from '../lib/canonical-json.ts';
import { parseJson } from '../lib/parse-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Completion, Message, ToolCall } from '../model/completion.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import type { KeyedRequest } from './cache-key.ts';
import { cacheKey, withoutUserinfo } from './cache-key.ts';
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

export type ParsedEntry =
  | { readonly ok: true; readonly entry: CacheEntry }
  /** A clause about the entry: 'is empty'. */
  | { readonly ok: false; readonly reason: string };

/** Grows when an entry gains or changes meaning; other numbers are a miss. */
export const cacheFormat = 1;

const head = `{"format":${cacheFormat},"checksum":"`;
const middle = '","entry":';
const bodyStart = head.length + 64 + middle.length;

/** Renders an entry as one line of JSON, without a line break. The checksum covers the text of `entry` as it stands. */
export function renderEntry(entry: CacheEntry): string {
  const body = canonicalJson({ ...entry, request: storedRequest(entry.request) });
  return `${head}${sha256Hex(body)}${middle}${body}}`;
}

/** Reads what `renderEntry` wrote, and says why not where it was cut, changed or made up. */
export function parseEntry(line: string): ParsedEntry {
  const text = line.trimEnd();
  if (text === '') return garbled('is empty');
  if (!text.startsWith(head)) return garbled(describeForeign(text));
  const body = text.slice(bodyStart, -1);
  const isWhole = text.endsWith('}') && text.slice(bodyStart - middle.length, bodyStart) === middle;
  if (!isWhole || sha256Hex(body) !== text.slice(head.length, head.length + 64)) {
    return garbled('is damaged: its checksum does not match');
  }
  const json = parseJson(body);
  if (!json.ok) return garbled(`is not JSON: ${json.reason}`);
  const parsed = entrySchema.safeParse(json.value);
  if (!parsed.success) return garbled(`is no cache entry: ${describeIssue(parsed.error)}`);
  const { data: entry } = parsed;
  if (cacheKey(entry.request) !== entry.key) return garbled('is damaged: its key is not that of its request');
  return { ok: true, entry };
}

/** True for a line of a cache export, false for anything else, such as a line of recordings. */
export function isCacheExportLine(line: string): boolean {
  return /^\s*\{"format":\d+,"checksum":"/.test(line);
}

const params = z.custom<JsonObject>(isJsonObject, 'is no object');

const entrySchema = z.strictObject({
  key: z.string(),
  createdAt: z.iso.datetime(),
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

function storedRequest({
  adapter,
  adapterVersion,
  baseUrl,
  model,
  messages,
  params,
  trial,
}: KeyedRequest): KeyedRequest {
  const base = { adapter, adapterVersion, model, messages, params, trial };
  return baseUrl === undefined ? base : { ...base, baseUrl: withoutUserinfo(baseUrl) };
}

function describeForeign(text: string): string {
  const format = /^\{"format":(\d{1,9}),/.exec(text)?.[1];
  if (format === undefined || format === String(cacheFormat)) return 'is no cache entry';
  return `has format ${format}, and this version reads format ${cacheFormat}`;
}

function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'unreadable' : `${issue.path.join('.')}: ${issue.message}`;
}

function garbled(reason: string): ParsedEntry {
  return { ok: false, reason };
}
