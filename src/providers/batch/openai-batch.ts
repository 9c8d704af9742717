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
import { openaiChat } from '../openai/chat.ts';
import type { Dialect } from '../openai/dialect.ts';
import { openaiResponses } from '../openai/responses.ts';
import { openaiPreset } from '../presets.ts';
import {
  addUnanswered,
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

/** Files and batches of OpenAI (https://platform.openai.com/docs/guides/batch), for chat completions and Responses. */
export const connectOpenaiBatch: ConnectBatch = (config, env) => {
  const client = openBatchClient(openaiPreset, config, env);
  return 'failure' in client ? client : new OpenaiBatch(client, config, env.projectRoot);
};

/** The key of the batch's metadata that holds its name. */
const nameKey = 'llmcheck';

class OpenaiBatch implements BatchApi {
  readonly maxRequests = 20_000;
  readonly maxBytes = 100_000_000;
  readonly #client: BatchClient;
  readonly #dialect: Dialect;
  readonly #endpoint: string;
  readonly #projectRoot: string;

  constructor(client: BatchClient, config: ProviderConfig, projectRoot: string) {
    this.#client = client;
    this.#dialect = config.options['api'] === 'responses' ? openaiResponses : openaiChat;
    this.#endpoint = `/v1${this.#dialect.pathOf('')}`;
    this.#projectRoot = projectRoot;
  }

  async encode({ key, request }: BatchItem): Promise<BatchReply<string>> {
    const rules = { projectRoot: this.#projectRoot, takes: this.#dialect.takes, name: 'openai' };
    return encodeRequest(request, rules, (prepared) => {
      const body = this.#dialect.buildBody(prepared);
      return { custom_id: key, method: 'POST', url: this.#endpoint, body };
    });
  }

  async submit({ name, items }: BatchSubmission, signal: AbortSignal): Promise<BatchReply<string>> {
    const lines = items.map((item) => `${item.text}\n`).join('');
    const contentType = `multipart/form-data; boundary=${name}`;
    const uploaded = await this.#client.post('/files', buildForm(name, lines), signal, contentType);
    const file = readId(uploaded, 'id', 'file');
    if ('failure' in file) return file;
    const metadata = { [nameKey]: name };
    const batch = { input_file_id: file.value, endpoint: this.#endpoint, completion_window: '24h', metadata };
    return readId(await this.#client.post('/batches', JSON.stringify(batch), signal), 'id', 'batch');
  }

  async find({ name, startedAt }: SubmittedBatch, signal: AbortSignal): Promise<BatchReply<readonly string[]>> {
    let after = '';
    for (let page = 0; page < maxPages; page += 1) {
      const listed = await this.#client.get(`/batches?limit=100${after}`, signal);
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
  }

  async read(id: string, signal: AbortSignal): Promise<BatchReply<BatchStatus>> {
    const found = await this.#client.get(`/batches/${encodeURIComponent(id)}`, signal);
    if ('failure' in found) return found.failure.status === 404 ? { value: { state: 'unknown' } } : found;
    const { status, errors } = found.value;
    if (status === 'failed') return { value: { state: 'refused', failure: this.#describeRefusal(errors) } };
    if (status === 'completed' || status === 'expired' || status === 'cancelled') return { value: { state: 'ended' } };
    return { value: { state: 'running' } };
  }

  async collect(
    id: string,
    { keys }: SubmittedBatch,
    signal: AbortSignal,
  ): Promise<BatchReply<ReadonlyMap<string, BatchAnswer>>> {
    const found = await this.#client.get(`/batches/${encodeURIComponent(id)}`, signal);
    if ('failure' in found) return found;
    const answers = new Map<string, BatchAnswer>();
    for (const file of [found.value['output_file_id'], found.value['error_file_id']]) {
      const fileId = text(file);
      if (fileId === undefined) continue;
      const lines = await this.#client.getLines(`/files/${encodeURIComponent(fileId)}/content`, signal);
      if ('failure' in lines) return lines;
      for (const line of lines.value) {
        const key = text(line['custom_id']);
        if (key !== undefined) answers.set(key, this.#readLine(line));
      }
    }
    addUnanswered(answers, keys, text(found.value['status']) ?? '');
    return { value: answers };
  }

  close(): void {
    this.#client.close();
  }

  #readLine({ response, error }: JsonObject): BatchAnswer {
    if (isJsonObject(error)) {
      const code = text(error['code']) ?? '';
      if (code === 'batch_expired') return expired;
      if (code === 'batch_cancelled') return cancelled;
      return { failure: this.#client.classify(500, { error }) };
    }
    if (!isJsonObject(response)) return { failure: this.#client.classify(500, { error: { message: 'no response' } }) };
    const { status_code: status, body } = response;
    if (status === 200) return withoutLatency(this.#dialect.readAnswer(body, { latencyMs: 0, headers: {} }));
    // Some requests come back with status 0, without an answer of the model.
    return { failure: this.#client.classify(typeof status === 'number' && status >= 400 ? status : 500, body) };
  }

  #describeRefusal(errors: JsonValue | undefined): ProviderFailure {
    const first = list(isJsonObject(errors) ? errors['data'] : undefined).find(isJsonObject);
    const code = text(first?.['code']) ?? '';
    const message = text(first?.['message']) ?? 'without a reason';
    // The account has used up its allowance of tokens that wait in batches.
    if (code === 'token_limit_exceeded')
      return this.#client.classify(429, { error: { message, code: 'rate_limit_exceeded' } });
    return this.#client.classify(400, { error: { message, code } });
  }
}

/** The input file of a batch as `multipart/form-data` (RFC 7578). The boundary must occur in no line. */
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
