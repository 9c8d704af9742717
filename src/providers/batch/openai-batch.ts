import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { ProviderFailure } from '../../model/run/completion.ts';
import type { BatchAnswer } from '../../model/suite/provider.ts';
import { list, objectOf, text } from '../answer.ts';
import type { HttpFormat } from '../http-adapter.ts';
import { openaiChat } from '../openai/chat.ts';
import { openaiResponses } from '../openai/responses.ts';
import { openaiPreset } from '../presets.ts';
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

/** Metadata key of the batch's name. */
const nameKey = 'llmcheck';

const endedStates: ReadonlySet<unknown> = new Set(['completed', 'expired', 'cancelled']);

/** Files and batches of OpenAI (https://platform.openai.com/docs/guides/batch), for chat completions and Responses. */
export const connectOpenaiBatch = defineBatchApi({
  name: 'openai',
  maxRequests: 20_000,
  maxBytes: 100_000_000,
  presetOf: () => openaiPreset,
  formatOf: ({ options }) => (options['api'] === 'responses' ? openaiResponses : openaiChat),
  pathOf,
  frame: (key, body, format) => ({ custom_id: key, method: 'POST', url: endpointOf(format), body }),
  async submit({ name, items }, { client, format, signal }) {
    const lines = items.map((item) => `${item.text}\n`).join('');
    const contentType = `multipart/form-data; boundary=${name}`;
    const uploaded = await client.post('/files', buildForm(name, lines), signal, contentType);
    const file = readId(uploaded, 'id', 'file');
    if ('failure' in file) return file;
    const metadata = { [nameKey]: name };
    const batch = { input_file_id: file.value, endpoint: endpointOf(format), completion_window: '24h', metadata };
    return readId(await client.post('/batches', JSON.stringify(batch), signal), 'id', 'batch');
  },
  find: ({ name, startedAt }, access) =>
    findInPages('/batches?limit=100', access, ({ data, has_more: hasMore }, ids) => {
      const batches = list(data).filter(isJsonObject);
      const id = text(batches.find(({ metadata }) => objectOf(metadata)[nameKey] === name)?.['id']);
      if (id !== undefined) {
        ids.push(id);
        return undefined;
      }
      const { id: last, created_at: created } = batches.at(-1) ?? {};
      const lastId = text(last);
      const createdMs = typeof created === 'number' ? created * 1000 : undefined;
      if (hasMore !== true || lastId === undefined || isFromBefore(createdMs, startedAt)) return undefined;
      return `&after=${encodeURIComponent(lastId)}`;
    }),
  readStatus({ status = '', errors }, client) {
    if (status === 'failed') return { state: 'refused', failure: describeRefusal(errors, client) };
    return { state: endedStates.has(status) ? 'ended' : 'running' };
  },
  async collect(id, { client, format, signal }) {
    const found = await client.get(pathOf(id), signal);
    if ('failure' in found) return found;
    const { output_file_id: outputFile, error_file_id: errorFile, status } = found.value;
    const answers: (readonly [string | undefined, BatchAnswer])[] = [];
    for (const fileId of [text(outputFile), text(errorFile)]) {
      if (fileId === undefined) continue;
      const path = `/files/${encodeURIComponent(fileId)}/content`;
      const found = await client.getAnswers(path, signal, (line) => readLine(line, format, client));
      if ('failure' in found) return found;
      answers.push(...found.value);
    }
    return { value: { answers, state: text(status) ?? '' } };
  },
});

function pathOf(id: string): string {
  return `/batches/${encodeURIComponent(id)}`;
}

function endpointOf(format: HttpFormat): string {
  return `/v1${format.pathOf('')}`;
}

function readLine({ response, error }: JsonObject, format: HttpFormat, client: BatchClient): BatchAnswer {
  if (isJsonObject(error)) {
    const code = text(error['code']) ?? '';
    if (code === 'batch_expired') return expired;
    if (code === 'batch_cancelled') return cancelled;
    return { failure: client.classify(500, { error }) };
  }
  if (!isJsonObject(response)) return { failure: client.classify(500, { error: { message: 'no response' } }) };
  const { status_code: status, body } = response;
  if (status === 200) return readBatchAnswer(body, format);
  // Some requests return status 0, without an answer.
  return { failure: client.classify(typeof status === 'number' && status >= 400 ? status : 500, body) };
}

function describeRefusal(errors: JsonValue | undefined, client: BatchClient): ProviderFailure {
  const first = list(objectOf(errors)['data']).find(isJsonObject);
  const code = text(first?.['code']) ?? '';
  const message = text(first?.['message']) ?? 'without a reason';
  // The account reached its limit of tokens waiting in batches.
  if (code === 'token_limit_exceeded') return client.classify(429, { error: { message, code: 'rate_limit_exceeded' } });
  return client.classify(400, { error: { message, code } });
}

/** Builds the input file of a batch as `multipart/form-data` (RFC 7578). No line may contain the boundary. */
function buildForm(boundary: string, lines: string): string {
  return [
    `--${boundary}`,
    'content-disposition: form-data; name="purpose"',
    '',
    'batch',
    `--${boundary}`,
    `content-disposition: form-data; name="file"; filename="${boundary}.jsonl"`,
    'content-type: application/jsonl',
    '',
    lines,
    `--${boundary}--`,
    '',
  ].join('\r\n');
}
