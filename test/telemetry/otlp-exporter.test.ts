import { expect, test } from 'vitest';
import {
  buildExport,
  createExporter,
  describePartial,
  readOtelSettings,
  type Span,
} from '../../src/telemetry/otlp-exporter.ts';

const span = (name: string, more: Partial<Span> = {}): Span => ({
  traceId: 't',
  spanId: 's',
  name,
  kind: 'internal',
  startMs: 1.0015,
  endMs: 2,
  attributes: {},
  ...more,
});

test('spans are written as OTLP has them', () => {
  const attributes = { a: 'x', b: true, c: 0.5, d: { integer: 3 }, e: ['y', 'z'], f: undefined };
  const spans = [span('one', { attributes, kind: 'client', parentSpanId: 'p' }), span('two', { error: 'broken' })];
  expect(buildExport(spans, { 'service.name': 'n' }, { name: 'llmcheck', version: '1' })).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'n' } }] },
        scopeSpans: [
          {
            scope: { name: 'llmcheck', version: '1' },
            spans: [
              {
                traceId: 't',
                spanId: 's',
                parentSpanId: 'p',
                name: 'one',
                kind: 3,
                startTimeUnixNano: '1002000',
                endTimeUnixNano: '2000000',
                attributes: [
                  { key: 'a', value: { stringValue: 'x' } },
                  { key: 'b', value: { boolValue: true } },
                  { key: 'c', value: { doubleValue: 0.5 } },
                  { key: 'd', value: { intValue: '3' } },
                  { key: 'e', value: { arrayValue: { values: [{ stringValue: 'y' }, { stringValue: 'z' }] } } },
                ],
                status: {},
              },
              {
                traceId: 't',
                spanId: 's',
                name: 'two',
                kind: 1,
                startTimeUnixNano: '1002000',
                endTimeUnixNano: '2000000',
                attributes: [],
                status: { code: 2, message: 'broken' },
              },
            ],
          },
        ],
      },
    ],
  });
});

/** An exporter whose collector answers each batch by this; what was sent, by size, and what was lost. */
function openExporter(
  answer: (batch: number) => string | Error | undefined,
  startTimer: (giveUp: () => void) => () => void = () => () => undefined,
) {
  const sent: number[] = [];
  const lost: string[] = [];
  const names: string[] = [];
  const exporter = createExporter({
    send: (spans) => {
      names.push(...spans.map(({ name }) => name));
      const found = answer(sent.push(spans.length));
      return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
    },
    onLost: (reason) => lost.push(reason),
    startTimer,
  });
  const add = (count: number) => {
    for (let at = 0; at < count; at += 1) exporter.add(span(`n${at}`));
  };
  return { exporter, add, sent, lost, names };
}

test('spans are sent in batches while a run goes on, and the rest at its end', async () => {
  const { exporter, add, sent, names, lost } = openExporter(() => undefined);
  add(255);
  expect(sent).toEqual([]);
  exporter.add(span('last'));
  expect(sent).toEqual([256]);
  add(300);
  await exporter.flush();
  expect(sent).toEqual([256, 256, 44]);
  expect([names[0], names[255], names.length]).toEqual(['n0', 'last', 556]);
  exporter.add(span('later'));
  await exporter.flush();
  expect([sent, lost]).toEqual([[256, 256, 44, 1], []]);
  await exporter.flush();
  expect(sent).toHaveLength(4);
});

test('a later batch is sent while the run goes on, as the first one was', async () => {
  const { add, sent } = openExporter(() => undefined);
  for (const count of [1, 2, 3]) {
    add(256);
    await new Promise(setImmediate);
    expect(sent).toEqual(Array.from({ length: count }, () => 256));
  }
});

test('the first reason of a loss is reported, and nothing is sent after three', async () => {
  const { exporter, add, sent, lost } = openExporter((batch) =>
    batch === 1 ? new Error('no way') : `refused ${batch}`,
  );
  add(5 * 256);
  await exporter.flush();
  expect([sent, lost]).toEqual([[256, 256, 256], ['no way']]);
  add(300);
  await exporter.flush();
  expect(sent).toHaveLength(3);
  const late = openExporter((batch) => (batch === 2 ? 'refused' : undefined));
  late.add(4 * 256);
  await late.exporter.flush();
  expect([late.sent.length, late.lost]).toEqual([4, ['refused']]);
});

test('a flush that takes too long sends nothing more, and a timely one leaves no timer', async () => {
  let giveUp = (): void => undefined;
  const timers = { running: 0 };
  const { exporter, add, sent, lost } = openExporter(
    (batch) => {
      if (batch === 2) giveUp();
      return undefined;
    },
    (fire) => {
      giveUp = fire;
      timers.running += 1;
      return () => {
        timers.running -= 1;
      };
    },
  );
  add(5 * 256);
  await exporter.flush();
  expect([sent.length, lost, timers.running]).toEqual([2, ['the collector takes them more slowly than they come'], 0]);
});

