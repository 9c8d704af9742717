import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cacheKey, recordingHash } from '../../src/cache/cache-key.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/json/json.ts';
import type { CompletionRequest, Message } from '../../src/model/run/completion.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { adapters } from '../../src/providers/index.ts';
import { startServer } from '../support/http-server.ts';
import fc from '../support/property.ts';
import { conversation, neutralParams } from './ask-provider.ts';
import { buildConfig } from './build-request.ts';

/** Any JSON with the members of its objects in any order. */
function reordered(value: JsonValue): fc.Arbitrary<JsonValue> {
  if (Array.isArray(value)) return fc.tuple(...(value as readonly JsonValue[]).map(reordered));
  if (!isJsonObject(value)) return fc.constant(value);
  const members = Object.entries(value);
  return fc
    .tuple(fc.shuffledSubarray(members, { minLength: members.length }), fc.record(mapValues(value, reordered)))
    .map(([names, made]) => Object.fromEntries(names.map(([name]) => [name, made[name] ?? null])));
}

function mapValues<To>(value: JsonObject, map: (value: JsonValue) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, map(member)]));
}

const params = fc.oneof(
  reordered({ ...neutralParams, seed: 7, metadata: { team: 'a', run: 'b' } }),
  fc.dictionary(
    fc.constantFrom('seed', 'stop', 'top_k', 'user', 'text', 'system', 'generationConfig', '1', '__proto__'),
    fc.jsonValue() as fc.Arbitrary<JsonValue>,
  ),
  fc.subarray(Object.entries(neutralParams)).map((members) => Object.fromEntries(members)),
) as fc.Arbitrary<JsonObject>;

const said = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('Hello', '', '\ud83d'));

const calls = reordered({ city: 'Paris', unit: 'C' }).map((parsed): Message => {
  const call = { id: 'c1', name: 'weather', arguments: parsed, rawArguments: JSON.stringify(parsed) };
  return { role: 'assistant', content: '', toolCalls: [call] };
});

const messages = fc.oneof(
  fc.constant(conversation),
  fc
    .tuple(fc.constantFrom('system', 'user', 'developer'), said)
    .map(([role, content]) => [{ role, content }, { role: 'user', content: 'Hello' } as const]),
  calls.map((call) => [
    { role: 'user', content: 'Hello' },
    call,
    { role: 'tool', content: '22', toolCallId: 'c1', name: 'weather' },
  ]),
) as fc.Arbitrary<readonly Message[]>;

const asked = fc.record({ messages, params, trial: fc.nat(2) });
type Asked = Parameters<Parameters<typeof asked.map>[0]>[0];

/** A request and one that may differ in a single field alone. */
const pairs = fc
  .tuple(asked, asked, fc.constantFrom('messages', 'params', 'trial', 'nothing', 'all'))
  .map(([a, b, field]): readonly [Asked, Asked] => {
    if (field === 'all') return [a, b];
    return [a, field === 'nothing' ? structuredClone(a) : { ...a, [field]: b[field] }];
  });

interface Wire {
  readonly send: (asked: Asked) => Promise<{ readonly sent: string; readonly request: CompletionRequest }>;
}

const env = {
  AWS_REGION: 'eu-central-1',
  AWS_BEARER_TOKEN_BEDROCK: 'token-0123456789',
  GOOGLE_CLOUD_PROJECT: 'project',
  MODE: 'a',
};

/** What an adapter sends, as bytes, whoever asks. */
async function openWire(adapter: string, over: Partial<ProviderConfig> = {}): Promise<Wire> {
  const projectRoot = realpathSync(mkdtempSync(join(tmpdir(), 'llmcheck-wire-')));
  const server = await startServer({ status: 500, body: { error: { message: 'enough' } } });
  writeFileSync(join(projectRoot, 'echo-module.mjs'), 'export default (given) => JSON.stringify(given);');
  const config = buildConfig({ adapter, baseUrl: server.url, folder: projectRoot, ...over });
  const found = adapters[adapter];
  if (found === undefined) throw new Error(`no adapter ${adapter}`);
  const endpoint = found.resolve(config, { env, projectRoot });
  const connected = await found.connect(config, { env, projectRoot });
  onTestFinished(async () => {
    await connected.close();
    await server.close();
    rmSync(projectRoot, { recursive: true, force: true });
  });
  return {
    async send(given) {
      const { adapterVersion, baseUrl } = endpoint;
      const origin = { suite: 's', prompt: 'v1', provider: config.id, caseId: 'c' };
      const address = baseUrl === undefined ? {} : { baseUrl };
      const request = { adapter, adapterVersion, ...address, model: config.model, ...given, origin };
      const before = server.requests.length;
      const outcome = await connected.complete(request, new AbortController().signal);
      const received = server.requests[before];
      if (received !== undefined) return { request, sent: `${received.url}\n${received.body}` };
      if (outcome.status === 'failed') return { request, sent: outcome.failure.message };
      return { request, sent: outcome.completion.text };
    },
  };
}

/** Two requests with different bytes have two keys, and the same request has one. */
async function findFault({ send }: Wire, pair: readonly [Asked, Asked]): Promise<string | undefined> {
  const [a, b] = [await send(pair[0]), await send(pair[1])];
  const areSameBytes = a.sent === b.sent;
  const areSame = JSON.stringify(pair[0]) === JSON.stringify(pair[1]);
  if (areSame && !areSameBytes) return 'one request was sent in two ways';
  for (const keyOf of [cacheKey, recordingHash]) {
    const isOneKey = keyOf(a.request) === keyOf(b.request);
    if (isOneKey && !areSameBytes) return `one ${keyOf.name} for\n${a.sent}\nand\n${b.sent}`;
    if (!isOneKey && areSame) return `two values of ${keyOf.name} for one request`;
  }
  return undefined;
}

const wires: readonly (readonly [string, Partial<ProviderConfig>])[] = [
  ['openai', {}],
  ['openai', { options: { api: 'responses' } }],
  ['openai', { options: { api: 'embeddings' } }],
  ['deepseek', {}],
  ['azure', { options: { apiVersion: '2024-10-21' } }],
  ['anthropic', {}],
  ['gemini', {}],
  ['vertex', {}],
  ['bedrock', {}],
  ['cohere', {}],
  ['http', { options: { request: { ask: '{{ messages }}', with: '{{ params }}', trial: '{{ trial }}' } } }],
];

describe('a request whose bytes differ has another key', () => {
  test.each(wires)('%s %j', { tags: 'slow' }, async (adapter, config) => {
    const wire = await openWire(adapter, config);
    await fc.assert(
      fc.asyncProperty(pairs, async (pair) => {
        expect(await findFault(wire, pair)).toBeUndefined();
      }),
    );
  });

  test.each([
    ['exec', { model: 'cat', options: { output: 'text' } }],
    ['module', { model: 'echo-module.mjs' }],
  ])('%s', { tags: ['slow'] }, async (adapter, config) => {
    const { baseUrl: _, ...own } = buildConfig(config);
    const wire = await openWire(adapter, { model: own.model, options: own.options });
    await fc.assert(
      fc.asyncProperty(pairs, async (pair) => {
        expect(await findFault(wire, pair)).toBeUndefined();
      }),
      { numRuns: 10 },
    );
  });
});
