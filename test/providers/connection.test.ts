import { afterEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import type { Endpoint } from '../../src/model/suite/provider.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { adapters, lookupAdapter } from '../../src/providers/index.ts';
import { findPriceProvider, presets } from '../../src/providers/presets.ts';
import { explainRefusal, readCredentials } from '../../src/providers/resolve-connection.ts';
import { startServer } from '../support/http-server.ts';
import { buildConfig, buildRequest } from './build-request.ts';

type Env = Readonly<Record<string, string>>;

const open: { close(): unknown }[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const resource of open.splice(0)) await resource.close();
});

function resolve(over: Partial<ProviderConfig>, env: Env = {}): Endpoint {
  const config = buildConfig(over);
  const endpoint = lookupAdapter(config.adapter)?.resolve(config, { env, projectRoot: '/project' });
  if (endpoint === undefined) throw new Error(`no adapter ${config.adapter}`);
  return endpoint;
}

async function send(over: Partial<ProviderConfig>, env: Env | ((url: string) => Env)) {
  const server = await startServer({ body: { choices: [{ message: { content: 'a' } }] } });
  open.push(server);
  const config = buildConfig(over.baseUrl === 'server' ? { ...over, baseUrl: server.url } : over);
  const seen = typeof env === 'function' ? env(server.url) : env;
  const provider = await lookupAdapter(config.adapter)?.connect(config, { env: seen, projectRoot: '/project' });
  if (provider === undefined) throw new Error(`no adapter ${config.adapter}`);
  open.push(provider);
  const outcome = await provider.complete(buildRequest({}), new AbortController().signal);
  return { outcome, server, headers: server.requests[0]?.headers ?? {} };
}

