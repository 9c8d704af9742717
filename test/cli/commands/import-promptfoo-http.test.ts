import { env } from 'node:process';
import { expect, test } from 'vitest';
import { createWorkerPool } from '../../../src/programs/module-worker.ts';
import { startServer } from '../../support/http-server.ts';
import { describeImport, importConfig } from '../../support/import-config.ts';
import { plannedTrialsOf } from '../../support/temp-project.ts';

interface Row {
  /** Of the provider; without a url, it is asked at /ask. */
  readonly config: { readonly request?: string; readonly headers?: object; readonly [name: string]: unknown };
  readonly status?: number;
  /** An object is JSON. */
  readonly reply?: string | object;
  readonly prompt?: string;
  /** What promptfoo 0.121.20 gives to its assertions; undefined for an error. */
  readonly output?: unknown;
  /** As promptfoo 0.121.20 sends it; undefined where it sends nothing. */
  readonly sent?: readonly [request: string, body: string, header?: string];
}

const body = { q: '{{lang}}' };
const post = { method: 'POST', body };
const json = { 'Content-Type': 'application/json' };
const sent = ['POST /ask', '{"q":"de"}'] as const;
const response = (transformResponse: string, output: unknown = 'hi'): Row => ({
  config: { ...post, transformResponse },
  output,
  sent,
});
const request = (config: object, ...[line, text, header]: NonNullable<Row['sent']>): Row => ({
  config: { transformResponse: 'json.answer', ...config },
  output: 'hi',
  sent: header === undefined ? [line, text] : [line, text, header],
});

const chat = JSON.stringify([
  { role: 'system', content: 's' },
  { role: 'user', content: 'de' },
]);

