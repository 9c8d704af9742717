import { writeJson } from '../../json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import type { BatchAnswer, BatchApi, BatchReply, BatchStatus } from '../../model/batch.ts';
import type { ProviderEnv } from '../../model/provider.ts';
import type { ProviderConfig } from '../../model/suite.ts';
import { list, text } from '../answer.ts';
import { openaiChat } from '../openai/chat.ts';
import { openaiResponses } from '../openai/responses.ts';
import { prepareRequest } from '../outgoing-request.ts';
import { presets } from '../presets.ts';
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

/** Files and batches of OpenAI (https://platform.openai.com/docs/guides/batch), for chat completions and Responses. */
export const connectOpenaiBatch: ConnectBatch = (config, env) => {
  const preset = presets['openai'];
  if (preset === undefined) throw new Error('the preset of openai is gone');
  const client = openBatchClient(preset, config, env);
  return 'failure' in client ? client : openaiBatch(client, config, env);
};

/** The name stands in the batch's metadata under this key. */
const nameKey = 'llmcheck';

function openaiBatch(client: BatchClient, config: ProviderConfig, env: ProviderEnv): BatchApi {
  const dialect = config.options['api'] === 'responses' ? openaiResponses : openaiChat;
  const endpoint = `/v1${dialect.pathOf('')}`;

  function readLine(line: JsonObject): BatchAnswer {
    const { response, error } = line;
    if (isJsonObject(error)) {
      const code = text(error['code']) ?? '';
      if (code === 'batch_expired') return expired;
      if (code === 'batch_cancelled') return cancelled;
      return { failure: client.classify(500, { error }) };
    }
    if (!isJsonObject(response)) return { failure: client.classify(500, { error: { message: 'no response' } }) };
    const { status_code: status, body } = response;
    if (status === 200) return withoutLatency(dialect.readAnswer(body, { latencyMs: 0, headers: {} }));
    // Some requests come back with status 0, which is nobody's answer.
    return { failure: client.classify(typeof status === 'number' && status >= 400 ? status : 500, body) };
  }

  return {
    maxRequests: 20_000,
    maxBytes: 100_000_000,
    async encode({ key, request }) {
      const prepared = prepareRequest(request, { projectRoot: env.projectRoot, takes: dialect.takes, name: 'openai' });
      if ('failure' in prepared) return prepared;
      const body = dialect.buildBody(prepared.request);
      return { value: writeJson({ custom_id: key, method: 'POST', url: endpoint, body }) ?? '' };
    },
    async submit({ name, items }, signal) {
      const form = buildForm(
        name,
        { purpose: 'batch' },
        { name: 'file', fileName: `${name}.jsonl`, text: items.map((item) => `${item.text}\n`).join('') },
      );
      const uploaded = await client.post('/files', form.body, signal, form.contentType);
      if ('failure' in uploaded) return uploaded;
      const fileId = text(uploaded.value['id']);
      if (fileId === undefined) return noId('file');
      const created = await client.post(
        '/batches',
        { input_file_id: fileId, endpoint, completion_window: '24h', metadata: { [nameKey]: name } },
        signal,
      );
      if ('failure' in created) return created;
      const id = text(created.value['id']);
      return id === undefined ? noId('batch') : { value: id };
    },
    async find({ name, startedAt }, signal) {
      let after = '';
      for (let page = 0; page < maxPages; page += 1) {
        const listed = await client.get(`/batches?limit=100${after}`, signal);
        if ('failure' in listed) return listed;
        const batches = list(listed.value['data']).filter(isJsonObject);
        const own = batches.find(({ metadata }) => isJsonObject(metadata) && metadata[nameKey] === name);
        const id = text(own?.['id']);
        if (id !== undefined) return { value: [id] };
        const last = batches.at(-1);
        const lastId = text(last?.['id']);
        const createdMs = typeof last?.['created_at'] === 'number' ? last['created_at'] * 1000 : undefined;
        if (listed.value['has_more'] !== true || lastId === undefined || isFromBefore(createdMs, startedAt)) break;
        after = `&after=${encodeURIComponent(lastId)}`;
      }
      return { value: [] };
    },
    async read(id, signal): Promise<BatchReply<BatchStatus>> {
      const found = await client.get(`/batches/${encodeURIComponent(id)}`, signal);
      if ('failure' in found) return found.failure.status === 404 ? { value: { state: 'unknown' } } : found;
      const { status, request_counts: counts, errors } = found.value;
      if (status === 'failed') return { value: { state: 'refused', failure: describeRefusal(client, errors) } };
      if (status === 'completed' || status === 'expired' || status === 'cancelled')
        return { value: { state: 'ended' } };
      const done = isJsonObject(counts) ? counts['completed'] : undefined;
      return { value: { state: 'running', ...(typeof done === 'number' ? { doneCount: done } : {}) } };
    },
    async collect(id, { keys }, signal) {
      const found = await client.get(`/batches/${encodeURIComponent(id)}`, signal);
      if ('failure' in found) return found;
      const answers = new Map<string, BatchAnswer>();
      for (const file of [found.value['output_file_id'], found.value['error_file_id']]) {
        const fileId = text(file);
        if (fileId === undefined) continue;
        const lines = await client.getLines(`/files/${encodeURIComponent(fileId)}/content`, signal);
        if ('failure' in lines) return lines;
        for (const line of lines.value) {
          const key = text(line['custom_id']);
          if (key !== undefined) answers.set(key, readLine(line));
        }
      }
      const left =
        found.value['status'] === 'expired' ? expired : found.value['status'] === 'cancelled' ? cancelled : undefined;
      if (left !== undefined) for (const key of keys) if (!answers.has(key)) answers.set(key, left);
      return { value: answers };
    },
    close: client.close,
  };
}

function describeRefusal(client: BatchClient, errors: JsonValue | undefined) {
  const first = list(isJsonObject(errors) ? errors['data'] : undefined).find(isJsonObject);
  const code = text(first?.['code']) ?? '';
  const error = { message: text(first?.['message']) ?? 'without a reason', code };
  // The account's allowance of tokens that wait in batches is used up for now.
  if (code === 'token_limit_exceeded')
    return client.classify(429, { error: { ...error, code: 'rate_limit_exceeded' } });
  return client.classify(400, { error });
}

interface FormFile {
  readonly name: string;
  readonly fileName: string;
  readonly text: string;
}

/** A form with one file as `multipart/form-data` (RFC 7578). The boundary must occur in no value. */
function buildForm(
  boundary: string,
  fields: Readonly<Record<string, string>>,
  file: FormFile,
): { readonly contentType: string; readonly body: string } {
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${file.name}"; filename="${file.fileName}"\r\ncontent-type: application/jsonl\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: `${parts.join('')}${head}${file.text}\r\n--${boundary}--\r\n`,
  };
}
