import { canonicalJson } from '../lib/canonical-json.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { CompletionRequest, Message } from '../model/completion.ts';
import type { JsonObject } from '../model/json.ts';

/** The part of a request that can change its answer. */
export type KeyedRequest = Omit<CompletionRequest, 'origin'>;

/** Names a request in the cache: whatever can change the answer is in it, and nothing else. */
export function cacheKey(request: KeyedRequest): string {
  return remember(request).key;
}

/** What `cacheKey` hashes: the request as canonical JSON, as it is stored. */
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

// Requests come in runs of one endpoint.
let lastEndpoint:
  | (Pick<KeyedRequest, 'adapter' | 'adapterVersion' | 'baseUrl'> & { readonly text: string })
  | undefined;

/** The start of the text, as far as the endpoint goes. */
function endpointMembers({ adapter, adapterVersion, baseUrl }: KeyedRequest): string {
  if (
    lastEndpoint?.adapter !== adapter ||
    lastEndpoint.adapterVersion !== adapterVersion ||
    lastEndpoint.baseUrl !== baseUrl
  ) {
    const url = baseUrl === undefined ? '' : `"baseUrl":${JSON.stringify(withoutUserinfo(baseUrl))},`;
    const text = `{"adapter":${JSON.stringify(adapter)},"adapterVersion":${JSON.stringify(adapterVersion)},${url}`;
    lastEndpoint = { adapter, adapterVersion, ...(baseUrl === undefined ? {} : { baseUrl }), text };
  }
  return lastEndpoint.text;
}

/** Names a request in recordings, which are served wherever the model runs and however its adapter evolves. */
export function recordingHash(request: KeyedRequest): string {
  return sha256Hex(`{"adapter":${JSON.stringify(request.adapter)},${sharedMembers(request)}`);
}

/** A URL may carry `user:password@`: a credential, and none of its business is the answer. */
export function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}

// One cell's key is asked for by the cache, the deduplication and the record.
const keyed = new WeakMap<KeyedRequest, { readonly key: string; readonly text: string }>();
// Variants share their params among thousands of cells.
const paramsTexts = new WeakMap<JsonObject, string>();

/** The members after the first ones, already in the order that canonical JSON has. */
function sharedMembers({ messages, model, params, trial }: KeyedRequest): string {
  let paramsText = paramsTexts.get(params);
  if (paramsText === undefined) {
    paramsText = canonicalJson(params);
    paramsTexts.set(params, paramsText);
  }
  return `"messages":[${messages.map(messageText).join(',')}],"model":${JSON.stringify(model)},"params":${paramsText},"trial":${trial}}`;
}

/** A message of role and content alone, as nearly all are, is written without a look for further members. */
function messageText(message: Message): string {
  const { role, content } = message;
  for (const name in message) if (name !== 'role' && name !== 'content') return canonicalJson(message);
  return `{"content":${JSON.stringify(content)},"role":${JSON.stringify(role)}}`;
}