test.each([
  ['{}', undefined],
  ['', undefined],
  ['<html>', undefined],
  ['{"partialSuccess":{}}', undefined],
  ['{"partialSuccess":{"errorMessage":"deprecated"}}', undefined],
  ['{"partialSuccess":{"rejectedSpans":"0"}}', undefined],
  ['{"partialSuccess":{"rejectedSpans":"7","errorMessage":"no quota"}}', '7 spans rejected: no quota'],
  ['{"partialSuccess":{"rejectedSpans":2}}', '2 spans rejected: no reason given'],
])('the collector that answers %s lost %s', (reply, lost) => {
  expect(describePartial(reply)).toBe(lost);
});

test('what a slow collector keeps waiting is bounded', async () => {
  const { exporter, add, sent } = openExporter(() => undefined);
  add(21_000);
  await exporter.flush();
  // One batch was on its way.
  expect(sent.reduce((sum, count) => sum + count, 0)).toBe(256 + 20_000);
});

const read = (env: Record<string, string> = {}, endpoint?: string) => readOtelSettings(env, endpoint);

test('without variables the usual collector of this machine is asked', () => {
  expect(read()).toEqual({
    url: 'http://localhost:4318/v1/traces',
    headers: {},
    resource: { 'service.name': 'llmcheck' },
    timeoutMs: 10_000,
    capturesContent: false,
  });
});

const traces = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
const all = 'OTEL_EXPORTER_OTLP_ENDPOINT';

test.each<[env: Record<string, string>, endpoint: string | undefined, url: string]>([
  [{ [all]: 'http://a/' }, undefined, 'http://a/v1/traces'],
  [{ [all]: 'http://a/v1/traces/' }, undefined, 'http://a/v1/traces/'],
  [{ [all]: '' }, undefined, 'http://localhost:4318/v1/traces'],
  [{ [all]: 'http://a', [traces]: 'http://b/own' }, undefined, 'http://b/own'],
  [{ [traces]: '' }, undefined, 'http://localhost:4318/v1/traces'],
  [{ [all]: 'http://a', [traces]: 'http://b/own' }, 'https://c', 'https://c/v1/traces'],
])('%j with the flag %s names the collector %s', (env, endpoint, url) => {
  expect(read(env, endpoint)).toMatchObject({ url });
});

test.each(['nowhere', 'ftp://a', 'xhttp://a', 'https2://a'])('the endpoint %s is none', (endpoint) => {
  expect(read({}, endpoint)).toEqual({ fault: `${endpoint}/v1/traces` });
});

test('headers, resource, time and trace are read from their variables', () => {
  const id = 'a'.repeat(32);
  expect(
    read({
      OTEL_EXPORTER_OTLP_HEADERS: ' a = 1%202 ,b=x=y,, =z,c',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=own',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=given,team=t',
      OTEL_EXPORTER_OTLP_TIMEOUT: '5',
      OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'TRUE',
      TRACEPARENT: `00-${id}-${'b'.repeat(16)}-01`,
    }),
  ).toEqual({
    url: 'http://localhost:4318/v1/traces',
    headers: { a: '1 2', b: 'own' },
    resource: { 'service.name': 'given', team: 't' },
    timeoutMs: 5,
    capturesContent: true,
    parent: { traceId: id, spanId: 'b'.repeat(16) },
  });
  expect(read({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=given', OTEL_SERVICE_NAME: 'own' })).toMatchObject({
    resource: { 'service.name': 'own' },
  });
  expect(read({ OTEL_SERVICE_NAME: '' })).toMatchObject({ resource: { 'service.name': 'llmcheck' } });
  expect(read({ OTEL_EXPORTER_OTLP_TIMEOUT: '1' })).toMatchObject({ timeoutMs: 1 });
  const times = { OTEL_EXPORTER_OTLP_TIMEOUT: '5', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '7' };
  expect(
    [times, { OTEL_EXPORTER_OTLP_TIMEOUT: '0' }, { OTEL_EXPORTER_OTLP_TIMEOUT: 'x' }].map((env) => read(env)),
  ).toMatchObject([{ timeoutMs: 7 }, { timeoutMs: 10_000 }, { timeoutMs: 10_000 }]);
  for (const text of [
    `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `00-${id}-${'b'.repeat(15)}-01`,
    'none',
  ])
    expect(read({ TRACEPARENT: text })).not.toHaveProperty('parent');
});
