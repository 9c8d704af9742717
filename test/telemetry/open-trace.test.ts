import { expect, test } from 'vitest';
import type { Report } from '../../src/model/report/report.ts';
import type { Cell, CellResult } from '../../src/model/run/cell.ts';
import type { Complete, CompletionRequest } from '../../src/model/run/completion.ts';
import type { Verdict } from '../../src/model/run/verdict.ts';
import type { Endpoint } from '../../src/model/suite/provider.ts';
import type { ProviderConfig } from '../../src/model/suite/suite.ts';
import { openTrace } from '../../src/telemetry/open-trace.ts';
import type { OtelSettings, Span } from '../../src/telemetry/otlp-exporter.ts';

/** A trace whose clock goes a millisecond at each look, and whose ids are counted. */
function open(settings: Pick<OtelSettings, 'capturesContent' | 'parent'> = { capturesContent: false }) {
  const spans: Span[] = [];
  let ms = 0;
  let ids = 0;
  const trace = openTrace({
    exporter: { add: (span) => spans.push(span), flush: () => Promise.resolve() },
    settings,
    mask: (text) => text.replaceAll('secret', '***'),
    nowMs: () => (ms += 1),
    newId: (bytes) => `${bytes}-${(ids += 1)}`,
  });
  return { trace, spans };
}

const cell = {} as Cell;
const result = (more: object = {}) =>
  ({
    key: { suite: 's', prompt: 'p', provider: 'v', caseId: 'c', trial: 1 },
    calls: [],
    verdicts: [],
    status: 'judged',
    passed: true,
    score: 0.5,
    ...more,
  }) as unknown as CellResult;
const verdict = (more: object = {}): Verdict =>
  ({ assertion: 'equals', pass: true, score: 1, reason: 'r', ...more }) as Verdict;

