import { defined } from '../json/defined.ts';
import type { KeyedRequest, Message, ToolCall } from '../model/run/completion.ts';
import { withoutUserinfo } from '../text/addresses/store-urls.ts';
import { sha256Hex } from '../text/sha256.ts';

/** The key of a request in the cache: a hash of everything that can change the answer, and of nothing else. */
export function cacheKey(request: KeyedRequest): string {
  return remember(request).key;
}

/** The text that `cacheKey` hashes: the request as JSON, as it is stored. */
export function keyedText(request: KeyedRequest): string {
  return remember(request).text;
}

function remember(request: KeyedRequest): { readonly key: string; readonly text: string } {
  let known = keyed.get(request);
  if (known === undefined) {
    const text = `${endpointMembers(request)}${sharedMembers(request)}`;
    known = { key: sha256Hex(text), text };
    keyed.set(request, known);
  }
  return known;
}

/** The start of the text, as far as the endpoint goes. */
function endpointMembers({ adapter, adapterVersion, baseUrl, settings }: KeyedRequest): string {
  const url = baseUrl === undefined ? '' : `"baseUrl":${JSON.stringify(withoutUserinfo(baseUrl))},`;
  const other = settings === undefined ? '' : `"settings":${JSON.stringify(settings)},`;
  return `{"adapter":${JSON.stringify(adapter)},"adapterVersion":${JSON.stringify(adapterVersion)},${url}${other}`;
}

/**
 * The hash of a request in recordings. It does not depend on the model's address or the adapter's version. The text
 * after the adapter's version is the project's own and counts: a body template, a program, its variables.
 */
export function recordingHash(request: KeyedRequest): string {
  const { adapter, adapterVersion } = request;
  const own = ownAdapters.has(adapter) ? adapterVersion.slice(adapterVersion.indexOf(':') + 1) : undefined;
  return sha256Hex(
    `{"adapter":${JSON.stringify(adapter)},${own === undefined ? '' : `"own":${JSON.stringify(own)},`}${sharedMembers(request)}`,
  );
}

/** Adapters of which the project writes a part. */
const ownAdapters: ReadonlySet<string> = new Set(['exec', 'http', 'module']);

// The cache, the deduplication and the record all need the key of a cell.
const keyed = new WeakMap<KeyedRequest, { readonly key: string; readonly text: string }>();

/** The members after the first ones. Params are written as they are sent: a model reads a schema in its order. */
function sharedMembers({ messages, model, params, trial, vars, workspace }: KeyedRequest): string {
  const paramsText = JSON.stringify(params);
  const varsText = vars === undefined ? '' : `,"vars":${JSON.stringify(vars)}`;
  return `"messages":[${messages.map(messageText).join(',')}],"model":${JSON.stringify(model)},"params":${paramsText},"trial":${trial}${varsText}${placedText(workspace)}}`;
}

function placedText(workspace: KeyedRequest['workspace']): string {
  if (workspace === undefined) return '';
  return `,"workspace":${JSON.stringify(workspace.map(({ path, sha256 }) => ({ path, sha256 })))}`;
}

/** Puts the members of a message in one order: adapters pick them by name. */
function messageText(message: Message): string {
  const { role, content, attachments, toolCalls, toolCallId, name, isError, continuation } = message;
  return JSON.stringify({
    role,
    content,
    attachments: attachments?.map(({ path, mediaType, bytes, sha256 }) => ({ path, mediaType, bytes, sha256 })),
    toolCalls: toolCalls?.map(orderedCall),
    toolCallId,
    name,
    isError,
    continuation,
  });
}

/** Arguments keep the order in which the model wrote them, because some APIs are sent them as an object. */
function orderedCall(call: ToolCall): Partial<ToolCall> {
  const { id, name, arguments: parsed, rawArguments } = call;
  return { ...defined({ id }), name, arguments: parsed, rawArguments };
}
