import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type {
  BatchAnswer,
  BatchApi,
  BatchItem,
  BatchReply,
  BatchStatus,
  BatchSubmission,
  SubmittedBatch,
} from '../../model/provider.ts';
import { list, text } from '../answer.ts';
import { anthropicMessages, anthropicPreset } from '../anthropic.ts';
import {
  type BatchClient,
  type ConnectBatch,
  cancelled,
  encodeRequest,
  expired,
  isFromBefore,
  maxPages,
  openBatchClient,
  readId,
  withoutLatency,
} from './batch-client.ts';

/** Message Batches (https://docs.claude.com/en/api/creating-message-batches). */
export const connectAnthropicBatch: ConnectBatch = (config, env) => {
  const client = openBatchClient(anthropicPreset, config, env);
  return 'failure' in client ? client : new AnthropicBatch(client, env.projectRoot);
};

const path = '/messages/batches';

class AnthropicBatch implements BatchApi {
  readonly maxRequests = 20_000;
  readonly maxBytes = 100_000_000;
  readonly #client: BatchClient;
  readonly #projectRoot: string;

  constructor(client: BatchClient, projectRoot: string) {
    this.#client = client;
    this.#projectRoot = projectRoot;
  }

  async encode({ key, request }: BatchItem): Promise<BatchReply<string>> {
    const rules = { projectRoot: this.#projectRoot, takes: anthropicMessages.takes, name: 'anthropic' };
    return encodeRequest(request, rules, (prepared) => ({
      custom_id: key,
      params: anthropicMessages.buildBody(prepared),
    }));
  }

  async submit({ items }: BatchSubmission, signal: AbortSignal): Promise<BatchReply<string>> {
    const requests = items.map((item) => item.text).join(',');
    return readId(await this.#client.post(path, `{"requests":[${requests}]}`, signal), 'id', 'batch');
  }

  /** Batches have no name in this API: every batch of the right size and time is a candidate. */
  async find({ keys, startedAt }: SubmittedBatch, signal: AbortSignal): Promise<BatchReply<readonly string[]>> {
    const candidates: string[] = [];
    let after = '';
    for (let page = 0; page < maxPages; page += 1) {
      const listed = await this.#client.get(`${path}?limit=100${after}`, signal);
      if ('failure' in listed) return listed;
      const batches = list(listed.value['data']).filter(isJsonObject);
      const recent = batches.filter((batch) => !isFromBefore(createdMsOf(batch), startedAt));
      for (const batch of recent) {
        const id = text(batch['id']);
        if (id !== undefined && sizeOf(batch) === keys.length) candidates.push(id);
      }
      const lastId = text(listed.value['last_id']);
      if (listed.value['has_more'] !== true || lastId === undefined || recent.length < batches.length) break;
      after = `&after_id=${encodeURIComponent(lastId)}`;
    }
    return { value: candidates };
  }

  async read(id: string, signal: AbortSignal): Promise<BatchReply<BatchStatus>> {
    const found = await this.#client.get(`${path}/${encodeURIComponent(id)}`, signal);
    if ('failure' in found) return found.failure.status === 404 ? { value: { state: 'unknown' } } : found;
    // Archived: the answers are kept for 29 days.
    if (typeof found.value['archived_at'] === 'string') return { value: { state: 'unknown' } };
    if (found.value['processing_status'] === 'ended') return { value: { state: 'ended' } };
    return { value: { state: 'running' } };
  }

  async collect(
    id: string,
    _batch: SubmittedBatch,
    signal: AbortSignal,
  ): Promise<BatchReply<ReadonlyMap<string, BatchAnswer>>> {
    // Not by the answer's own `results_url`: the key goes only to the configured host.
    const lines = await this.#client.getLines(`${path}/${encodeURIComponent(id)}/results`, signal);
    if ('failure' in lines) return lines;
    const answers = new Map<string, BatchAnswer>();
    for (const { custom_id: key, result } of lines.value) {
      if (typeof key === 'string') answers.set(key, this.#readResult(result));
    }
    return { value: answers };
  }

  close(): void {
    this.#client.close();
  }

  #readResult(result: JsonValue | undefined): BatchAnswer {
    if (!isJsonObject(result)) return { failure: this.#client.classify(500, { error: { message: 'no result' } }) };
    const { type, message, error } = result;
    if (type === 'succeeded') {
      return withoutLatency(anthropicMessages.readAnswer(message, { latencyMs: 0, headers: {} }));
    }
    if (type === 'expired') return expired;
    if (type === 'canceled') return cancelled;
    return { failure: this.#client.classify(statusOf(error), error) };
  }
}

function createdMsOf(batch: JsonObject): number | undefined {
  const created = text(batch['created_at']);
  return created === undefined ? undefined : Date.parse(created);
}

function sizeOf({ request_counts: counts }: JsonObject): number {
  if (!isJsonObject(counts)) return 0;
  return Object.values(counts).reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);
}

/** The status that each type of error has outside of batches (https://docs.claude.com/en/api/errors). */
const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** Errors come with and without the frame that they have as answers of their own. */
function statusOf(error: JsonValue | undefined): number {
  const framed = isJsonObject(error) && isJsonObject(error['error']) ? error['error'] : error;
  const type = isJsonObject(framed) ? text(framed['type']) : undefined;
  return type !== undefined && Object.hasOwn(statuses, type) ? (statuses[type] ?? 500) : 500;
}