/** Each answer and each request is the one of promptfoo, with the variables q, lang, n, yes and empty. */
const rows: Readonly<Record<string, Row>> = {
  path: response('json.answer'),
  or: response('json.none || json.answer'),
  ternary: response("json.error ? 'ERR' : json.answer"),
  optional: response('json?.choices?.[0]?.message ?? text.length', 15),
  stringify: response('JSON.stringify(json)', '{"answer":"hi"}'),
  arrow: response('(json, text) => { return json.answer + text.length; }', 'hi15'),
  function: response('function (json, text, context) { return context.response.status }', 200),
  'object literal': response('{ output: json.answer + "}" }', 'hi}'),
  comment: response('// pick\njson.answer\n'),
  file: response('file://code/pick.cjs:pick'),
  module: response('file://code/whole.mjs'),
  parser: { config: { ...post, responseParser: 'json.answer + "!"' }, output: 'hi!', sent },
  object: response('json.none || json', { answer: 'hi' }),
  'output of an object': response('{ output: json.answer, metadata: { kind: 1 } }'),
  missing: response('json.none', {}),
  'empty output': response('json.answer.slice(2)', { output: '' }),
  'error object': response('({ error: "broken" })', { error: 'broken' }),
  throws: { ...response('json.none.length'), output: undefined },
  'status 500': { ...response('json.answer + "!"', 'hi!'), status: 500 },
  'status refused': { config: { ...post, validateStatus: 'status < 300' }, sent, status: 500 },
  'status accepted': { ...request({ ...post, validateStatus: '(s) => s < 600' }, ...sent), status: 500 },
  'status of a file': { ...request({ ...post, validateStatus: 'file://code/pick.cjs:isFine' }, ...sent), status: 404 },
  'reply without a transform': {
    config: { method: 'POST', headers: { 'content-type': 'text/plain' }, body: ' say {{lang}} ' },
    reply: 'plain',
    output: 'plain',
    sent: ['POST /ask', 'say de', 'text/plain'],
  },
  'member output': { config: { ...post, maxRetries: 1 }, reply: { output: 'hi' }, output: { output: 'hi' }, sent },
  'no method': request({ body }, 'GET /ask', ''),
  query: request({ method: 'GET', queryParams: { q: '{{lang}}', l: 'ü {{n}}' } }, 'GET /ask?q=de&l=%C3%BC+3', ''),
  address: request({ method: 'PUT', url: 'URL/{{lang}}/{{n}}', body }, 'PUT /de/3', '{"q":"de"}'),
  dump: request(
    { method: 'POST', headers: json, body: '{"q": {{prompt | dump}}, "n": {{n}} }' },
    'POST /ask',
    String.raw`{"q":"say \"x\"\nnow","n":3}`,
  ),
  unescaped: request(
    { method: 'POST', headers: json, body: '{"q": "{{prompt}}", "n": {{n}} }' },
    'POST /ask',
    String.raw`{"q":"say \"x\"\nnow","n":3}`,
  ),
  'json text': request(
    { method: 'POST', headers: json, body: '{"q": "{{lang | upper}}", "n": [{{n}}] }' },
    'POST /ask',
    '{"q":"DE","n":[3]}',
  ),
  nested: request(
    {
      method: 'POST',
      body: {
        l: "{{ none | default('en') }}",
        e: "{{ empty | default('en') }}",
        m: '{{none}}',
        a: [{ b: '{{lang}}' }],
        t: true,
        k: null,
      },
    },
    'POST /ask',
    '{"l":"en","e":"","m":"","a":[{"b":"de"}],"t":true,"k":null}',
  ),
  types: request({ method: 'POST', body: ['{{n}}', '{{yes}}', '{{empty}}'] }, 'POST /ask', '["3","true",""]'),
  chat: {
    ...request({ method: 'POST', body: { messages: '{{prompt}}' } }, 'POST /ask', `{"messages":${chat}}`),
    prompt: chat,
  },
  headers: request({ ...post, headers: { 'X-Lang': '{{lang}}' } }, ...sent, 'de'),
  form: request(
    { method: 'POST', body: 'q={{lang}}&x=1' },
    'POST /ask',
    'q=de&x=1',
    'application/x-www-form-urlencoded',
  ),
  'object as text': { config: { ...post, headers: { 'content-type': 'text/plain' } } },
  'request expression': request(
    { ...post, body: { q: '{{prompt}}' }, transformRequest: 'vars.lang.toUpperCase()' },
    'POST /ask',
    '{"q":"DE"}',
  ),
  'request object': request(
    { method: 'POST', body: { z: 1 }, transformRequest: '({ extra: vars.lang })' },
    'POST /ask',
    '{"z":1,"extra":"de"}',
  ),
  'request statements': request(
    { method: 'POST', body: { q: '{{prompt}}' }, transformRequest: 'const a = prompt.length;\nreturn a + "!";' },
    'POST /ask',
    '{"q":"11!"}',
  ),
  'request file': request(
    { method: 'POST', body: { q: '{{prompt}}' }, transformRequest: 'file://code/pick.cjs:ask' },
    'POST /ask',
    '{"q":"asks de"}',
  ),
  raw: request(
    { request: 'POST /a/{{lang}} HTTP/1.1\nHost: HOST\nContent-Type: application/json\n\n{"q": "{{prompt}}"}\n' },
    'POST /a/de',
    String.raw`{"q": "say \"x\"\nnow"}`,
  ),
  bearer: request({ ...post, auth: { type: 'bearer', token: '{{env.SHOP_KEY}}' } }, ...sent, 'Bearer k'),
  'key in the query': request(
    { ...post, auth: { type: 'api_key', placement: 'query', keyName: 'key', value: '{{env.SHOP_KEY}}' } },
    'POST /ask?key=k',
    '{"q":"de"}',
  ),
};

const files = {
  'code/pick.cjs':
    'module.exports = { pick: (json) => json.answer, isFine: (status) => status === 404, ask: (prompt, vars, context) => `asks ${context.vars.lang}` };\n',
  'code/whole.mjs': 'export default (json) => json.answer;\n',
};

const vars = { q: 'say "x"\nnow', lang: 'de', n: 3, yes: true, empty: '' };

