import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { guessFormat, readTraceFile, type TraceFormat } from '../../../src/importing/traces/read-trace-file.ts';
import { UserError } from '../../../src/model/problem.ts';
import type { FileBytes } from '../../../src/suite/files/project-files.ts';

/** A file in memory; `closed` counts. */
function openBytes(content: string | Uint8Array) {
  const whole = Buffer.from(content);
  const state = { closed: 0 };
  const bytes = {
    size: whole.length,
    open: () => ({
      read: (buffer: Buffer, offset: number, length: number, position: number) =>
        whole.copy(buffer, offset, position, position + length),
      close: () => void (state.closed += 1),
    }),
  } as unknown as FileBytes;
  return { bytes, state };
}

/** Each call in short: its line, its origin and its messages, or why it is none. */
function read(format: TraceFormat, content: string | Uint8Array): readonly string[] {
  const { bytes, state } = openBytes(content);
  const found = [...readTraceFile(bytes, format, 'export.json')].map(({ line, row }) =>
    'refused' in row
      ? `${line}: ${row.refused}`
      : `${line}: ${row.origin.join(', ')}: ${row.messages.map(({ content: text }) => text).join('|')} → ${row.answer.text ?? '-'}`,
  );
  expect(state.closed).toBe(1);
  return found;
}

const problemOf = (format: TraceFormat, content: string | Uint8Array) => {
  try {
    return read(format, content).join();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const [problem] = error.problems;
    return `${problem?.at?.line ?? '-'} ${problem?.message} (${problem?.hint ?? ''})`;
  }
};

const lines = (...rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');

describe('observations of Langfuse', () => {
  const row = { input: 'hi', output: 'ho' };

  test.each<[object, string]>([
    [
      { ...row, type: 'GENERATION', id: 'o', traceId: 't', startTime: 'now', model: 'm' },
      'trace t, observation o, now, model m',
    ],
    [
      { ...row, type: 'generation', id: 'o', trace_id: 't', start_time: 'now', providedModelName: 'm' },
      'trace t, observation o, now, model m',
    ],
    [{ ...row, type: 'GENERATION', id: 'o', provided_model_name: 'm' }, 'observation o, model m'],
    // A trace itself.
    [{ ...row, id: 't', timestamp: 'now' }, 'trace t, now'],
    [row, ''],
  ])('%j', (value, origin) => {
    expect(read('langfuse', lines(value))).toEqual([`1: ${origin}: hi → ho`]);
  });

  test('that are no calls are none', () => {
    expect(
      read('langfuse', lines({ ...row, type: 'SPAN' }, { type: 'GENERATION', output: 'ho' }, { ...row, type: 5 })),
    ).toEqual(['3: : hi → ho']);
    expect(read('langfuse', lines(row, { input: 3, output: 'x' }))).toEqual([
      '1: : hi → ho',
      '2: no messages were recorded',
    ]);
  });
});

describe('runs of LangSmith', () => {
  const row = { inputs: { messages: [{ role: 'user', content: 'hi' }] }, outputs: 'ho' };

  test.each<[object, string]>([
    [{ ...row, run_type: 'llm', id: 'r', trace_id: 't', start_time: 'now' }, 'trace t, run r, now'],
    [{ ...row, run_type: 'chain', run_id: 'r', start_time: 0 }, 'run r, 1970-01-01T00:00:00.000Z'],
    [{ ...row, start_time: 9e99 }, ''],
  ])('%j', (value, origin) => {
    expect(read('langsmith', lines(value))).toEqual([`1: ${origin}: hi → ho`]);
  });

  test('that are no calls are none', () => {
    expect(read('langsmith', lines({ ...row, run_type: 'tool' }, { run_type: 'llm', outputs: 'x' }))).toEqual([]);
  });
});

describe('spans of OpenTelemetry', () => {
  const attribute = (key: string, value: unknown) => ({ key, value: { stringValue: JSON.stringify(value) } });
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
  const input = attribute('gen_ai.input.messages', [{ role: 'user', parts: [{ type: 'text', content: 'hi' }] }]);
  const span = (more: object, own: readonly object[] = [input]) => ({
    resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: own, ...more }] }] }],
  });

  test.each<[object, readonly object[], string]>([
    [{ traceId: 't', spanId: 's' }, [], 'trace t, span s'],
    [{ trace_id: 't', span_id: 's' }, [], 'trace t, span s'],
    [{ traceId: 'x', context: { traceId: 't', span_id: 's' } }, [], 'trace t, span s'],
    [{ spanContext: { traceId: 't', spanId: 's' } }, [], 'trace t, span s'],
    [{ startTimeUnixNano: '1767225600000000000' }, [], '2026-01-01T00:00:00.000Z'],
    [{ timeUnixNano: '1767225600000000000' }, [], '2026-01-01T00:00:00.000Z'],
    [{ start_time: 'now' }, [], 'now'],
    [{ startTimeUnixNano: '17', start_time: 'now' }, [], 'now'],
    [{}, [text('gen_ai.response.model', 'a'), text('gen_ai.request.model', 'b')], 'model a'],
    [{}, [text('gen_ai.request.model', 'b'), text('llm.model_name', 'c')], 'model b'],
    [{}, [text('llm.model_name', 'c'), text('ai.model.id', 'd')], 'model c'],
    [{}, [text('ai.model.id', 'd')], 'model d'],
  ])('%j with %j', (more, own, origin) => {
    expect(read('otel', JSON.stringify(span(more, [input, ...own])))).toEqual([`1: ${origin}: hi → -`]);
  });

  test('log records of a span make one call, in the order of their times', () => {
    const log = (name: string, body: object, time: number, more: object = { traceId: 't', spanId: 's' }) => ({
      eventName: name,
      timeUnixNano: String(1_767_225_600_000_000_000n + BigInt(time)),
      body: { kvlistValue: { values: Object.entries(body).map(([key, value]) => text(key, value as string)) } },
      ...more,
    });
    const logs = (...records: readonly object[]) =>
      JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] });
    const [first, second] = [
      log('gen_ai.user.message', { content: 'one' }, 5),
      log('gen_ai.user.message', { content: 'two' }, 6),
    ];
    const call = '1: trace t, span s, 2026-01-01T00:00:00.000Z';
    expect(read('otel', logs(first, second))).toEqual([`${call}: one|two → -`]);
    expect(read('otel', logs(second, first))).toEqual([`${call}: one|two → -`]);
    const other = log('gen_ai.user.message', { content: 'other' }, 7, { traceId: 't', spanId: 'u' });
    expect(read('otel', logs(first, other, second))).toHaveLength(2);
    expect(read('otel', logs(log('gen_ai.user.message', { content: 'x' }, 5, {})))).toEqual([
      '1: its messages are in log records that name no span',
    ]);
  });
});

