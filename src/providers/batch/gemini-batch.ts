import { writeJson } from '../../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { BatchAnswer, BatchApi, BatchReply, BatchStatus } from '../../model/batch.ts';
import type { ProviderEnv } from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { list, text } from '../answer.ts';
import { geminiContent } from '../gemini/content.ts';
import { geminiPresetOf } from '../gemini/gemini.ts';
import { prepareRequest } from '../outgoing-request.ts';
import {
  type BatchClient,
  type ConnectBatch,
  cancelled,
  expired,
  maxPages,
  noId,
  openBatchClient,
  withoutLatency,
} from './batch-client.ts';

/** batchGenerateContent of the Gemini API (https://ai.google.dev/api/batch-api), requests and answers inline. */
export const connectGeminiBatch: ConnectBatch = (config, env) => {
  const client = openBatchClient(geminiPresetOf(config, env), config, env);
  return 'failure' in client ? client : geminiBatch(client, config, env);
};

function geminiBatch(client: BatchClient, config: ProviderConfig, env: ProviderEnv): BatchApi {
  const submitPath = geminiContent.pathOf(config.model).replace(/:generateContent$/, ':batchGenerateContent');

  function readResponse({ response, error }: JsonObject): BatchAnswer {
    if (isJsonObject(error)) return { failure: client.classify(statusOf(error), { error: withStatusWord(error) }) };
    return withoutLatency(geminiContent.readAnswer(response, { latencyMs: 0, headers: {} }));
  }

  return {
    maxRequests: 10_000,
    // The API takes 20 MB inline.
    maxBytes: 18_000_000,
    async encode({ key, request }) {
      const prepared = prepareRequest(request, {
        projectRoot: env.projectRoot,
        takes: geminiContent.takes,
        name: 'gemini',
      });
      if ('failure' in prepared) return prepared;
      return { value: writeJson({ request: geminiContent.buildBody(prepared.request), metadata: { key } }) ?? '' };
    },
    async submit({ name, items }, signal) {
      const requests = `{"requests":[${items.map((item) => item.text).join(',')}]}`;
      const body = `{"batch":{"displayName":${JSON.stringify(name)},"inputConfig":{"requests":${requests}}}}`;
      const created = await client.post(submitPath, body, signal);
      if ('failure' in created) return created;
      const id = text(created.value['name']);
      return id === undefined ? noId('batch') : { value: id };
    },
    async find({ name }, signal) {
      let after = '';
      for (let page = 0; page < maxPages; page += 1) {
        const listed = await client.get(`/batches?pageSize=100${after}`, signal);
        if ('failure' in listed) return listed;
        const batches = [...list(listed.value['operations']), ...list(listed.value['batches'])].filter(isJsonObject);
        const id = text(batches.find((batch) => metadataOf(batch)['displayName'] === name)?.['name']);
        if (id !== undefined) return { value: [id] };
        const next = text(listed.value['nextPageToken']);
        if (next === undefined) break;
        after = `&pageToken=${encodeURIComponent(next)}`;
      }
      return { value: [] };
    },
    async read(id, signal): Promise<BatchReply<BatchStatus>> {
      const found = await client.get(pathOf(id), signal);
      if ('failure' in found) return found.failure.status === 404 ? { value: { state: 'unknown' } } : found;
      const state = stateOf(found.value);
      if (state === 'SUCCEEDED' || state === 'EXPIRED' || state === 'CANCELLED') return { value: { state: 'ended' } };
      const { error, done } = found.value;
      if (state === 'FAILED' || isJsonObject(error)) {
        const said = isJsonObject(error) ? error : {};
        return {
          value: { state: 'refused', failure: client.classify(statusOf(said), { error: withStatusWord(said) }) },
        };
      }
      if (done === true) return { value: { state: 'ended' } };
      const stats = metadataOf(found.value)['batchStats'];
      const count = Number(isJsonObject(stats) ? stats['successfulRequestCount'] : undefined);
      return { value: { state: 'running', ...(Number.isNaN(count) ? {} : { doneCount: count }) } };
    },
    async collect(id, { keys }, signal) {
      const found = await client.get(pathOf(id), signal);
      if ('failure' in found) return found;
      const answers = new Map<string, BatchAnswer>();
      for (const [key, response] of keyResponses(findResponses(found.value))) answers.set(key, readResponse(response));
      const state = stateOf(found.value);
      const left = state === 'EXPIRED' ? expired : state === 'CANCELLED' ? cancelled : undefined;
      if (left !== undefined) for (const key of keys) if (!answers.has(key)) answers.set(key, left);
      return { value: answers };
    },
    close: client.close,
  };
}

/** By the key of each. One without is nobody's answer: its place among the others is no proof of what it answers. */
function keyResponses(responses: readonly JsonObject[]): (readonly [string, JsonObject])[] {
  return responses.flatMap((response) => {
    const { metadata } = response;
    const key = isJsonObject(metadata) ? text(metadata['key']) : undefined;
    return key === undefined ? [] : [[key, response] as const];
  });
}

/** They stand in the operation's response once it is done, and in its metadata's output. */
function findResponses(operation: JsonObject): readonly JsonObject[] {
  const { response } = operation;
  const { output } = metadataOf(operation);
  for (const holder of [
    response,
    isJsonObject(response) ? response['output'] : undefined,
    output,
    operation['output'],
  ]) {
    const inlined = isJsonObject(holder) ? holder['inlinedResponses'] : undefined;
    const found = list(isJsonObject(inlined) ? inlined['inlinedResponses'] : inlined).filter(isJsonObject);
    if (found.length > 0) return found;
  }
  return [];
}

/** An operation has the batch as its metadata; a batch is its own. */
function metadataOf(operation: JsonObject): JsonObject {
  const { metadata } = operation;
  return isJsonObject(metadata) ? metadata : operation;
}

/** `BATCH_STATE_SUCCEEDED`, and `JOB_STATE_SUCCEEDED` in some versions. */
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
