import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reporters } from '../../../src/reports/index.ts';
import { completionOf } from '../../support/chat-server.ts';
import { startServer } from '../../support/http-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

/** With a character that JSON, URLs and markup each write in another way. */
const canary = 'canary/7f3a+9"&<Zq\\x';
const urlCanary = 'urlcanary-0b1c2d3e4f';

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
const escapedMarkup = canary.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** Every way in which the canary might be written; of base64 the part that does not depend on its neighbours. */
const forms = [
  canary,
  urlCanary,
  JSON.stringify(canary).slice(1, -1),
  JSON.stringify(JSON.stringify(canary)).slice(3, -3),
  encodeURIComponent(canary),
  escapedMarkup,
  base64(canary).slice(0, -4),
  base64(`user:${canary}`).slice(8, -4),
  base64(`us:${canary}`).slice(4, -4),
  base64(urlCanary).slice(0, -4),
];

/** What a careless server might say. */
const words = [
  canary,
  JSON.stringify({ key: canary }),
  encodeURIComponent(canary),
  base64(`user:${canary}`),
  escapedMarkup,
].join(' | ');

function findCanary(text: string): string | undefined {
  return forms.find((form) => text.includes(form));
}

function expectClean(project: TempProject, printed: readonly string[]): void {
  for (const text of printed) expect(findCanary(text)).toBeUndefined();
  const written = project.files().filter((file) => file !== 'evals/canary.eval.yaml');
  expect(written.length).toBeGreaterThan(0);
  for (const file of written) {
    // Bytes, since a file need not be text.
    expect([file, findCanary(readFileSync(project.path(file), 'latin1'))]).toEqual([file, undefined]);
    expect(findCanary(file)).toBeUndefined();
  }
}

const suiteOf = (providers: string) => `suite: canary
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
${providers}
defaults: { assert: [{ contains: nothing-of-this }, { equals: x }, { regex: "^y" }] }
cases:
  - { id: answer, vars: { word: answer } }
  - { id: tool, vars: { word: tool } }
  - { id: refuse, vars: { word: refuse } }
  - { id: fail, vars: { word: fail } }
  - { id: filter, vars: { word: filter } }
recordings: answers.jsonl
`;

const toolArguments = JSON.stringify({ key: canary, [canary]: [words] });
const gemini = (parts: readonly object[]) => ({
  candidates: [{ content: { parts }, finishReason: 'STOP' }],
  modelVersion: words,
});
const anthropic = (content: readonly object[]) => ({
  content,
  stop_reason: 'end_turn',
  model: words,
  usage: { input_tokens: 1, output_tokens: 1 },
});

/** Answers in the form of whatever API is asked, with the canary in every place that a client may keep. */
async function startLeakyServer(isInAddress: boolean) {
  const said = isInAddress ? `${words} | ${urlCanary}` : words;
  return startServer(({ body, url }) => {
    const word = /Say: (\w+)/.exec(body)?.[1];
    if (word === 'fail') return { status: 400, body: { error: { message: `bad: ${said}`, type: said } } };
    if (word === 'filter')
      return { status: 400, body: { error: { message: `filtered: ${said}`, code: 'content_filter' } } };
    if (url.includes('generateContent')) {
      return {
        body: gemini(
          word === 'tool'
            ? [{ functionCall: { name: said, args: JSON.parse(toolArguments) as object } }]
            : [{ text: said }],
        ),
      };
    }
    if (url.includes('/messages')) {
      return {
        body: anthropic(
          word === 'tool'
            ? [{ type: 'tool_use', id: said, name: said, input: JSON.parse(toolArguments) as object }]
            : [{ type: 'text', text: said }],
        ),
      };
    }
    const call = { id: said, type: 'function', function: { name: said, arguments: toolArguments } };
    const message =
      word === 'tool'
        ? { content: null, tool_calls: [call] }
        : word === 'refuse'
          ? { content: '', refusal: said }
          : { reasoning_content: said };
    return { body: { ...completionOf(said, said, message), system_fingerprint: said, id: said } };
  });
}

