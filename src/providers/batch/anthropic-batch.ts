import { writeJson } from '../../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { BatchAnswer, BatchApi, BatchReply, BatchStatus } from '../../model/batch.ts';
import type { ProviderEnv } from '../../model/provider.ts';
import { list, text } from '../answer.ts';
import { anthropicMessages, anthropicPreset } from '../anthropic.ts';
import { prepareRequest } from '../outgoing-request.ts';
import {
  type BatchClient,
  type ConnectBatch,
  cancelled,
  expired,
  isFromBefore,
  maxPages,
  noId,
  openBatchClient,
  withoutLatency,
} from './batch-client.ts';

/** Message Batches (https://docs.claude.com/en/api/creating-message-batches). */
export const connectAnthropicBatch: ConnectBatch = (config, env) => {
  const client = openBatchClient(anthropicPreset, config, env);
  return 'failure' in client ? client : anthropicBatch(client, env);
};

const path = '/messages/batches';

function anthropicBatch(client: BatchClient, env: ProviderEnv): BatchApi {
  function readResult(result: JsonValue | undefined): BatchAnswer {
    if (!isJsonObject(result)) return { failure: client.classify(500, { error: { message: 'no result' } }) };
    const { type, message, error } = result;
    if (type === 'succeeded') {
      return withoutLatency(anthropicMessages.readAnswer(message, { latencyMs: 0, headers: {} }));
    }
    if (type === 'expired') return expired;
    if (type === 'canceled') return cancelled;
    return { failure: client.classify(statusOf(error), error) };
  }

  return {
    maxRequests: 20_000,
    maxBytes: 100_000_000,
    async encode({ key, request }) {
      const prepared = prepareRequest(request, {
        projectRoot: env.projectRoot,
        takes: anthropicMessages.takes,
        name: 'anthropic',
      });
      if ('failure' in prepared) return prepared;
      return { value: writeJson({ custom_id: key, params: anthropicMessages.buildBody(prepared.request) }) ?? '' };
    },
    async submit({ items }, signal) {
      const created = await client.post(path, `{"requests":[${items.map((item) => item.text).join(',')}]}`, signal);
      if ('failure' in created) return created;
      const id = text(created.value['id']);
      return id === undefined ? noId('batch') : { value: id };
    },
    /** Batches have no name here: those of the right size and time may be the one. */
    async find({ keys, startedAt }, signal) {
      const candidates: string[] = [];
      let after = '';
      for (let page = 0; page < maxPages; page += 1) {
        const listed = await client.get(`${path}?limit=100${after}`, signal);
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
    },
    async read(id, signal): Promise<BatchReply<BatchStatus>> {
      const found = await client.get(`${path}/${encodeURIComponent(id)}`, signal);
      if ('failure' in found) return found.failure.status === 404 ? { value: { state: 'unknown' } } : found;
      // Archived: the answers are kept for 29 days.
      if (typeof found.value['archived_at'] === 'string') return { value: { state: 'unknown' } };
      if (found.value['processing_status'] === 'ended') return { value: { state: 'ended' } };
      const counts = found.value['request_counts'];
      const done = isJsonObject(counts) ? counts['succeeded'] : undefined;
      return { value: { state: 'running', ...(typeof done === 'number' ? { doneCount: done } : {}) } };
    },
    async collect(id, _batch, signal) {
      // Not by the answer's own `results_url`: the key goes to the configured host alone.
      const lines = await client.getLines(`${path}/${encodeURIComponent(id)}/results`, signal);
      if ('failure' in lines) return lines;
      const answers = new Map<string, BatchAnswer>();
      for (const { custom_id: key, result } of lines.value) {
        if (typeof key === 'string') answers.set(key, readResult(result));
      }
      return { value: answers };
    },
    close: client.close,
  };
}

function createdMsOf(batch: JsonObject): number | undefined {
  const created = text(batch['created_at']);
  return created === undefined ? undefined : Date.parse(created);
}

function sizeOf({ request_counts: counts }: JsonObject): number {
  if (!isJsonObject(counts)) return 0;
  return Object.values(counts).reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
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