/** Imports a provider for each row. */
function importRows(host: string) {
  const providers = Object.entries(rows).map(([name, { config }]) => {
    const { request: raw = '' } = config;
    const text = raw.replace('\n\n', `\nX-Row: ${name}\n\n`);
    const own = { ...config, headers: { 'X-Row': name, ...config.headers } };
    const whole = text === '' ? { url: `http://${host}/ask`, ...own } : { ...config, request: text };
    const written = JSON.stringify(whole).replaceAll('URL', `http://${host}`).replaceAll('HOST', host);
    return `  - { id: http, label: "${name}", config: ${written} }\n`;
  });
  return importConfig(
    `prompts: ["{{q}}"]\nproviders:\n${providers.join('')}tests: [{ vars: ${JSON.stringify(vars)} }]\n`,
    [],
    files,
  );
}

test('servers are written as requests and code of a module', async () => {
  await expect(describeImport(await importRows('127.0.0.1:9'))).toMatchFileSnapshot('snapshots/import-http.txt');
});

test('servers are asked and read as the http provider of promptfoo does', { tags: ['slow'] }, async () => {
  const server = await startServer(({ headers }) => {
    const { status = 200, reply = { answer: 'hi' } } = rows[String(headers['x-row'])] ?? {};
    return { status, body: reply };
  });
  const { project, code, stderr, suite } = await importRows(`127.0.0.1:${server.port}`);
  expect([code, stderr.includes(' error '), server.requests]).toEqual([0, false, []]);
  const written = (suite?.['providers'] ?? []) as readonly { id: string; export: string; env?: readonly string[] }[];
  expect(written.flatMap((one) => (one.env === undefined ? [] : [[one.id, one.env]]))).toEqual([
    ['bearer', ['SHOP_KEY']],
    ['key in the query', ['SHOP_KEY']],
  ]);
  const file = project.path('evals/providers/x.mjs');
  const pool = createWorkerPool({ file, memoryMb: 512 }, { PATH: env['PATH'] ?? '', SHOP_KEY: 'k' }, 1);
  const found: unknown[] = [];
  for (const { id, export: exportName } of written) {
    const input = {
      messages: rows[id]?.prompt === undefined ? [{ role: 'user', content: vars.q }] : JSON.parse(chat),
      vars,
    };
    const outcome = await pool.run({ file, exportName, input, timeoutMs: 60_000, memoryMb: 512, noun: 'answer' });
    const { text, state } = Object('returned' in outcome ? outcome.returned : {}) as {
      text?: string;
      state?: { output?: unknown };
    };
    const ask = server.requests.find(({ headers }) => headers['x-row'] === id);
    const { authorization, 'x-lang': lang, 'content-type': type } = ask?.headers ?? {};
    const header = rows[id]?.sent?.[2];
    const shown = header === undefined ? [] : [[authorization, lang, type].find((one) => one === header)];
    found.push([id, state?.output ?? text, ask && [`${ask.method} ${ask.url}`, ask.body, ...shown]]);
  }
  pool.close();
  expect(found).toEqual(Object.entries(rows).map(([name, row]) => [name, row.output, row.sent]));
});

test('checks see what the code made of the reply', { tags: ['slow'] }, async () => {
  const server = await startServer({ body: { answer: 'hi', kind: 'k' } });
  const { project } = await importConfig(`prompts: [ask]
providers: [{ id: "${server.url}", config: { method: POST, body: { q: "{{prompt}}" }, transformResponse: "({ output: json, metadata: { kind: json.kind } })" } }]
tests:
  - assert:
      - { type: javascript, value: "output.answer === 'hi' && context.metadata.kind === 'k'" }
      - { type: equals, value: '{"answer":"hi","kind":"k"}' }
`);
  const { report } = await project.report(['run', '--no-baseline']);
  expect(plannedTrialsOf(report)).toMatchObject([{ status: 'passed' }]);
});