const keyed: readonly (readonly [string, (url: string) => string])[] = [
  ['openai', (url) => `  - { id: p, use: "openai:m", baseURL: "${url}/v1", apiKeyEnv: CANARY }`],
  ['responses', (url) => `  - { id: p, use: "openai:m", api: responses, baseURL: "${url}/v1", apiKeyEnv: CANARY }`],
  ['anthropic', (url) => `  - { id: p, use: "anthropic:m", baseURL: "${url}/v1", apiKeyEnv: CANARY }`],
  ['gemini', (url) => `  - { id: p, use: "gemini:m", baseURL: "${url}/v1beta", apiKeyEnv: CANARY }`],
  ['cohere', (url) => `  - { id: p, use: "cohere:m", baseURL: "${url}", apiKeyEnv: CANARY }`],
  ['a header', (url) => `  - { id: p, use: "ollama:m", baseURL: "${url}/v1", headers: { x-key: { env: CANARY } } }`],
  ['the address', () => '  - { id: p, use: "openai:m", apiKeyEnv: CANARY }'],
];

test.each(keyed)(
  'a key sent by %s is in no byte that is written or printed',
  { tags: ['slow'] },
  async (how, providerOf) => {
    const server = await startLeakyServer(how === 'the address');
    const project = openTempProject();
    project.write('evals/canary.eval.yaml', suiteOf(providerOf(server.url)));
    const env = { CANARY: canary, OPENAI_BASE_URL: `${server.url}/v1?api-key=${urlCanary}&k=1` };
    const printed: string[] = [];
    const run = async (...argv: string[]) => {
      const { code, stdout, stderr } = await project.run(argv, { env });
      printed.push(stdout, stderr);
      return code;
    };
    const files = Object.keys(reporters).flatMap((name) => ['-r', `${name}=out/${name}.txt`]);
    expect(await run('run', '--record', '--verbose', ...files)).not.toBe(70);
    // The server did get the key, and said it in every answer.
    expect(server.requests.length).toBeGreaterThanOrEqual(5);
    for (const name of Object.keys(reporters)) await run('report', '-r', name);
    await run('run', '--cache', 'off', '-r', 'json');
    await run('run', '--dry-run');
    await run('validate');
    await run('baseline', 'accept', '--force');
    await run('baseline', 'show');
    expect(await run('compare', 'evals/canary.baseline.jsonl', project.files('.llmcheck/runs')[0] ?? '')).not.toBe(2);
    await run('list', 'providers');
    await run('list', 'runs');
    await run('cache', 'list');
    await run('cache', 'export', 'out/cache.jsonl');
    await run('run', '--cache', 'off', '--update-baseline', '-r', 'junit');
    expectClean(project, printed);
    expect(printed.join('')).toContain('***');
  },
);

