import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { BatchAnswer } from '../../model/suite/provider.ts';
import { list, objectOf, text } from '../answer.ts';
import { anthropicMessages, anthropicPreset } from '../anthropic.ts';
import {
  type BatchClient,
  cancelled,
  defineBatchApi,
  expired,
  findInPages,
  isFromBefore,
  readBatchAnswer,
  readId,
} from './batch-client.ts';

const path = '/messages/batches';

/** Message Batches (https://docs.claude.com/en/api/creating-message-batches). */
export const connectAnthropicBatch = defineBatchApi({
  name: 'anthropic',
  maxRequests: 20_000,
  maxBytes: 100_000_000,
  presetOf: () => anthropicPreset,
  formatOf: () => anthropicMessages,
  pathOf: (id) => `${path}/${encodeURIComponent(id)}`,
  frame: (key, body) => ({ custom_id: key, params: body }),
  async submit({ items }, { client, signal }) {
    const requests = items.map((item) => item.text).join(',');
    return readId(await client.post(path, `{"requests":[${requests}]}`, signal), 'id', 'batch');
  },
  /** Batches have no name in this API, so every batch of the right size and time is a candidate. */
  find: ({ keys, startedAt }, access) =>
    findInPages(`${path}?limit=100`, access, ({ data, last_id: lastId, has_more: hasMore }, ids) => {
      const batches = list(data).filter(isJsonObject);
      const recent = batches.filter((batch) => !isFromBefore(createdMsOf(batch), startedAt));
      ids.push(...recent.filter((batch) => sizeOf(batch) === keys.length).flatMap(({ id }) => text(id) ?? []));
      const last = text(lastId);
      if (hasMore !== true || last === undefined || recent.length < batches.length) return undefined;
      return `&after_id=${encodeURIComponent(last)}`;
    }),
  readStatus({ archived_at: archivedAt, processing_status: status }) {
    // Archived: the answers are kept for 29 days.
    if (typeof archivedAt === 'string') return { state: 'unknown' };
    return { state: status === 'ended' ? 'ended' : 'running' };
  },
  async collect(id, { client, signal }) {
    // Don't use the reply's `results_url`: the key may go only to the configured host.
    const answers = await client.getAnswers(`${path}/${encodeURIComponent(id)}/results`, signal, ({ result }) =>
      readResult(result, client),
    );
    return 'failure' in answers ? answers : { value: { answers: answers.value, state: '' } };
  },
});

function readResult(result: JsonValue | undefined, client: BatchClient): BatchAnswer {
  if (!isJsonObject(result)) return { failure: client.classify(500, { error: { message: 'no result' } }) };
  const { type, message, error } = result;
  if (type === 'succeeded') return readBatchAnswer(message, anthropicMessages);
  if (type === 'expired') return expired;
  if (type === 'canceled') return cancelled;
  return { failure: client.classify(statusOf(error), error) };
}

function createdMsOf(batch: JsonObject): number | undefined {
  const created = text(batch['created_at']);
  return created === undefined ? undefined : Date.parse(created);
}

function sizeOf({ request_counts: counts }: JsonObject): number {
  return Object.values(objectOf(counts)).reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);
}

/** HTTP status of each error type (https://docs.claude.com/en/api/errors). Errors in a batch have none. */
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

/** Finds the status of an error, with or without the frame of a single answer. */
function statusOf(error: JsonValue | undefined): number {
  const outer = objectOf(error);
  const type = text((isJsonObject(outer['error']) ? outer['error'] : outer)['type']);
  return type !== undefined && Object.hasOwn(statuses, type) ? (statuses[type] ?? 500) : 500;
}
