// Feeds one stored exchange through its adapter and compares what comes out with what the raw body says.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '../src/json/json.ts';
import type { CompletionOutcome } from '../src/model/run/completion.ts';
import type { ProviderConfig } from '../src/model/suite/suite.ts';
import { lookupAdapter } from '../src/providers/index.ts';
import { presets } from '../src/providers/presets.ts';
import { streamAnswer } from './answer-streams.ts';
import { apiOf, type Exchange, readTruth, type ToldUsage } from './exchange-truth.ts';

/** What became of an exchange, and everything that is not as its body says. */
export interface CheckedExchange {
  readonly line: object;
  readonly faults: readonly string[];
}

/** Checks the exchanges one after the other over one local server. */
export async function* checkExchanges(exchanges: readonly Exchange[]): AsyncGenerator<CheckedExchange> {
  const server = createServer((request, response) => {
    // The path begins with the index of the exchange, and with what is asked for.
    const [, kind, index] = /^\/(whole|stream)-(\d+)/.exec(request.url ?? '') ?? [];
    const exchange = exchanges[Number(index)];
    request.resume();
    request.on('end', () => (kind === 'stream' ? sendStream(response, exchange) : sendWhole(response, exchange)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    for (const [index, exchange] of exchanges.entries()) {
      const address = (kind: 'whole' | 'stream') => `http://127.0.0.1:${port}/${kind}-${index}`;
      const outcome = await ask(exchange, address('whole'));
      const faults = findFaults(exchange, outcome);
      // What is no answer as a whole has no events that could be told.
      const isStreamed = outcome.status === 'completed' && isJsonObject(exchange.response) && faults.length === 0;
      const streamed = isStreamed ? await ask(exchange, address('stream'), true) : undefined;
      const ofStream = streamed === undefined ? [] : compareStreamed(outcome, streamed);
      yield { line: describeOutcome(exchange.id, outcome), faults: [...faults, ...ofStream] };
    }
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const usageParts: readonly (keyof ToldUsage)[] = [
  'inputTokens',
  'outputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'reasoningTokens',
];

function replyOf(exchange: Exchange | undefined): { status: number; type: string; body: string } {
  const { status = 404, response = null } = exchange ?? {};
  if (typeof response !== 'string')
    return { status, type: 'application/json', body: response === null ? '' : JSON.stringify(response) };
  return { status, type: /^(event|data|:)/.test(response) ? 'text/event-stream' : 'text/plain', body: response };
}

function sendWhole(response: ServerResponse, exchange: Exchange | undefined): void {
  const { status, type, body } = replyOf(exchange);
  response.writeHead(status, { 'content-type': type }).end(body);
}

/** The same answer in pieces of three characters, and in pieces of bytes that cut events and characters. */
function sendStream(response: ServerResponse, exchange: Exchange | undefined): void {
  const body = exchange?.response;
  if (exchange === undefined || !isJsonObject(body)) return sendWhole(response, exchange);
  const { contentType, events } = streamAnswer(apiOf(exchange), body);
  const bytes = Buffer.concat(events);
  response.writeHead(200, { 'content-type': contentType });
  for (let at = 0; at < bytes.length; at += 61) response.write(bytes.subarray(at, at + 61));
  response.end();
}

/** Where a streamed answer is not the whole one. */
function compareStreamed(whole: CompletionOutcome, streamed: CompletionOutcome): readonly string[] {
  const [expected, got] = [whole, streamed].map(comparable);
  if (!isDeepStrictEqual(got, expected)) {
    return [`streamed it is ${JSON.stringify(got)}, and whole ${JSON.stringify(expected)}`];
  }
  const { text = '', toolCalls = [], firstTokenMs } = streamed.status === 'completed' ? streamed.completion : {};
  const hasToken = text !== '' || toolCalls.length > 0;
  return hasToken && firstTokenMs === undefined ? ['streamed it has no time of a first token'] : [];
}

/** Without times, and without the order of members in what goes back to the API. */
function comparable(outcome: CompletionOutcome): unknown {
  if (outcome.status === 'failed') return outcome.failure;
  const { latencyMs: _latency, firstTokenMs: _first, continuation, ...rest } = outcome.completion;
  return { ...rest, continuation: typeof continuation === 'string' ? (JSON.parse(continuation) as unknown) : null };
}

async function ask(exchange: Exchange, baseUrl: string, stream?: true): Promise<CompletionOutcome> {
  const { name, options } = adapterOf(exchange);
  const adapter = lookupAdapter(name);
  if (adapter === undefined) throw new Error(`no adapter ${name}`);
  const config: ProviderConfig = {
    id: exchange.id,
    adapter: name,
    model: 'stored',
    baseUrl,
    ...(stream === true ? { stream } : {}),
    params: {},
    headers: {},
    limits: {},
    options,
    folder: '/',
  };
  const env = { env: {}, projectRoot: '/' };
  const { adapterVersion } = adapter.resolve(config, env);
  const provider = await adapter.connect(config, env);
  try {
    return await provider.complete(
      {
        adapter: name,
        adapterVersion,
        baseUrl,
        model: config.model,
        messages: [{ role: 'user', content: 'Hello' }],
        params: {},
        trial: 0,
        origin: { suite: 'exchanges', prompt: 'stored', provider: name, caseId: exchange.id },
      },
      AbortSignal.timeout(30_000),
    );
  } finally {
    await provider.close();
  }
}

/** By the kind of API, and for the services that share one by the host. */
function adapterOf(exchange: Exchange): { readonly name: string; readonly options: ProviderConfig['options'] } {
  const { uri } = exchange;
  const kind = apiOf(exchange);
  if (kind === 'openai-responses') return { name: 'openai', options: { api: 'responses' } };
  if (kind !== 'openai-chat') return { name: kind, options: {} };
  const host = URL.canParse(uri) ? new URL(uri).host : '';
  const found = Object.entries(presets).find(
    ([, { baseUrl }]) => baseUrl !== undefined && new URL(baseUrl).host === host,
  );
  return { name: found?.[0] ?? 'openai', options: {} };
}

function describeOutcome(id: string, outcome: CompletionOutcome): object {
  if (outcome.status === 'failed') {
    const { kind, message, status } = outcome.failure;
    return {
      id,
      text: null,
      toolCalls: [],
      finishReason: null,
      usage: null,
      error: { kind, message, status: status ?? null },
    };
  }
  const { text, toolCalls, finishReason, usage } = outcome.completion;
  return {
    id,
    text,
    toolCalls: toolCalls.map(({ id: callId, name, arguments: parsed, rawArguments }) => ({
      id: callId ?? null,
      name,
      arguments: parsed ?? rawArguments,
    })),
    finishReason,
    usage: usage ?? null,
    error: null,
  };
}

/** Where an outcome is not what the body says. */
export function findFaults(exchange: Exchange, outcome: CompletionOutcome): readonly string[] {
  const truth = readTruth(exchange);
  if (truth.kind === 'failure') {
    if (outcome.status === 'completed') return [`was read as an answer, and is ${truth.kinds[0]}`];
    const { kind, message } = outcome.failure;
    return truth.kinds.includes(kind) ? [] : [`was told as ${kind} (${message}), and is ${truth.kinds.join(' or ')}`];
  }
  if (outcome.status === 'failed')
    return [`is an answer, and was told as ${outcome.failure.kind}: ${outcome.failure.message}`];
  const { text, toolCalls, usage, model, responseId } = outcome.completion;
  const faults: string[] = [];
  const compare = (what: string, got: unknown, told: unknown): void => {
    if (isDeepStrictEqual(got, told)) return;
    faults.push(`${what} is ${JSON.stringify(got)}, and the body says ${JSON.stringify(told)}`);
  };
  compare('the text', text, truth.text);
  compare(
    'the tool calls',
    toolCalls.map((call) => ({ name: call.name, arguments: call.arguments ?? call.rawArguments })),
    truth.toolCalls.map((call) => ({ ...call })),
  );
  for (const name of usageParts) {
    // A part of nothing may be left out.
    if (truth.usage[name] !== undefined && (truth.usage[name] !== 0 || usage?.[name] !== undefined)) {
      compare(name, usage?.[name], truth.usage[name]);
    }
  }
  if (truth.model !== undefined && truth.model !== '') compare('the model', model, truth.model);
  if (truth.responseId !== undefined && truth.responseId !== '')
    compare('the response id', responseId, truth.responseId);
  return faults;
}