test('a run has cells, and each cell its requests, tool calls and checks', async () => {
  const { trace, spans } = open();
  const config = { id: 'v' } as ProviderConfig;
  const request = {
    adapter: 'openai',
    model: 'm',
    params: {},
    messages: [],
    origin: {},
  } as unknown as CompletionRequest;
  const outcomes = [
    { status: 'failed', failure: { kind: 'server', status: 503 } },
    { status: 'completed', completion: { text: '', toolCalls: [] } },
  ];
  const next = (() => Promise.resolve(outcomes.shift())) as unknown as Complete;
  const complete = trace.attempts(config, {} as Endpoint, next);
  const { signal } = new AbortController();
  const found = result();
  const returned = await trace.cell(cell, async () => {
    await complete(request, signal);
    await complete(request, signal);
    trace.toolCall({ id: 't', name: 'find' } as never)({ kind: 'fails' });
    trace.startChecks();
    trace.verdict(verdict());
    trace.verdict(verdict({ assertion: 'regex', error: 'a secret' }));
    return found;
  });
  expect(returned).toBe(found);
  trace.result(found);
  trace.finish(undefined);
  const told = spans.map(({ name, kind, spanId, parentSpanId, startMs, endMs, error }) => ({
    name,
    kind,
    spanId,
    parentSpanId,
    times: [startMs, endMs],
    error,
  }));
  const internal = { kind: 'internal', error: undefined };
  expect(told).toEqual([
    { ...internal, name: 'chat m', kind: 'client', spanId: '8-4', parentSpanId: '8-3', times: [3, 4], error: 'server' },
    { ...internal, name: 'chat m', kind: 'client', spanId: '8-5', parentSpanId: '8-3', times: [5, 6] },
    { ...internal, name: 'execute_tool find', spanId: '8-6', parentSpanId: '8-3', times: [7, 8], error: 'refused' },
    { ...internal, name: 'evaluate equals', spanId: '8-7', parentSpanId: '8-3', times: [9, 10] },
    {
      ...internal,
      name: 'evaluate regex',
      spanId: '8-8',
      parentSpanId: '8-3',
      times: [11, 12],
      error: 'the check could not be made',
    },
    { ...internal, name: 'llmcheck.cell', spanId: '8-3', parentSpanId: '8-2', times: [2, 14] },
    {
      ...internal,
      name: 'llmcheck.run',
      spanId: '8-2',
      parentSpanId: undefined,
      times: [1, 15],
      error: 'the run did not end',
    },
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(['16-1']));
  expect(
    spans.slice(0, 2).map(({ attributes }) => [attributes['llmcheck.provider'], attributes['llmcheck.attempt']]),
  ).toEqual([
    ['v', { integer: 1 }],
    ['v', { integer: 2 }],
  ]);
});

test('a request that a bug ends has its span', async () => {
  const { trace, spans } = open({ capturesContent: true, parent: { traceId: 'T', spanId: 'S' } });
  const next: Complete = () => Promise.reject(new RangeError('bug'));
  const complete = trace.attempts({ id: 'v' } as ProviderConfig, {} as Endpoint, next);
  const request = {
    adapter: 'openai',
    model: 'secret',
    params: {},
    messages: [],
    origin: {},
  } as unknown as CompletionRequest;
  await expect(complete(request, new AbortController().signal)).rejects.toThrow(RangeError);
  trace.finish({
    run: { id: 'r' },
    decision: { outcome: 'passed' },
    exitCode: 0,
    tool: { version: '1' },
    totals: {
      planned: 12,
      passed: 1,
      failed: 2,
      errored: 4,
      skipped: 5,
      observed: 6,
      cached: 7,
      costUsd: null,
      spentUsd: 0,
    },
  } as unknown as Report);
  expect(spans).toMatchObject([
    { traceId: 'T', parentSpanId: '8-1', name: 'chat ***', attributes: { 'error.type': 'bug' } },
    {
      traceId: 'T',
      parentSpanId: 'S',
      name: 'llmcheck.run',
      attributes: {
        'llmcheck.run.id': 'r',
        'llmcheck.version': '1',
        'llmcheck.outcome': 'passed',
        'llmcheck.exit_code': { integer: 0 },
        'llmcheck.cells.planned': { integer: 12 },
        'llmcheck.cells.passed': { integer: 1 },
        'llmcheck.cells.failed': { integer: 2 },
        'llmcheck.cells.errored': { integer: 4 },
        'llmcheck.cells.skipped': { integer: 5 },
        'llmcheck.cells.observed': { integer: 6 },
        'llmcheck.cells.cached': { integer: 7 },
        'llmcheck.cost_usd': undefined,
        'llmcheck.spent_usd': 0,
      },
    },
  ]);
  expect(spans[1]).not.toHaveProperty('error');
});

test('a run that failed has its outcome as the error', () => {
  const { trace, spans } = open();
  trace.finish({ run: {}, decision: { outcome: 'failed' }, exitCode: 1, tool: {}, totals: {} } as unknown as Report);
  expect(spans[0]?.error).toBe('failed');
});

const key = {
  'llmcheck.suite': 's',
  'llmcheck.prompt': 'p',
  'llmcheck.provider': 'v',
  'llmcheck.case.id': 'c',
  'llmcheck.trial': { integer: 1 },
};

test.each<[more: object, attributes: object, error?: string]>([
  [{}, { 'llmcheck.status': 'passed', 'llmcheck.cached': false, 'llmcheck.score': 0.5 }],
  [{ passed: false }, { 'llmcheck.status': 'failed', 'llmcheck.cached': false, 'llmcheck.score': 0.5 }],
  [
    { calls: [{ cached: true }, { cached: true }], confirmation: true },
    { 'llmcheck.status': 'passed', 'llmcheck.cached': true, 'llmcheck.score': 0.5, 'llmcheck.confirmation': true },
  ],
  [
    { calls: [{ cached: true }, { cached: false }], confirmation: false },
    { 'llmcheck.status': 'passed', 'llmcheck.cached': false, 'llmcheck.score': 0.5 },
  ],
  [
    { status: 'errored', failure: { kind: 'timeout' } },
    { 'llmcheck.status': 'errored', 'llmcheck.cached': false, 'error.type': 'timeout' },
    'timeout',
  ],
  [
    { status: 'skipped', verdicts: undefined },
    { 'llmcheck.status': 'skipped', 'llmcheck.cached': false },
  ],
])('a cell %j that never began has its span, too', (more, attributes, error) => {
  const { trace, spans } = open();
  trace.result(result(more));
  const [span] = spans;
  expect(JSON.parse(JSON.stringify(span?.attributes))).toEqual({ ...key, ...attributes });
  expect([span?.name, span?.error]).toEqual(['llmcheck.cell', error]);
});

test('a conversation that broke off has a verdict that no check gave', async () => {
  const { trace, spans } = open({ capturesContent: true });
  const verdicts = [verdict(), verdict({ assertion: 'turns', error: 'a secret' }), verdict({ assertion: 'tools' })];
  await trace.cell(cell, () => Promise.resolve(result({ verdicts })));
  await trace.cell(cell, () => Promise.resolve(result({ status: 'skipped', verdicts: undefined })));
  expect(spans.map(({ name, error }) => [name, error])).toEqual([
    ['evaluate turns', 'a ***'],
    ['evaluate tools', undefined],
    ['llmcheck.cell', undefined],
    ['llmcheck.cell', undefined],
  ]);
});

test('checks and requests outside of a cell belong to the run, or to nothing', () => {
  const { trace, spans } = open();
  trace.startChecks();
  trace.verdict(verdict());
  trace.toolCall({ id: 't', name: 'find' } as never)(undefined);
  expect(spans.map(({ name, parentSpanId }) => [name, parentSpanId])).toEqual([['execute_tool find', '8-2']]);
});

test('texts are masked wherever they are', async () => {
  const { trace, spans } = open();
  const params = { stop: ['a secret', 'END'] };
  const request = { adapter: 'openai', model: 'm', params, messages: [], origin: {} } as unknown as CompletionRequest;
  const next: Complete = () => Promise.reject(new RangeError('bug'));
  const complete = trace.attempts({ id: 'v' } as ProviderConfig, {} as Endpoint, next);
  await expect(complete(request, new AbortController().signal)).rejects.toThrow(RangeError);
  expect(spans.pop()?.attributes['gen_ai.request.stop_sequences']).toEqual(['a ***', 'END']);
  trace.result(result({ key: { suite: 'secret', prompt: 'p', provider: 'v', caseId: 'c', trial: 1 } }));
  expect(spans[0]?.attributes['llmcheck.suite']).toBe('***');
});