describe('the registry', () => {
  it('finds adapters among its own keys alone', () => {
    expect(lookupAdapter('openai')).toBe(adapters['openai']);
    expect(lookupAdapter('constructor')).toBeUndefined();
    expect(lookupAdapter('toString')).toBeUndefined();
  });

  it.each(Object.entries(adapters))('%s has a summary and an example of its own name', (name, adapter) => {
    expect(adapter.summary).not.toBe('');
    expect(adapter.example.startsWith(`${name}:`)).toBe(true);
    expect(adapter.options.safeParse({}).success).toBe(true);
    expect(adapter.options.safeParse({ nonsense: 1 }).success).toBe(false);
  });

  it.each(Object.keys(presets))('%s has an address, and a remote one a key', (name) => {
    const endpoint = resolve({ adapter: name }, { AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com/' });
    expect(endpoint.baseUrl).toMatch(/^https?:\/\/.*[^/]$/);
    expect(endpoint.apiKeyEnv === undefined).toBe(endpoint.baseUrl?.startsWith('http://127.0.0.1:'));
  });
});

describe('where each service is, and how it takes its key', () => {
  // Written out: a slip in one of them would be a request to somebody else, or a key that is not found.
  it.each<[name: string, ...expected: (string | undefined)[]]>([
    ['openai', 'https://api.openai.com/v1', 'OPENAI_API_KEY'],
    ['azure', 'https://x.openai.azure.com/openai/v1', 'AZURE_OPENAI_API_KEY', 'api-key'],
    ['cerebras', 'https://api.cerebras.ai/v1', 'CEREBRAS_API_KEY'],
    ['deepseek', 'https://api.deepseek.com/v1', 'DEEPSEEK_API_KEY'],
    ['fireworks', 'https://api.fireworks.ai/inference/v1', 'FIREWORKS_API_KEY'],
    ['groq', 'https://api.groq.com/openai/v1', 'GROQ_API_KEY'],
    ['mistral', 'https://api.mistral.ai/v1', 'MISTRAL_API_KEY'],
    ['moonshot', 'https://api.moonshot.ai/v1', 'MOONSHOT_API_KEY'],
    ['nvidia', 'https://integrate.api.nvidia.com/v1', 'NVIDIA_API_KEY'],
    ['openrouter', 'https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY'],
    ['perplexity', 'https://api.perplexity.ai', 'PERPLEXITY_API_KEY'],
    ['together', 'https://api.together.xyz/v1', 'TOGETHER_API_KEY'],
    ['xai', 'https://api.x.ai/v1', 'XAI_API_KEY'],
    ['llamacpp', 'http://127.0.0.1:8080/v1', undefined],
    ['lmstudio', 'http://127.0.0.1:1234/v1', undefined],
    ['ollama', 'http://127.0.0.1:11434/v1', undefined],
    ['vllm', 'http://127.0.0.1:8000/v1', undefined],
  ])('%s: %s, %s', (name, baseUrl, apiKeyEnv, keyHeader) => {
    const endpoint = resolve({ adapter: name }, { AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com/' });
    expect([endpoint.baseUrl, endpoint.apiKeyEnv, presets[name]?.keyHeader]).toEqual([baseUrl, apiKeyEnv, keyHeader]);
    named.add(name);
  });

  const named = new Set<string>();

  it('is priced as itself, and is not asked for what it refuses', () => {
    const described = Object.entries(presets).map(([name, preset]) => [
      name,
      preset.priceProvider,
      ...(['knowsNoSchema', 'refusesSchema', 'refusesOptions'] as const).filter((key) => preset[key] === true),
    ]);
    expect(described.filter((words) => words.length > 2 || words[0] !== words[1])).toEqual([
      ['deepseek', 'deepseek', 'knowsNoSchema', 'refusesSchema'],
      ['groq', 'groq', 'refusesSchema'],
      ['mistral', 'mistral', 'refusesOptions'],
      ['moonshot', 'moonshotai'],
      ['xai', 'x-ai'],
    ]);
    expect(findPriceProvider('generativelanguage.googleapis.com')).toBe('google');
    expect(findPriceProvider('api.anthropic.com')).toBe('anthropic');
    expect(findPriceProvider('api.x.ai')).toBe('x-ai');
    expect(findPriceProvider('toString')).toBeUndefined();
  });

  it('is known of every preset', () => {
    expect([...named].sort()).toEqual(Object.keys(presets).sort());
  });
});

describe('a service', () => {
  const own = Object.entries(presets).filter(([, { apiKeyEnv }]) => apiKeyEnv !== undefined);

  it.each(own)('%s has a key of its own name', (name, { apiKeyEnv }) => {
    expect(apiKeyEnv).toBe(name === 'azure' ? 'AZURE_OPENAI_API_KEY' : `${name.toUpperCase()}_API_KEY`);
  });

  it.each(own.filter(([name]) => name !== 'azure'))(
    '%s has a host of its own, whose prices hold for another adapter there',
    (name, { baseUrl = '', priceProvider }) => {
      expect(new URL(baseUrl).hostname).toContain(name === 'xai' ? 'x.ai' : name);
      expect(resolve({ baseUrl }).priceProvider).toBe(priceProvider);
    },
  );

  it('with an API of its own is priced as itself behind the protocol of another', () => {
    expect(resolve({ baseUrl: 'https://api.anthropic.com/v1' }).priceProvider).toBe('anthropic');
    expect(resolve({ baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai' }).priceProvider).toBe(
      'google',
    );
  });
});

describe('the address', () => {
  it("is the provider's own, else the environment's for openai alone, else the service's", () => {
    const env = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1/' };
    expect(resolve({ baseUrl: 'http://127.0.0.1:8/v1' }, env).baseUrl).toBe('http://127.0.0.1:8/v1');
    expect(resolve({}, env).baseUrl).toBe('http://127.0.0.1:9/v1');
    expect(resolve({}, { OPENAI_BASE_URL: ' ' }).baseUrl).toBe('https://api.openai.com/v1');
    expect(resolve({ adapter: 'groq' }, env).baseUrl).toBe('https://api.groq.com/openai/v1');
    expect(resolve({ adapter: 'azure' }, { AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com/' }).baseUrl).toBe(
      'https://x.openai.azure.com/openai/v1',
    );
  });

  it.each(['localhost:8080', 'ftp://x/', 'http://', 'not a url', 'file:///etc/passwd'])(
    '%j is a usage error',
    (baseUrl) => {
      expect(() => resolve({ baseUrl })).toThrow(UserError);
    },
  );

  it.each<[over: Partial<ProviderConfig>, env: Env, found: object]>([
    [{}, {}, { apiKeyEnv: 'OPENAI_API_KEY' }],
    [
      {},
      { OPENAI_BASE_URL: 'http://a/v1' },
      { apiKeyEnv: 'OPENAI_API_KEY', movedBy: { variable: 'OPENAI_BASE_URL', from: 'https://api.openai.com/v1' } },
    ],
    [{ baseUrl: 'http://b/v1' }, { OPENAI_BASE_URL: 'http://a/v1' }, { withheldKeyEnv: 'OPENAI_API_KEY' }],
    [{ baseUrl: 'http://b/v1', apiKeyEnv: 'OWN' }, {}, { apiKeyEnv: 'OWN' }],
    [{ baseUrl: 'http://b/v1', headers: { a: 'b' } }, {}, {}],
    [{ apiKeyEnv: 'OWN', headers: { a: 'b' } }, {}, { apiKeyEnv: 'OWN' }],
    [
      { adapter: 'azure' },
      { AZURE_OPENAI_ENDPOINT: 'https://x/' },
      { apiKeyEnv: 'AZURE_OPENAI_API_KEY', movedBy: { variable: 'AZURE_OPENAI_ENDPOINT' } },
    ],
    [{ adapter: 'groq' }, { OPENAI_BASE_URL: 'http://a/v1' }, { apiKeyEnv: 'GROQ_API_KEY' }],
    [{ adapter: 'ollama', baseUrl: 'http://b/v1' }, {}, {}],
  ])('of %j with the variables %j decides about the key: %j', (over, env, found) => {
    const { apiKeyEnv, withheldKeyEnv, movedBy } = resolve(over, env);
    const known = Object.entries({ apiKeyEnv, withheldKeyEnv, movedBy }).filter(([, value]) => value !== undefined);
    expect(Object.fromEntries(known)).toEqual(found);
  });

  it.each([
    ['https://a/v1//', 'https://a/v1'],
    ['https://a/v1/?key=b/', 'https://a/v1/?key=b/'],
    ['https://a/v1#part', 'https://a/v1'],
  ])('%s is asked as %s', (baseUrl, expected) => {
    expect(resolve({ baseUrl }).baseUrl).toBe(expected);
  });

  it('of a variable keeps its query behind the path', () => {
    const env = { AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com/?api-version=1' };
    expect(resolve({ adapter: 'azure' }, env).baseUrl).toBe('https://x.openai.azure.com/openai/v1?api-version=1');
  });

  it.each([
    [{ baseUrl: 'nonsense' }, {}, 'write it like http://127.0.0.1:11434/v1'],
    [{}, { OPENAI_BASE_URL: 'nonsense' }, 'it is the value of OPENAI_BASE_URL: set it like http://127.0.0.1:11434/v1'],
    [{ adapter: 'azure' }, {}, 'add baseURL to the provider, or set AZURE_OPENAI_ENDPOINT'],
  ])('that is missing or wrong in %j with %j says what to do, and where', (over, env, hint) => {
    const at = { file: 'a.eval.yaml', line: 3, column: 5 };
    let caught: unknown;
    try {
      resolve({ ...over, at }, env);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ problems: [{ code: 'invalid-value', hint, at }] });
  });

  it.each(['me:hunter2hunter2', 'hunter2hunter2', ':hunter2hunter2'])(
    'with %s@ in it is a usage error that does not repeat it',
    (who) => {
      let caught: unknown;
      try {
        resolve({ baseUrl: `https://${who}@api.example/v1` });
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(UserError);
      expect(caught).toMatchObject({ problems: [{ code: 'literal-key' }] });
      expect(String(caught)).not.toContain('hunter2');
    },
  );

  it('is asked for where a service has none', () => {
    expect(() => resolve({ adapter: 'azure' })).toThrow(/no address/);
  });

  it('is priced as the service whose host it names', () => {
    expect(resolve({}).priceProvider).toBe('openai');
    expect(resolve({ baseUrl: 'https://api.deepseek.com/v1' }).priceProvider).toBe('deepseek');
    expect(resolve({ baseUrl: 'https://gateway.example/v1' }).priceProvider).toBe('openai');
    expect(resolve({ adapter: 'ollama', baseUrl: 'http://10.0.0.5:11434/v1' }).priceProvider).toBe('ollama');
  });

  it('and its dialect both change the adapter version', () => {
    expect(resolve({}).adapterVersion).not.toBe(resolve({ options: { api: 'responses' } }).adapterVersion);
  });
});

describe('the key', () => {
  const env = { OPENAI_API_KEY: 'sk-openai', LOCAL_KEY: 'sk-local', GROQ_API_KEY: 'sk-groq' };

  it('of OpenAI goes where OPENAI_BASE_URL points', async () => {
    const { headers } = await send({}, (url) => ({ ...env, OPENAI_BASE_URL: url }));
    expect(headers.authorization).toBe('Bearer sk-openai');
  });

  it.each(['openai', 'groq'])('of %s is not sent to a base URL of the provider', async (adapter) => {
    const { outcome, headers } = await send({ adapter, baseUrl: 'server' }, env);
    expect(outcome.status).toBe('completed');
    expect(headers.authorization).toBeUndefined();
  });

  it('that apiKeyEnv names is sent to it', async () => {
    const { headers } = await send({ baseUrl: 'server', apiKeyEnv: 'LOCAL_KEY' }, env);
    expect(headers.authorization).toBe('Bearer sk-local');
  });

  it('of Azure has a header of its own', async () => {
    const { headers } = await send({ adapter: 'azure' }, (url) => ({
      AZURE_OPENAI_ENDPOINT: url,
      AZURE_OPENAI_API_KEY: 'az',
    }));
    expect(headers['api-key']).toBe('az');
    expect(headers.authorization).toBeUndefined();
  });

  it.each<[Partial<ProviderConfig>, string]>([
    [{}, 'OPENAI_API_KEY'],
    [{ adapter: 'groq' }, 'GROQ_API_KEY'],
    [{ baseUrl: 'server', apiKeyEnv: 'LOCAL_KEY' }, 'LOCAL_KEY'],
    [{ baseUrl: 'server', headers: { 'X-Team': { env: 'TEAM' } } }, 'TEAM'],
  ])('that is missing for %j is an auth failure that names it, without a request', async (over, name) => {
    for (const env of [{ [name]: ' ' }, {}]) {
      const { outcome, server } = await send(over, env);
      expect(outcome).toMatchObject({
        status: 'failed',
        attempts: 0,
        failure: { kind: 'auth', message: expect.stringContaining(name) },
      });
      expect(server.requests).toEqual([]);
    }
  });
});

it('a key that was not sent explains a refusal, and no other failure', () => {
  const refused = { kind: 'auth', message: 'answered 401', status: 401 } as const;
  expect(explainRefusal(refused, 'OPENAI_API_KEY')).toEqual({
    ...refused,
    message:
      'answered 401 (OPENAI_API_KEY was not sent, because the provider has baseURL and no apiKeyEnv: name the variable that holds the key of that address with apiKeyEnv)',
  });
  expect(explainRefusal(refused, undefined)).toEqual(refused);
  const other = { ...refused, kind: 'server' } as const;
  expect(explainRefusal(other, 'OPENAI_API_KEY')).toEqual(other);
});

it('a server without TLS is asked once: asking again would change nothing', async () => {
  const server = await startServer({ body: {} });
  open.push(server);
  const { outcome } = await send({ baseUrl: server.url.replace('http:', 'https:') }, { OPENAI_API_KEY: 'sk-openai' });
  expect(outcome).toMatchObject({
    status: 'failed',
    failure: { kind: 'network', retryable: false, message: expect.stringContaining('no TLS there') },
  });
});

describe('headers', () => {
  it('are sent as written, or read from the variable they name', async () => {
    const { headers } = await send(
      { baseUrl: 'server', headers: { 'X-Team': 'evals', Authorization: { env: 'TOKEN' } } },
      { TOKEN: 'Custom abc' },
    );
    expect(headers).toMatchObject({
      'x-team': 'evals',
      authorization: 'Custom abc',
      'content-type': 'application/json',
    });
  });

  it.each([
    { 'Content-Length': '1' },
    { Host: 'evil.example' },
    { 'Bad Name': 'x' },
    { 'X-Bad': 'a\r\nX-Injected: 1' },
  ])('%j are refused without a request, and the value is not repeated', async (headers) => {
    const { outcome, server } = await send({ baseUrl: 'server', headers }, {});
    expect(outcome).toMatchObject({ status: 'failed', failure: { kind: 'badRequest' } });
    expect(JSON.stringify(outcome)).not.toContain('Injected');
    expect(server.requests).toEqual([]);
  });

  it('that the SDK would add from the process stay at home', async () => {
    vi.stubEnv('OPENAI_ORG_ID', 'org-secret');
    vi.stubEnv('OPENAI_PROJECT_ID', 'proj-secret');
    vi.stubEnv('OPENAI_ADMIN_KEY', 'sk-admin-secret');
    vi.stubEnv('OPENAI_API_KEY', 'sk-secret');
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-custom: custom-secret');
    const { headers } = await send(
      { baseUrl: 'server' },
      { OPENAI_ORG_ID: 'org-secret', OPENAI_PROJECT_ID: 'proj-secret' },
    );
    expect(JSON.stringify(headers)).not.toContain('secret');
    expect(Object.keys(headers).filter((name) => name.startsWith('x-stainless'))).toEqual([]);
  });

  it('name the OpenAI account to OpenAI alone', () => {
    const env = { OPENAI_API_KEY: 'sk', OPENAI_ORG_ID: 'org-1', OPENAI_PROJECT_ID: 'proj-1' };
    const openai = presets['openai'];
    if (openai === undefined) throw new Error('no preset openai');
    const read = (over: Partial<ProviderConfig>) =>
      readCredentials(openai, buildConfig(over), { env, projectRoot: '/project' });
    expect(read({})).toEqual({
      headers: { authorization: 'Bearer sk', 'openai-organization': 'org-1', 'openai-project': 'proj-1' },
    });
    expect(read({ baseUrl: 'https://gateway.example/v1' })).toEqual({ headers: {} });
    const bare = { OPENAI_API_KEY: ' sk ', OPENAI_ORG_ID: ' ', OPENAI_PROJECT_ID: '' };
    expect(readCredentials(openai, buildConfig(), { env: bare, projectRoot: '/project' })).toEqual({
      headers: { authorization: 'Bearer sk' },
    });
  });

  it('that break the SDK are a usage error', async () => {
    vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'bad name: x');
    await expect(send({ baseUrl: 'server' }, {})).rejects.toThrow(UserError);
  });
});

describe('replay', () => {
  it('sends nothing and names the answer that is missing', async () => {
    expect(resolve({ adapter: 'replay' })).toEqual({ adapterVersion: 'replay-1', sends: false });
    const { outcome } = await send({ adapter: 'replay' }, {});
    expect(outcome).toMatchObject({ status: 'failed', attempts: 0, failure: { kind: 'recording' } });
    expect(JSON.stringify(outcome)).toContain('refund');
  });
});