describe('the form of a file', () => {
  const row = { input: 'hi', output: 'ho' };
  const call = (line: number) => `${line}: : hi → ho`;

  test.each<[string, string, readonly string[]]>([
    ['lines', lines(row, row), [call(1), call(2)]],
    [
      'a broken line among them',
      `${lines(row)}\n{"input":\n${lines(row)}`,
      [call(1), '2: its JSON is broken, cut off or larger than 64 MB', call(3)],
    ],
    ['a list', `[\n${JSON.stringify(row)},\n${JSON.stringify(row)}]`, [call(2), call(3)]],
    ['a wrapper', `{"data": [\n${JSON.stringify(row)}], "meta": {"page": [1]}}`, [call(2)]],
    ['lines with lists of ids', JSON.stringify({ ...row, observations: ['o'] }), [call(1)]],
    ['one row over several lines', JSON.stringify(row, null, 2), [call(1)]],
    ['a table', 'input,output\nhi,ho\n"a ""b""\nc",\n', [call(2), '3: : a "b"\nc → -']],
    [
      'a table with a row that is broken',
      'input,output\nhi\nhi,ho',
      ['2: its JSON is broken, cut off or larger than 64 MB', call(3)],
    ],
    ['nothing', '', []],
  ])('is recognised by its start: %s', (_, content, found) => {
    expect(read('langfuse', content)).toEqual(found);
  });

  test.each<[string, string | Uint8Array, string]>([
    ['gzip', Uint8Array.of(0x1f, 0x8b, 1), '- export.json is compressed (gzip) (unpack it first: gunzip FILE)'],
    [
      'Zstandard',
      Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd),
      '- export.json is compressed (Zstandard) (unpack it first: unzstd FILE)',
    ],
    [
      'ZIP',
      'PK\u0003\u0004',
      '- export.json is a ZIP archive or an Excel workbook (unpack it first: unzip FILE, or save it as CSV)',
    ],
    ['Parquet', 'PAR1', '- export.json is a Parquet file (write its rows as JSON lines first, such as with DuckDB)'],
    [
      'Latin-1',
      Uint8Array.of(0x22, 0x0a, 0xe4, 0x0a),
      '- export.json is not UTF-8 text: see the lines from 1 on (save it as UTF-8)',
    ],
    ['a document that is cut off', '[{"input":"hi"},\n{"input":', '2 '],
  ])('is refused where it is no text, or not whole: %s', (_, content, said) => {
    expect(problemOf('langfuse', content)).toContain(said);
  });

  test('is guessed for those who took the wrong command', () => {
    const guess = (value: unknown) =>
      guessFormat(openBytes(typeof value === 'string' ? value : JSON.stringify(value)).bytes, 'x');
    expect([
      guess({ resourceSpans: [] }),
      guess({ resourceLogs: [] }),
      guess({ run_type: 'llm', inputs: {} }),
      guess('id,dotted_order\n'),
      guess({ traceId: 't', input: 'x' }),
      guess({ trace_id: 't', output: 'x' }),
      guess({ projectId: 't', output: 'x' }),
      guess({ traceId: 't' }),
      guess({ input: 'x' }),
      guess(''),
    ]).toEqual([
      'otel',
      'otel',
      'langsmith',
      'langsmith',
      'langfuse',
      'langfuse',
      'langfuse',
      undefined,
      undefined,
      undefined,
    ]);
  });
});
