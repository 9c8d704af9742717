import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type ChatReply,
  type ChatRequest,
  completionOf,
  startChatServer,
  testKey,
  wordOf,
} from '../../support/chat-server.ts';
import { type Scripted, type ScriptedServer, startServer } from '../../support/http-server.ts';
import { openTempProject, trialsOf } from '../../support/temp-project.ts';

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[];
  }[];
}

async function startCollector(reply: Scripted = { body: { partialSuccess: {} } }): Promise<ScriptedServer> {
  const collector = await startServer(() => reply);
  onTestFinished(() => collector.close());
  return collector;
}

function spansOf({ requests }: ScriptedServer): readonly OtlpSpan[] {
  return requests
    .map(({ body }) => JSON.parse(body) as OtlpBody)
    .flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
}

/** Attributes as plain values; integers come as text. */
function read({ attributes }: OtlpSpan): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

const isNamed = (name: RegExp) => (span: OtlpSpan) => name.test(span.name);
const ms = (nanos: string): number => Number(nanos.slice(0, -6));

const suite = `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
  - { id: mini, use: openai:test-model, params: { temperature: 0.5, max_tokens: 20, seed: 7 }, limits: { retries: 2 } }
defaults: { trials: 2, assert: [{ equals: "{{ word }}" }, { length: { max: 20 }, name: short }] }
cases:
  - { id: one, vars: { word: one } }
  - { id: two, vars: { word: two } }
  - { id: leak, vars: { word: "${testKey}" } }
  - { id: later, vars: { word: later }, skip: not yet }
`;

async function openProject() {
  const project = openTempProject();
  project.write('evals/words.eval.yaml', suite);
  let failures = 1;
  const chat = await startChatServer(({ text }) => {
    if (text.includes('two') && failures > 0) {
      failures -= 1;
      return { status: 503, body: { error: { message: 'overloaded' } } };
    }
    return wordOf(text);
  });
  return { project, chat };
}

const agents = `prompts: [{ id: v1, messages: [{ role: system, content: Be brief. }, { role: user, content: "Say: {{ word }}" }] }]
providers:
  - id: mini
    use: openai:gpt-4o-mini
    params: { max_tokens: 20, temperature: 0, top_p: 0.5, stop: [END], seed: 3, frequency_penalty: 0.1, tools: [{ name: find, parameters: { type: object } }] }
judges: [{ id: strict, use: "openai:gpt-4o" }]
gate: { confirm: { budget: 0 } }
cases:
  - id: call
    vars: { word: call }
    tools: { find: [{ when: { id: 7 }, returns: late }, { fails: none }] }
    turns: [{ user: and then }]
    assert: [{ trajectory: { never: find } }, { rubric: is good, name: tone, weight: 2 }]
  - { id: lost, vars: { word: lost }, tools: { find: [{ never: true }] }, assert: [{ equals: lost }] }
  - { id: refused, vars: { word: refused }, assert: [{ equals: x }, { json: true }] }
  - { id: later, vars: { word: later }, skip: not yet, assert: [{ equals: x }] }
`;

function answerAgents({ model, text, messages }: ChatRequest): ChatReply {
  if (model === 'gpt-4o') return '{"reason":"seen","pass":true}';
  if (text.includes('refused')) return { status: 400, body: { error: { message: 'no' } } };
  const answered = messages.filter(({ role }) => role === 'assistant').length;
  if (answered > 1) return 'done';
  const calls = [7, 8].map((id, at) => ({
    id: `call_${at}`,
    type: 'function',
    function: { name: 'find', arguments: `{"id":${id}}` },
  }));
  return { body: completionOf('', model, { content: null, tool_calls: answered === 0 ? calls : [] }) };
}

