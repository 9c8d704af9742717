import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { ProviderFailure } from '../../model/completion.ts';
import type {
  BatchAnswer,
  BatchApi,
  BatchItem,
  BatchReply,
  BatchStatus,
  BatchSubmission,
  SubmittedBatch,
} from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { list, text } from '../answer.ts';
import { geminiContent, geminiPresetOf } from '../gemini.ts';
import {
  addUnanswered,
  type BatchClient,
  type ConnectBatch,
  encodeRequest,
  maxPages,
  openBatchClient,
  readId,
  withoutLatency,
} from './batch-client.ts';

/** batchGenerateContent of the Gemini API (https://ai.google.dev/api/batch-api), requests and answers inline. */
export const connectGeminiBatch: ConnectBatch = (config, env) => {
  const client = openBatchClient(geminiPresetOf(config, env), config, env);
  return 'failure' in client ? client : new GeminiBatch(client, config, env.projectRoot);
};

class GeminiBatch implements BatchApi {
  readonly maxRequests = 10_000;
  /** The API takes 20 MB inline. */
  readonly maxBytes = 18_000_000;
  readonly #client: BatchClient;
  readonly #submitPath: string;
  readonly #projectRoot: string;

  constructor(client: BatchClient, config: ProviderConfig, projectRoot: string) {
    this.#client = client;
    this.#submitPath = geminiContent.pathOf(config.model).replace(/:generateContent$/, ':batchGenerateContent');
    this.#projectRoot = projectRoot;
  }

  async encode({ key, request }: BatchItem): Promise<BatchReply<string>> {
    const rules = { projectRoot: this.#projectRoot, takes: geminiContent.takes, name: 'gemini' };
    return encodeRequest(request, rules, (prepared) => ({
      request: geminiContent.buildBody(prepared),
      metadata: { key },
    }));
  }

  async submit({ name, items }: BatchSubmission, signal: AbortSignal): Promise<BatchReply<string>> {
    const requests = `{"requests":[${items.map((item) => item.text).join(',')}]}`;
    const body = `{"batch":{"displayName":${JSON.stringify(name)},"inputConfig":{"requests":${requests}}}}`;
    return readId(await this.#client.post(this.#submitPath, body, signal), 'name', 'batch');
  }

  async find({ name }: SubmittedBatch, signal: AbortSignal): Promise<BatchReply<readonly string[]>> {
    let after = '';
    for (let page = 0; page < maxPages; page += 1) {
      const listed = await this.#client.get(`/batches?pageSize=100${after}`, signal);
      if ('failure' in listed) return listed;
      const batches = [...list(listed.value['operations']), ...list(listed.value['batches'])].filter(isJsonObject);
      const id = text(batches.find((batch) => metadataOf(batch)['displayName'] === name)?.['name']);
      if (id !== undefined) return { value: [id] };
      const next = text(listed.value['nextPageToken']);
      if (next === undefined) break;
      after = `&pageToken=${encodeURIComponent(next)}`;
    }
    return { value: [] };
  }

  async read(id: string, signal: AbortSignal): Promise<BatchReply<BatchStatus>> {
    const found = await this.#client.get(pathOf(id), signal);
    if ('failure' in found) return found.failure.status === 404 ? { value: { state: 'unknown' } } : found;
    const state = stateOf(found.value);
    if (state === 'SUCCEEDED' || state === 'EXPIRED' || state === 'CANCELLED') return { value: { state: 'ended' } };
    const { error, done } = found.value;
    if (state === 'FAILED' || isJsonObject(error)) {
      return { value: { state: 'refused', failure: this.#classify(isJsonObject(error) ? error : {}) } };
    }
    if (done === true) return { value: { state: 'ended' } };
    return { value: { state: 'running' } };
  }

  async collect(
    id: string,
    { keys }: SubmittedBatch,
    signal: AbortSignal,
  ): Promise<BatchReply<ReadonlyMap<string, BatchAnswer>>> {
    const found = await this.#client.get(pathOf(id), signal);
    if ('failure' in found) return found;
    const answers = new Map<string, BatchAnswer>();
    for (const response of findResponses(found.value)) {
      const { metadata } = response;
      // Responses may come in any order, so one without its key can't be matched with a request.
      const key = isJsonObject(metadata) ? text(metadata['key']) : undefined;
      if (key !== undefined) answers.set(key, this.#readResponse(response));
    }
    addUnanswered(answers, keys, stateOf(found.value));
    return { value: answers };
  }

  close(): void {
    this.#client.close();
  }

  #readResponse({ response, error }: JsonObject): BatchAnswer {
    if (isJsonObject(error)) return { failure: this.#classify(error) };
    return withoutLatency(geminiContent.readAnswer(response, { latencyMs: 0, headers: {} }));
  }

  #classify(error: JsonObject): ProviderFailure {
    return this.#client.classify(statusOf(error), { error: withStatusWord(error) });
  }
}

/** They are in the operation's response once it is done, or in its metadata's output. */
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
