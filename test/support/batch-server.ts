import { onTestFinished } from 'vitest';
import { completionOf, testKey, wordOf } from './chat-server.ts';
import { type ReceivedRequest, type Scripted, type ScriptedServer, startServer } from './http-server.ts';

export const batchApiNames = ['openai', 'responses', 'anthropic', 'gemini'] as const;
export type BatchApiName = (typeof batchApiNames)[number];

/** What becomes of one request of a batch: a text that is answered, or `expired`, `overloaded`, `refused`, `missing`, of `openai` also `unusable`, `cancelled` and `unanswered`; where answers come as a file, `undecodable`. */
export type Fate = string;

/** A provider with a live and a batch API, of which the test decides when a batch ends. */
export interface BatchServer extends ScriptedServer {
  readonly env: Readonly<Record<string, string>>;
  /** The keys of each batch that was taken. */
  readonly submissions: readonly (readonly string[])[];
  /** Resolves once so many batches were taken. */
  taken(count: number): Promise<void>;
  /** Requests that were asked live. */
  readonly liveCount: number;
  /** While true, no batch ends. */
  isHeld: boolean;
  /** What the client hears when it hands a batch in; the batch is taken in any case but `refuse`. */
  onSubmit: 'answer' | 'hang' | 'reset' | 'refuse';
  /** The state in which batches end; what it leaves without an answer is `missing`. */
  endState: EndState;
  /** By how much the clock of the provider is ahead. */
  clockOffsetMs: number;
  /** Somebody else submits a batch of one request. */
  addStranger(): void;
  /** A page of the list of batches holds one of them. */
  isPaged: boolean;
  /** Batches are forgotten, as if their time of keeping were over. */
  forgetAll(): void;
  suite(words?: readonly string[]): string;
}

type EndState = 'completed' | 'expired' | 'cancelled' | 'failed' | 'full';

interface Batch {
  readonly id: string;
  readonly name: string;
  readonly items: readonly { readonly key: string; readonly text: string }[];
  readonly createdMs: number;
}

type Body = Record<string, unknown>;

interface Dialect {
  readonly use: string;
  readonly env: (url: string) => Readonly<Record<string, string>>;
  isLive(request: ReceivedRequest): boolean;
  readonly live: (text: string) => object;
  readonly textOf: (body: Body) => string;
  /** Undefined where the request hands nothing in. */
  readSubmission(request: ReceivedRequest): Omit<Batch, 'id' | 'createdMs'> | undefined;
  describe(batch: Batch, endState: EndState | undefined, fateOf: (text: string) => Fate): object;
  /** `last`: the id of the last one, where another page follows. */
  readonly list: (described: readonly object[], last: string | undefined) => object;
  isList(request: ReceivedRequest): boolean;
  /** Lines of a file of answers. */
  readonly results?: (batch: Batch, fateOf: (text: string) => Fate) => readonly object[];
}

