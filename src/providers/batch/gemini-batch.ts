import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { ProviderFailure } from '../../model/run/completion.ts';
import { list, objectOf, text } from '../answer.ts';
import { geminiContent, geminiPresetOf } from '../gemini.ts';
import { type BatchClient, defineBatchApi, findInPages, readBatchAnswer, readId } from './batch-client.ts';

/** batchGenerateContent of the Gemini API (https://ai.google.dev/api/batch-api), requests and answers inline. */
export const connectGeminiBatch = defineBatchApi({
  name: 'gemini',
  maxRequests: 10_000,
  /** The API takes 20 MB inline. */
  maxBytes: 18_000_000,
  presetOf: geminiPresetOf,
  formatOf: () => geminiContent,
  pathOf,
  frame: (key, body) => ({ request: body, metadata: { key } }),
  async submit({ name, items }, { client, model, signal }) {
    const requests = `{"requests":[${items.map((item) => item.text).join(',')}]}`;
    const body = `{"batch":{"displayName":${JSON.stringify(name)},"inputConfig":{"requests":${requests}}}}`;
    const path = geminiContent.pathOf(model).replace(/:generateContent$/, ':batchGenerateContent');
    return readId(await client.post(path, body, signal), 'name', 'batch');
  },
  find: ({ name }, access) =>
    findInPages('/batches?pageSize=100', access, ({ operations, batches, nextPageToken }, ids) => {
      const all = [...list(operations), ...list(batches)].filter(isJsonObject);
      const id = text(all.find((batch) => metadataOf(batch)['displayName'] === name)?.['name']);
      if (id !== undefined) ids.push(id);
      const next = text(nextPageToken);
      return id !== undefined || next === undefined ? undefined : `&pageToken=${encodeURIComponent(next)}`;
    }),
  readStatus(operation, client) {
    const state = stateOf(operation);
    const { error, done } = operation;
    if (state === 'SUCCEEDED' || state === 'EXPIRED' || state === 'CANCELLED') return { state: 'ended' };
    if (state === 'FAILED' || isJsonObject(error)) {
      return { state: 'refused', failure: classify(objectOf(error), client) };
    }
    return { state: done === true ? 'ended' : 'running' };
  },
  async collect(id, { client, signal }) {
    const found = await client.get(pathOf(id), signal);
    if ('failure' in found) return found;
    // Responses can be in any order. One without a key can't be matched.
    const answers = findResponses(found.value).map(({ metadata, response, error }) => {
      const answer = isJsonObject(error)
        ? { failure: classify(error, client) }
        : readBatchAnswer(response, geminiContent);
      return [text(objectOf(metadata)['key']), answer] as const;
    });
    return { value: { answers, state: stateOf(found.value) } };
  },
});

function classify(error: JsonObject, client: BatchClient): ProviderFailure {
  return client.classify(statusOf(error), { error: withStatusWord(error) });
}

/** Finds the responses: in the finished operation's response or in its metadata's output. */
function findResponses(operation: JsonObject): readonly JsonObject[] {
  const { response } = operation;
  const { output } = metadataOf(operation);
  for (const holder of [response, objectOf(response)['output'], output, operation['output']]) {
    const inlined = objectOf(holder)['inlinedResponses'];
    const found = list(isJsonObject(inlined) ? inlined['inlinedResponses'] : inlined).filter(isJsonObject);
    if (found.length > 0) return found;
  }
  return [];
}

/** Returns the batch: an operation's metadata, or the object itself. */
function metadataOf(operation: JsonObject): JsonObject {
  const { metadata } = operation;
  return isJsonObject(metadata) ? metadata : operation;
}

/** Reads the state: `BATCH_STATE_SUCCEEDED`, or `JOB_STATE_SUCCEEDED` in some versions. */
function stateOf(operation: JsonObject): string {
  return (text(metadataOf(operation)['state']) ?? '').replace(/^(BATCH|JOB)_STATE_/, '');
}

function pathOf(id: string): string {
  return `/${id.split('/').map(encodeURIComponent).join('/')}`;
}

/** HTTP statuses and names of google.rpc.Code (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto). */
const rpcCodes: Readonly<Record<number, readonly [status: number, word: string]>> = {
  3: [400, 'INVALID_ARGUMENT'],
  4: [504, 'DEADLINE_EXCEEDED'],
  5: [404, 'NOT_FOUND'],
  7: [403, 'PERMISSION_DENIED'],
  8: [429, 'RESOURCE_EXHAUSTED'],
  9: [400, 'FAILED_PRECONDITION'],
  13: [500, 'INTERNAL'],
  14: [503, 'UNAVAILABLE'],
  16: [401, 'UNAUTHENTICATED'],
};

function statusOf({ code }: JsonObject): number {
  if (typeof code !== 'number') return 500;
  return rpcCodes[code]?.[0] ?? (code >= 400 ? code : 500);
}

function withStatusWord(error: JsonObject): Readonly<Record<string, JsonValue>> {
  const word = typeof error['code'] === 'number' ? rpcCodes[error['code']]?.[1] : undefined;
  return word === undefined || error['status'] !== undefined ? error : { ...error, status: word };
}