describe('run --otel', () => {
  test.each([
    ['the parts', {}],
    ['the parts, and the texts where they are wanted', { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' }],
  ])('exports of an agent and its judge %s', async (name, env) => {
    const project = openTempProject();
    project.write('evals/agents.eval.yaml', agents);
    const [chat, collector] = [await startChatServer(answerAgents), await startCollector()];
    await project.run(['run', '-q', '-j', '1', '--otel', collector.url], { env: { ...chat.env, ...env } });
    const spans = spansOf(collector);
    const nameOf = new Map(spans.map((span) => [span.spanId, span.name]));
    const lines = spans.map((span) => {
      const attributes = Object.entries(read(span)).map(([key, value]) =>
        /latency|duration|time_to|run\.id|port/.test(key) ? [key, '<value>'] : [key, value],
      );
      const { kind, status, parentSpanId = '' } = span;
      return JSON.stringify([span.name, kind, status, nameOf.get(parentSpanId), Object.fromEntries(attributes)]);
    });
    const marked = lines.sort().join('\n').replaceAll(`:${chat.port}`, ':<port>');
    // Judges are shown answers behind marks that are drawn at random.
    const text = marked.replace(/[0-9a-f]{32}/g, '<mark>');
    await expect(`${text}\n`).toMatchFileSnapshot(`snapshots/${name.replace(/,.*/, ' and texts')}.txt`);
  });

  test('a conversation of which the cache answered a part is not cached', async () => {
    const server = await startChatServer(({ text }) => text);
    const project = openTempProject();
    const write = (last: string) =>
      project.write(
        'evals/talk.eval.yaml',
        `prompts: [{ id: v1, text: Hello }]
providers: ["openai:test-model"]
cases: [{ id: one, turns: [{ user: ${last} }], assert: [{ regex: "." }] }]
`,
      );
    const cachedOf = async () => {
      const collector = await startCollector();
      await project.run(['run', '--otel', collector.url], { env: server.env });
      return spansOf(collector)
        .filter(isNamed(/^llmcheck\.cell$/))
        .map((cell) => read(cell)['llmcheck.cached']);
    };
    write('first');
    expect([await cachedOf(), await cachedOf()]).toEqual([[false], [true]]);
    write('second');
    expect(await cachedOf()).toEqual([false]);
  });

  test('exports the run, its cells, requests and checks, each under its parent and within its time', {
    tags: 'slow',
  }, async () => {
    const { project, chat } = await openProject();
    const collector = await startCollector();
    const before = Date.now();
    const { report, code } = await project.report(['run', '--otel', collector.url], { env: chat.env });
    const spans = spansOf(collector);
    expect(collector.requests[0]).toMatchObject({ method: 'POST', url: '/v1/traces' });
    const run = spans.find(isNamed(/^llmcheck\.run$/));
    const cells = spans.filter(isNamed(/^llmcheck\.cell$/));
    const calls = spans.filter(isNamed(/^chat test-model$/));
    const checks = spans.filter(isNamed(/^evaluate /));
    expect(1 + cells.length + calls.length + checks.length).toBe(spans.length);

    const trials = trialsOf(report);
    // A fresh trial is a cell too.
    const { planned } = report.totals;
    expect(cells).toHaveLength(trials.length);
    expect(trials.filter(({ confirmation }) => confirmation !== true)).toHaveLength(planned);
    expect(checks).toHaveLength(trials.flatMap((trial) => trial.checks).length);
    expect(calls).toHaveLength(chat.requests.length);
    const statuses = (status: string): number =>
      cells.filter((cell) => read(cell)['llmcheck.status'] === status).length;
    const { passed, failed, skipped } = report.totals;
    // The one that fails is asked again, until it has failed three times more.
    expect(['passed', 'failed', 'skipped'].map(statuses)).toEqual([passed, failed + trials.length - planned, skipped]);
    expect(read(run as OtlpSpan)).toMatchObject({
      'llmcheck.run.id': report.run.id,
      'llmcheck.exit_code': String(code),
      'llmcheck.cells.planned': String(report.totals.planned),
    });

    const byId = new Map(spans.map((span) => [span.spanId, span]));
    expect(byId.size).toBe(spans.length);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(run?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(cells.every(({ parentSpanId }) => parentSpanId === run?.spanId)).toBe(true);
    const words = new Map(trials.map(({ caseId, index }) => [`${caseId} ${index}`, 0]));
    for (const span of [...calls, ...checks]) {
      const parent = byId.get(span.parentSpanId ?? '') as OtlpSpan;
      expect(parent.name).toBe('llmcheck.cell');
      const key = `${String(read(parent)['llmcheck.case.id'])} ${String(read(parent)['llmcheck.trial'])}`;
      words.set(key, (words.get(key) ?? 0) + 1);
      expect([
        ms(span.startTimeUnixNano) >= ms(parent.startTimeUnixNano),
        ms(span.endTimeUnixNano) <= ms(parent.endTimeUnixNano),
      ]).toEqual([true, true]);
    }
    // A call and two checks each; one request was refused and sent again; nothing for what was skipped.
    expect(Object.fromEntries(words)).toMatchObject({ 'one 0': 3, 'one 1': 3, 'leak 0': 3, 'later 0': 0 });
    expect((words.get('two 0') ?? 0) + (words.get('two 1') ?? 0)).toBe(7);
    for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
      expect(ms(startTimeUnixNano)).toBeGreaterThanOrEqual(before - 1);
      expect(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano)).toBe(true);
      expect(ms(endTimeUnixNano)).toBeLessThanOrEqual(Date.now() + 1);
    }
  });

  test('a check begins where the one before it ended', async () => {
    const { project, chat } = await openProject();
    project.write('check.mjs', "process.stdout.write(JSON.stringify({ pass: true, reason: 'so' }));\n");
    project.write(
      'evals/words.eval.yaml',
      `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [openai:test-model]
cases: [{ id: one, vars: { word: one }, assert: [{ exec: "node ../check.mjs" }, { equals: one }] }]
`,
    );
    const collector = await startCollector();
    const { code } = await project.run(['run', '--otel', collector.url], { env: chat.env });
    expect(code).toBe(0);
    const [slow, quick] = ['exec', 'equals'].map((name) => spansOf(collector).find(isNamed(RegExp(` ${name}$`))));
    expect(ms(quick?.startTimeUnixNano ?? '')).toBeGreaterThanOrEqual(ms(slow?.endTimeUnixNano ?? ''));
  });

  test('names requests by the GenAI conventions, and sends neither content nor secrets', { tags: 'slow' }, async () => {
    const { project, chat } = await openProject();
    const collector = await startCollector();
    await project.run(['run', '--otel', collector.url], { env: chat.env });
    const calls = spansOf(collector).filter(isNamed(/^chat test-model$/));
    const answered = calls.find(({ status }) => status.code === undefined);
    expect(answered?.kind).toBe(3);
    expect(read(answered as OtlpSpan)).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'test-model',
      'gen_ai.request.temperature': 0.5,
      'gen_ai.request.max_tokens': '20',
      'gen_ai.request.seed': '7',
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.model': 'test-model',
      'gen_ai.response.finish_reasons': { values: [{ stringValue: 'stop' }] },
      'gen_ai.usage.input_tokens': '10',
      'gen_ai.usage.output_tokens': '5',
      'server.address': '127.0.0.1',
      'server.port': String(chat.port),
      'llmcheck.attempt': '1',
    });
    const refused = calls.find(({ status }) => status.code === 2);
    expect(read(refused as OtlpSpan)['error.type']).toBe('503');
    const sent = collector.requests.map(({ body }) => body).join('');
    expect(sent).not.toContain(testKey);
    expect(sent).not.toContain('Say:');

    const env = { ...chat.env, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' };
    await project.run(['run', '--otel', collector.url, '--cache', 'refresh'], { env });
    const all = collector.requests.map(({ body }) => body).join('');
    expect(all).toContain('Say: one');
    expect(all).toContain('Say: ***');
    expect(all).not.toContain(testKey);
  });

  test('a conversation that broke off has the verdict that says so', async () => {
    const server = await startChatServer(({ text }) => text);
    const collector = await startCollector();
    const project = openTempProject();
    project.write(
      'evals/talk.eval.yaml',
      `prompts: [{ id: v1, text: Hello }]
providers: ["openai:test-model"]
cases: [{ id: one, turns: [{ toolResult: { name: find, content: x } }], assert: [{ regex: "." }] }]
`,
    );
    await project.run(['run', '--otel', collector.url], { env: server.env });
    const verdict = spansOf(collector).find((span) => read(span)['gen_ai.evaluation.name'] === 'turns');
    expect(verdict && read(verdict)).toMatchObject({ 'gen_ai.evaluation.score.label': 'fail' });
    const call = spansOf(collector).find(isNamed(/^chat test-model$/));
    expect(call && read(call)['server.port']).toBe(new URL(server.url).port);
  });

  test("follows OpenTelemetry's own variables and the trace that it is a part of", { tags: 'slow' }, async () => {
    const { project, chat } = await openProject();
    const collector = await startCollector();
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const env = {
      ...chat.env,
      LLMCHECK_OTEL: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/otlp/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=evals%20team,authorization=Bearer%20abcdefgh12345678',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=ci',
      OTEL_SERVICE_NAME: 'prompts',
      TRACEPARENT: `00-${traceId}-${spanId}-01`,
    };
    await project.run(['run'], { env });
    expect(collector.requests[0]).toMatchObject({
      url: '/otlp/v1/traces',
      headers: { 'x-team': 'evals team', authorization: 'Bearer abcdefgh12345678' },
    });
    const run = spansOf(collector).find(isNamed(/^llmcheck\.run$/));
    expect(run).toMatchObject({ traceId, parentSpanId: spanId });
    const { resource } = (JSON.parse(collector.requests[0]?.body ?? '') as OtlpBody).resourceSpans[0] ?? {};
    expect(resource?.attributes).toEqual(
      expect.arrayContaining([
        { key: 'service.name', value: { stringValue: 'prompts' } },
        { key: 'deployment.environment.name', value: { stringValue: 'ci' } },
      ]),
    );
  });

  test.each<[string, Scripted | undefined]>([
    ['is dead', undefined],
    ['refuses', { status: 401, body: { message: 'no' } }],
    ['breaks off', 'reset'],
  ])('a collector that %s is a warning and leaves the verdict alone', { tags: 'slow' }, async (_, reply) => {
    const { project, chat } = await openProject();
    const collector = await startCollector(reply);
    if (reply === undefined) await collector.close();
    const traced = await project.run(['run', '--otel', collector.url], { env: chat.env });
    const plain = await project.run(['run'], { env: chat.env });
    expect(traced.code).toBe(plain.code);
    expect(traced.stderr.match(/spans were not exported to/g)).toHaveLength(1);
    expect(plain.stderr).not.toContain('spans');
  });

  test('a collector that refuses every batch is one warning, and is not asked after three', {
    tags: 'slow',
  }, async () => {
    const { project, chat } = await openProject();
    const collector = await startCollector({ status: 401, body: { message: 'no' } });
    const { stderr } = await project.run(['run', '--trials', '100', '--otel', collector.url], { env: chat.env });
    expect(stderr.match(/spans were not exported to/g)).toHaveLength(1);
    expect(collector.requests).toHaveLength(3);
  });

  test('reports spans that a collector rejects beside others, without the password in its address', {
    tags: ['slow'],
  }, async () => {
    const { project, chat } = await openProject();
    const collector = await startCollector({
      body: { partialSuccess: { rejectedSpans: '3', errorMessage: 'no quota' } },
    });
    const url = collector.url.replace('//', '//user:hunter2-hunter2@');
    const { stderr } = await project.run(['run', '--otel', url], { env: chat.env });
    expect(stderr).toContain(`spans were not exported to ${collector.url}/v1/traces: 3 spans rejected: no quota`);
    expect(stderr).not.toContain('hunter2');
  });

  test('the name of a span holds no secret, such as one in the name of a model', { tags: 'slow' }, async () => {
    const { project, chat } = await openProject();
    project.write('evals/words.eval.yaml', suite.replace('openai:test-model', `openai:model-${testKey}`));
    const collector = await startCollector();
    await project.run(['run', '--otel', collector.url], { env: chat.env });
    expect(spansOf(collector).some(({ name }) => name.includes('model-'))).toBe(true);
    expect(collector.requests.map(({ body }) => body).join()).not.toContain(testKey);
  });

  test('a refusal that repeats a header of the collector is shown without its value', { tags: 'slow' }, async () => {
    const { project, chat } = await openProject();
    const collector = await startCollector({ status: 401, body: { message: 'unknown: collector-token-1234' } });
    const env = { ...chat.env, OTEL_EXPORTER_OTLP_HEADERS: 'x-token=collector-token-1234' };
    const { stderr } = await project.run(['run', '--otel', collector.url], { env });
    expect(stderr).toContain('spans were not exported to');
    expect(stderr).not.toContain('collector-token-1234');
  });

  test('what is no address is a usage error before anything is sent', async () => {
    const { project, chat } = await openProject();
    const { code, stderr } = await project.run(['run', '--otel', 'grpc://x'], { env: chat.env });
    expect([code, stderr.includes('--otel: not an http or https address')]).toEqual([2, true]);
    expect(chat.requests).toHaveLength(0);
  });
});
