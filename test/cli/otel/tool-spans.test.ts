import { describe, expect, onTestFinished, test } from 'vitest';
import { type ScriptedStep, startAgentServer } from '../../support/agent-server.ts';
import { testKey } from '../../support/chat-server.ts';
import { startServer } from '../../support/http-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface OtlpBody {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

/** The spans of a run of one agent, by their order, with their attributes as plain values. */
async function traceAgent(steps: readonly ScriptedStep[], env: Readonly<Record<string, string>> = {}) {
  const collector = await startServer(() => ({ body: { partialSuccess: {} } }));
  onTestFinished(() => collector.close());
  const server = await startAgentServer(steps);
  const project = openTempProject();
  project.write(
    'evals/shop.eval.yaml',
    `prompts: [{ id: v1, text: "Where is order 7731?" }]
providers: ["openai:gpt-4o-mini"]
cases:
  - id: late
    tools:
      find_order: [{ when: { id: 7 }, returns: { state: shipped, code: "${testKey}" } }, { fails: no such order }]
      issue_refund: { never: true }
    assert: [{ contains: DHL }]
`,
  );
  await project.run(['run', '--no-baseline', '--otel', collector.url], { env: { ...server.env, ...env } });
  const spans = collector.requests
    .flatMap(({ body }) => (JSON.parse(body) as OtlpBody).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
    .map(({ attributes, ...span }) => ({
      ...span,
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
    }));
  const cells = spans.filter(({ name }) => name === 'llmcheck.cell').map(({ spanId }) => spanId);
  // A case that fails is asked again in a cell of its own.
  const ofFirst = spans.filter(({ parentSpanId }) => parentSpanId === cells[0]);
  return { spans: ofFirst, cells, tools: ofFirst.filter(({ name }) => name.startsWith('execute_tool')) };
}

const captured = { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' };

describe('run --otel', () => {
  test('exports each tool call under its cell, without arguments and result', async () => {
    const { tools, cells } = await traceAgent([[['find_order', { id: 7 }]], 'DHL.']);
    expect(tools).toMatchObject([
      {
        name: 'execute_tool find_order',
        kind: 1,
        parentSpanId: cells[0],
        status: {},
        attributes: {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'find_order',
          'gen_ai.tool.call.id': 'call_0_0',
          'gen_ai.tool.type': 'function',
        },
      },
    ]);
    const keys = Object.keys(tools[0]?.attributes ?? {});
    expect(keys.filter((key) => /arguments|result|error/.test(key))).toEqual([]);
  });

  test('exports arguments and result where content is captured, with secrets masked', async () => {
    const { spans, tools } = await traceAgent([[['find_order', { id: 7 }]], 'DHL.'], captured);
    expect(tools[0]?.attributes).toMatchObject({
      'gen_ai.tool.call.arguments': '{"id":7}',
      'gen_ai.tool.call.result': expect.stringContaining('"state":"shipped"'),
    });
    expect(JSON.stringify(spans)).not.toContain(testKey);
    const second = spans.filter(({ name }) => name.startsWith('chat'))[1]?.attributes['gen_ai.input.messages'];
    expect(JSON.parse(String(second))).toMatchObject([
      { role: 'user' },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'call_0_0', name: 'find_order', arguments: '{"id":7}' }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_0_0' }] },
    ]);
  });

  test('says of a call that its tool reported an error, or that it ended the cell', async () => {
    const { spans, tools } = await traceAgent([[['find_order', { id: 8 }]], [['issue_refund', {}]]]);
    expect(tools.map(({ name, status, attributes }) => [name, status.code, attributes['error.type']])).toEqual([
      ['execute_tool find_order', 2, 'tool_error'],
      ['execute_tool issue_refund', 2, 'refused'],
    ]);
    expect(spans.filter(({ name }) => name === 'evaluate tools')).toHaveLength(1);
  });
});