/** Starts one that answers `Say: WORD` with the word, or by `fateOf` the word. */
export async function startBatchServer(
  api: BatchApiName,
  fateOf: (word: string) => Fate = (word) => word,
): Promise<BatchServer> {
  const dialect = dialects[api];
  const batches: Batch[] = [];
  const submissions: string[][] = [];
  const state = {
    isHeld: false,
    onSubmit: 'answer' as BatchServer['onSubmit'],
    liveCount: 0,
    endState: 'completed' as EndState,
    clockOffsetMs: 0,
    isPaged: false,
  };
  const describe = (batch: Batch, isEnded = !state.isHeld) =>
    dialect.describe(batch, isEnded ? state.endState : undefined, fateOfText);
  const fateOfText = (text: string) => fateOf(wordOf(text));
  const files = new Map<string, string>();
  const waiting: (() => void)[] = [];

  function answer(request: ReceivedRequest): Scripted {
    if (dialect.isLive(request)) {
      state.liveCount += 1;
      const word = wordOf(dialect.textOf(JSON.parse(request.body) as Body));
      return { body: dialect.live(fateOf(word)) };
    }
    if (request.method === 'POST' && request.url.endsWith('/files')) {
      const id = `file-${files.size}`;
      files.set(id, request.body);
      return { body: { id, object: 'file' } };
    }
    const submitted = dialect.readSubmission(withFile(request, files));
    if (submitted !== undefined) {
      if (state.onSubmit === 'refuse')
        return { status: 400, body: { error: { message: 'not like this', code: 'invalid_request' } } };
      const batch = { ...submitted, id: `batches/${batches.length}`, createdMs: Date.now() + state.clockOffsetMs };
      batches.push(batch);
      submissions.push(batch.items.map(({ key }) => key));
      for (const wait of waiting) wait();
      if (state.onSubmit !== 'answer') return state.onSubmit;
      return { body: describe(batch, false) };
    }
    if (dialect.isList(request)) {
      const { searchParams } = new URL(request.url, 'http://127.0.0.1');
      const after = searchParams.get('after') ?? searchParams.get('after_id') ?? searchParams.get('pageToken');
      const all = batches.toReversed();
      const rest = all.slice(all.findIndex(({ id }) => id === after) + 1);
      const page = state.isPaged ? rest.slice(0, 1) : rest;
      const last = page.length < rest.length ? page.at(-1)?.id : undefined;
      return {
        body: dialect.list(
          page.map((batch) => describe(batch)),
          last,
        ),
      };
    }
    const batch = batches.find(({ id }) => decodeURIComponent(request.url).includes(id));
    if (batch === undefined) return { status: 404, body: { error: { message: 'there is no such batch' } } };
    const isFile = /\/(results|content)$/.test(request.url);
    if (!isFile) return { body: describe(batch) };
    const lines = dialect.results?.(batch, fateOfText) ?? [];
    // In another order than they were asked, as the APIs reserve for themselves.
    const text = lines
      .toReversed()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
    return { body: Buffer.from(text.replace('undecodable', 'Gr\u00fc\u00dfe'), 'latin1') };
  }

  const server = await startServer(answer);
  onTestFinished(() => server.close());
  return {
    ...server,
    env: dialect.env(server.url),
    submissions,
    taken: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (submissions.length >= count) resolve();
        };
        waiting.push(look);
        look();
      }),
    get liveCount() {
      return state.liveCount;
    },
    get isHeld() {
      return state.isHeld;
    },
    set isHeld(isHeld) {
      state.isHeld = isHeld;
    },
    get onSubmit() {
      return state.onSubmit;
    },
    set onSubmit(onSubmit) {
      state.onSubmit = onSubmit;
    },
    get endState() {
      return state.endState;
    },
    set endState(endState) {
      state.endState = endState;
    },
    get clockOffsetMs() {
      return state.clockOffsetMs;
    },
    set clockOffsetMs(clockOffsetMs) {
      state.clockOffsetMs = clockOffsetMs;
    },
    addStranger() {
      const id = `batches/${batches.length}`;
      batches.push({ id, name: 'strange', items: [{ key: 'strange', text: 'Say: nothing' }], createdMs: Date.now() });
    },
    get isPaged() {
      return state.isPaged;
    },
    set isPaged(isPaged) {
      state.isPaged = isPaged;
    },
    forgetAll() {
      batches.length = 0;
    },
    suite: (words = ['one', 'two', 'three', 'four']) => `suite: batched
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
  - id: mini
    use: ${dialect.use}
    ${api === 'responses' ? 'api: responses' : '# chat'}
    price: { input: 1000, output: 1000 }
    params: { max_tokens: 20 }
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} } }`).join('\n')}
`,
  };
}

/** The body that a batch names by the id of its file. */
function withFile(request: ReceivedRequest, files: ReadonlyMap<string, string>): ReceivedRequest {
  if (request.method !== 'POST' || !request.url.endsWith('/batches') || !request.body.includes('input_file_id'))
    return request;
  const { input_file_id: id, metadata } = JSON.parse(request.body) as {
    input_file_id: string;
    metadata: { llmcheck: string };
  };
  return { ...request, body: JSON.stringify({ name: metadata.llmcheck, file: files.get(id) ?? '' }) };
}

function messageOf(body: Body): string {
  const messages = (body['messages'] ?? body['input'] ?? body['contents']) as readonly Body[];
  const { content, parts } = messages.at(-1) ?? {};
  return String(content ?? (parts as readonly Body[])[0]?.['text']);
}

function openai(path: string, live: (text: string) => object): Dialect {
  const answerOf = (fate: Fate, key: string): object => {
    if (fate === 'expired')
      return { custom_id: key, response: null, error: { code: 'batch_expired', message: 'expired' } };
    if (fate === 'cancelled')
      return { custom_id: key, response: null, error: { code: 'batch_cancelled', message: 'cancelled' } };
    if (fate === 'unanswered') return { custom_id: key, response: { status_code: 0, body: null }, error: null };
    const failed = { refused: [400, 'invalid_request_error'], overloaded: [503, 'overloaded'] }[
      fate as 'refused' | 'overloaded'
    ];
    const error = { error: { message: 'said no', type: failed?.[1] } };
    const response =
      failed === undefined ? { status_code: 200, body: live(fate) } : { status_code: failed[0], body: error };
    return { id: `r-${key}`, custom_id: key, response, error: null };
  };
  return {
    use: 'openai:gpt-4o-mini',
    env: (url) => ({ OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: testKey }),
    isLive: ({ method, url }) => method === 'POST' && url.endsWith(path),
    live,
    textOf: messageOf,
    readSubmission({ method, url, body }) {
      if (method !== 'POST' || !url.endsWith('/batches')) return undefined;
      const { name, file } = JSON.parse(body) as { name: string; file: string };
      const lines = file.split(/\r?\n/).filter((line) => line.startsWith('{"custom_id"'));
      const items = lines.map((line) => JSON.parse(line) as { custom_id: string; url: string; body: Body });
      if (items.some((item) => item.url !== `/v1${path}`)) throw new Error('another endpoint than that of the batch');
      return { name, items: items.map((item) => ({ key: item.custom_id, text: messageOf(item.body) })) };
    },
    describe: ({ id, name, items, createdMs }, endState) => ({
      id,
      object: 'batch',
      status: endState === 'full' ? 'failed' : (endState ?? 'in_progress'),
      errors: {
        data: [{ code: endState === 'full' ? 'token_limit_exceeded' : 'invalid_file', message: 'not like this' }],
      },
      metadata: { llmcheck: name },
      created_at: Math.floor(createdMs / 1000),
      request_counts: { total: items.length, completed: endState === undefined ? 0 : items.length, failed: 0 },
      output_file_id: endState === undefined ? null : id,
      error_file_id: null,
    }),
    isList: ({ method, url }) => method === 'GET' && url.includes('/batches?'),
    list: (data, last) => ({ object: 'list', data, has_more: last !== undefined }),
    results: (batch, fateOf) =>
      batch.items.flatMap(({ key, text }) => (fateOf(text) === 'missing' ? [] : answerOf(fateOf(text), key))),
  };
}

const geminiAnswer = (text: string) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5 },
  modelVersion: 'gemini-2.5-flash',
});

const anthropicAnswer = (text: string) => ({
  id: 'msg_1',
  type: 'message',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 10, output_tokens: 5 },
});

function anthropicResult(fate: Fate): object {
  if (fate === 'expired') return { type: 'expired' };
  const type = { refused: 'invalid_request_error', overloaded: 'overloaded_error' }[fate as 'refused' | 'overloaded'];
  if (type === undefined) return { type: 'succeeded', message: anthropicAnswer(fate) };
  return { type: 'errored', error: { type: 'error', error: { type, message: 'said no' } } };
}

function geminiResult(fate: Fate): object {
  const code = { refused: 3, overloaded: 14, expired: 4 }[fate as 'refused' | 'overloaded' | 'expired'];
  return code === undefined ? { response: geminiAnswer(fate) } : { error: { code, message: 'said no' } };
}

const dialects: Readonly<Record<BatchApiName, Dialect>> = {
  openai: openai('/chat/completions', (text) => ({
    ...completionOf(text),
    ...(text === 'unusable' ? { choices: [] } : {}),
  })),
  responses: openai('/responses', (text) => ({
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    model: 'gpt-4o-mini',
    output: [{ type: 'message', content: [{ type: 'output_text', text }] }],
    usage: { input_tokens: 10, output_tokens: 5 },
  })),
  anthropic: {
    use: 'anthropic:claude-sonnet-4-5',
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: testKey }),
    isLive: ({ method, url }) => method === 'POST' && url === '/v1/messages',
    live: anthropicAnswer,
    textOf: messageOf,
    readSubmission({ method, url, body }) {
      if (method !== 'POST' || url !== '/v1/messages/batches') return undefined;
      const { requests } = JSON.parse(body) as { requests: readonly { custom_id: string; params: Body }[] };
      // The API takes no others.
      if (requests.some(({ custom_id: key }) => !/^[\w-]{1,64}$/.test(key))) throw new Error('a bad custom_id');
      return { name: '', items: requests.map(({ custom_id: key, params }) => ({ key, text: messageOf(params) })) };
    },
    describe: ({ id, items, createdMs }, endState) => ({
      id,
      type: 'message_batch',
      processing_status: endState === undefined ? 'in_progress' : 'ended',
      request_counts:
        endState === undefined
          ? { processing: items.length, succeeded: 0, errored: 0 }
          : { processing: 0, succeeded: items.length, errored: 0 },
      created_at: new Date(createdMs).toISOString(),
      archived_at: null,
      results_url: endState === undefined ? null : 'https://elsewhere.example/never-to-be-asked',
    }),
    isList: ({ method, url }) => method === 'GET' && url.startsWith('/v1/messages/batches?'),
    list: (data, last) => ({ data, has_more: last !== undefined, first_id: null, last_id: last ?? null }),
    results: (batch, fateOf) =>
      batch.items.flatMap(({ key, text }) =>
        fateOf(text) === 'missing' ? [] : { custom_id: key, result: anthropicResult(fateOf(text)) },
      ),
  },
  gemini: {
    use: 'gemini:gemini-2.5-flash',
    env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: testKey }),
    isLive: ({ url }) => url.endsWith(':generateContent'),
    live: geminiAnswer,
    textOf: messageOf,
    readSubmission({ url, body }) {
      if (!url.endsWith(':batchGenerateContent')) return undefined;
      const { batch } = JSON.parse(body) as {
        batch: {
          displayName: string;
          inputConfig: { requests: { requests: readonly { request: Body; metadata: { key: string } }[] } };
        };
      };
      const { requests } = batch.inputConfig.requests;
      return {
        name: batch.displayName,
        items: requests.map(({ request, metadata: { key } }) => ({ key, text: messageOf(request) })),
      };
    },
    describe: ({ id, name, items }, endState, fateOf) => {
      const answered = items.filter(({ text }) => fateOf(text) !== 'missing');
      const inlined = answered.map(({ key, text }) => ({
        ...geminiResult(fateOf(text)),
        ...(fateOf(text).startsWith('keyless') ? {} : { metadata: { key } }),
      }));
      const state =
        { completed: 'SUCCEEDED', full: 'FAILED' }[endState as string] ?? endState?.toUpperCase() ?? 'RUNNING';
      return {
        name: id,
        metadata: {
          displayName: name,
          state: `BATCH_STATE_${state}`,
          batchStats: { requestCount: String(items.length) },
        },
        ...(endState === 'failed' ? { error: { code: 3, message: 'not like this' } } : {}),
        ...(endState === 'full' ? { error: { code: 8, message: 'not like this' } } : {}),
        ...(endState === undefined || endState === 'failed' || endState === 'full'
          ? {}
          : { done: true, response: { inlinedResponses: { inlinedResponses: inlined.toReversed() } } }),
      };
    },
    isList: ({ method, url }) => method === 'GET' && url.includes('/batches?'),
    list: (operations, last) => ({ operations, ...(last === undefined ? {} : { nextPageToken: last }) }),
  },
};
