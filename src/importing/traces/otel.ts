import type { IsPart } from '../data-sets/split-json.ts';
import { isMap } from '../draft.ts';
import {
  type Attributes,
  isMessageEvent,
  isModelCall,
  type OtelEvent,
  readAttributes,
  readBody,
  readConventions,
} from './otel-conventions.ts';
import { describeOrigin, type FoundRow, type TraceReader } from './recorded-call.ts';

const spanPaths = new Set([
  'resourceSpans.*.scopeSpans.*.spans.*',
  'resourceSpans.*.instrumentationLibrarySpans.*.spans.*',
  'batches.*.scopeSpans.*.spans.*',
  'batches.*.instrumentationLibrarySpans.*.spans.*',
  'resourceLogs.*.scopeLogs.*.logRecords.*',
]);
const longestPlace = 8;

/**
 * True for spans and log records in OTLP JSON documents, in lists of these, or in a wrapper such as Tempo's `trace`.
 */
export const isOtelPart: IsPart = (path) => {
  if (path.length < 6 || path.length > longestPlace || path.at(-1) !== '*') return false;
  return spanPaths.has(path.slice(-6).join('.'));
};

/** Most calls that wait for further log records. Concurrent calls mix theirs in the file. */
const waitingCalls = 2000;
const waitingUnits = 16 << 20;
/** Number of finished spans to remember, to detect late records. */
const finishedSpans = 20_000;

interface WaitingCall {
  readonly line: number;
  readonly origin: readonly string[];
  readonly events: { readonly event: OtelEvent; readonly time: string }[];
  units: number;
}

/** Reads the messages of spans and log records. All log records of one span form one call. */
export function createOtelReader(): TraceReader {
  const waiting = new Map<string, WaitingCall>();
  const finished = new Set<string>();
  let units = 0;
  function* finish(key: string, call: WaitingCall): Generator<FoundRow> {
    waiting.delete(key);
    units -= call.units;
    yield* finishCall(call, finished.has(key));
    if (call.events.length > 0) finished.add(key);
    const [oldest] = finished;
    if (finished.size > finishedSpans && oldest !== undefined) finished.delete(oldest);
  }
  function* wait(key: string, part: OtelPart, line: number): Generator<FoundRow> {
    const { event, time, origin, size } = part;
    const known = waiting.get(key);
    const call = known ?? { line, origin, events: [], units: 0 };
    waiting.set(key, call);
    if (event !== undefined) call.events.push({ event, time });
    call.units += size;
    units += size;
    while (waiting.size > waitingCalls || units > waitingUnits) {
      const [oldest] = waiting;
      if (oldest === undefined) return;
      yield* finish(...oldest);
    }
  }
  return {
    *read(value, line) {
      const part = isMap(value) ? readPart(value) : undefined;
      if (part === undefined) return;
      const { key, own, event, origin, isCall } = part;
      const found = isMessageEvent(event) ? undefined : readConventions(own);
      if (found !== undefined) yield { line, row: 'refused' in found ? found : { ...found, origin } };
      else if (isMessageEvent(event) && key === undefined)
        yield { line, row: { refused: 'its messages are in log records that name no span' } };
      else if (key !== undefined && (isMessageEvent(event) || isCall)) yield* wait(key, part, line);
      else if (isCall) yield { line, row: { refused: 'no messages were recorded' } };
    },
    *end() {
      for (const [key, call] of waiting) yield* finish(key, call);
    },
  };
}

/** Builds the call of log records, sorted by time. `isRest`: other records of the span came much earlier. */
function* finishCall({ line, origin, events }: WaitingCall, isRest: boolean): Generator<FoundRow> {
  const sorted = events.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const found = readConventions(sorted.map(({ event }) => event));
  const nothing = isRest ? 'its log records are far apart in the file' : 'no messages were recorded';
  const row = isRest || found === undefined ? { refused: nothing } : found;
  yield { line, row: 'refused' in row ? row : { ...row, origin } };
}

interface OtelPart {
  /** Span id; undefined if missing. */
  readonly key: string | undefined;
  /** Event of a log record. */
  readonly event: OtelEvent | undefined;
  /** The record itself and its events. */
  readonly own: readonly OtelEvent[];
  readonly origin: readonly string[];
  readonly isCall: boolean;
  /** Nanoseconds, with a fixed number of digits. */
  readonly time: string;
  readonly size: number;
}

function readPart(value: Readonly<Record<string, unknown>>): OtelPart {
  const written = readAttributes(value['attributes']);
  const { span_kind: kind } = value;
  const attributes: Attributes = new Map([
    ...readBody(value['body']),
    // Phoenix stores it outside the attributes.
    ...(typeof kind === 'string' ? [['openinference.span.kind', kind] as const] : []),
    ...written,
  ]);
  const events = Array.isArray(value['events']) ? value['events'].filter(isMap) : [];
  const context = value['context'] ?? value['spanContext'];
  const ids = isMap(context) ? context : value;
  const trace = ids['traceId'] ?? ids['trace_id'];
  const span = ids['spanId'] ?? ids['span_id'];
  const at = value['startTimeUnixNano'] ?? value['timeUnixNano'] ?? value['observedTimeUnixNano'];
  const name = textOf(value['eventName'] ?? attributes.get('event.name') ?? value['name']);
  const isLog = Object.hasOwn(value, 'body') || Object.hasOwn(value, 'eventName') || attributes.has('event.name');
  const own: OtelEvent = { name: isLog ? name : '', attributes };
  const model =
    attributes.get('gen_ai.response.model') ??
    attributes.get('gen_ai.request.model') ??
    attributes.get('llm.model_name') ??
    attributes.get('ai.model.id');
  return {
    key: typeof span === 'string' && span !== '' ? `${textOf(trace)}/${span}` : undefined,
    event: isLog ? own : undefined,
    own: [
      own,
      ...events.map((event) => ({ name: textOf(event['name']), attributes: readAttributes(event['attributes']) })),
    ],
    origin: describeOrigin({ trace, span, at: readTime(at) ?? value['start_time'], model }),
    isCall: isModelCall(attributes),
    time: digitsOf(at).padStart(20, '0'),
    size: isLog ? JSON.stringify([...attributes]).length : 0,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function digitsOf(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : textOf(value);
  return /^\d{1,19}$/.test(text) ? text : '';
}

/** Reads nanoseconds since 1970, which OTLP writes as text. */
function readTime(value: unknown): string | undefined {
  const text = digitsOf(value);
  if (text.length < 13) return undefined;
  const date = new Date(Number(BigInt(text) / 1_000_000n));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