test('a key that was cut with the text around it leaves nothing that could identify it', { tags: 'slow' }, async () => {
  const server = await startServer(({ body }) => {
    const [, place = '', at = '0'] = /Say: (\w+?)(\d+)/.exec(body) ?? [];
    const said = 'word '.repeat(200).slice(0, Number(at)) + canary;
    if (place === 'error') return { status: 400, body: { error: { message: said } } };
    if (place === 'text') return { body: said };
    const call = { id: '1', type: 'function', function: { name: 'f', arguments: JSON.stringify({ key: said }) } };
    return { body: completionOf(`${said} ${'end '.repeat(100)}`, '', place === 'tool' ? { tool_calls: [call] } : {}) };
  });
  const project = openTempProject();
  // Each cuts at another place: answers at 200, calls at 80, messages at 400, bodies at 120.
  const places = { answer: 200, ending: 400, tool: 80, error: 400, text: 120 };
  const words = Object.entries(places).flatMap(([place, cut]) =>
    Array.from({ length: 24 }, (_, back) => `  - { id: ${place}${back}, vars: { word: ${place}${cut - back} } }`),
  );
  const head = suiteOf(`  - { id: p, use: "openai:m", baseURL: "${server.url}/v1", apiKeyEnv: CANARY }`);
  const checks =
    '[{ contains: nothing }, { equals: x }, { endsWith: x }, { toolCalls: { names: [g] } }, { json: true }]';
  const suite = head
    .replace(/assert: .*/, `assert: ${checks} }`)
    .replace(/cases:[^]*/, `cases:\n${words.join('\n')}\n`);
  project.write('evals/canary.eval.yaml', suite);
  const run = await project.run(['run', '--verbose', '-r', 'terminal', '-r', 'json=out.json'], {
    env: { CANARY: canary },
  });
  expect(run.code).not.toBe(2);
  for (const text of [run.stdout, run.stderr, ...project.files('.llmcheck').map((file) => project.read(file))]) {
    expect(/canary\/7.{0,80}/.exec(text)).toBeNull();
    expect(/.{0,80}&<Zq/.exec(text)).toBeNull();
  }
  expect(run.stdout).toContain('***');
});

test('a key in a problem is masked too, and so is a password in an address', async () => {
  const project = openTempProject();
  project.write(
    'evals/canary.eval.yaml',
    suiteOf('  - { id: p, use: "openai:m", apiKeyEnv: CANARY }').replace('recordings: answers.jsonl\n', ''),
  );
  for (const OPENAI_BASE_URL of [
    `ftp://user:${urlCanary}@host/v1`,
    `ftp://host/v1?key=${urlCanary}`,
    urlCanary,
    `http://user:${urlCanary}@host`,
  ]) {
    const env = { CANARY: canary, OPENAI_BASE_URL, PROXY_TOKEN: urlCanary };
    const { code, stdout, stderr } = await project.run(['run'], { env });
    expect(code).toBe(2);
    expect(findCanary(stdout + stderr)).toBeUndefined();
  }
});

test('a password of a proxy is not part of what a failed connection says', async () => {
  const project = openTempProject();
  project.write(
    'evals/canary.eval.yaml',
    suiteOf(
      '  - { id: p, use: "openai:m", apiKeyEnv: CANARY, baseURL: "http://127.0.0.1:9/v1", limits: { retries: 0 } }',
    ).replace('recordings: answers.jsonl\n', ''),
  );
  const env = { CANARY: canary, http_proxy: `http://user:${urlCanary}@127.0.0.1:9` };
  const { code, stdout, stderr } = await project.run(['run', '--verbose'], { env });
  expect(code).toBe(3);
  expectClean(project, [stdout, stderr]);
});

test('a key is masked in the letter case that a server gives it, and in the name of an encoding', async () => {
  const key = 'sk-proj-AbCdEfGh0123456789';
  const server = await startServer(({ body, headers }) => {
    const sent = String(headers['authorization']).replace('Bearer ', '');
    if (body.includes('answer')) return { headers: { 'content-encoding': sent }, body: 'x' };
    return { status: 400, body: { error: { message: `${sent.toLowerCase()} ${sent.toUpperCase()}` } } };
  });
  const project = openTempProject();
  project.write(
    'evals/canary.eval.yaml',
    suiteOf(`  - { id: p, use: "openai:m", baseURL: "${server.url}/v1", apiKeyEnv: CANARY }`),
  );
  const run = await project.run(['run', '--verbose', '--cache', 'off', '-r', 'terminal', '-r', 'json=out.json'], {
    env: { CANARY: key },
  });
  const printed = run.stdout.replaceAll(/\s+/g, ' ');
  expect(printed).toContain('decoded as ***: the encoding "***" is not known');
  expect(printed).toContain('answered 400: *** ***');
  const written = project.files().map((file) => project.read(file));
  for (const text of [run.stdout, run.stderr, ...written]) expect(text).not.toMatch(/abcdefgh0123/i);
});
