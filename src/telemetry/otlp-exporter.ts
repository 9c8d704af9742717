import { memberAt, textAt } from '../http/json-api.ts';
import { defined } from '../json/defined.ts';
import { tryParseJson } from '../json/parse-json.ts';
import { decodePercent } from '../text/decode-text.ts';

/** A value of an attribute. OTLP's JSON writes integers as text, since 64 bits do not fit a JSON number. */
export type AttributeValue = string | number | boolean | readonly string[] | { readonly integer: number };

export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: 'internal' | 'client';
  /** Milliseconds since 1970, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Set if the operation failed, in words. */
  readonly error?: string;
}

const kinds = { internal: 1, client: 3 } as const;
const errorStatus = 2;

/** The body of one OTLP/HTTP export in JSON (opentelemetry-proto, ExportTraceServiceRequest). */
export function buildExport(
  spans: readonly Span[],
  resource: Attributes,
  scope: { readonly name: string; readonly version: string },
): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: writeAttributes(resource) },
        scopeSpans: [{ scope, spans: spans.map(writeSpan) }],
      },
    ],
  };
}

function writeSpan({ traceId, spanId, parentSpanId, name, kind, startMs, endMs, attributes, error }: Span): object {
  return {
    traceId,
    spanId,
    ...defined({ parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: toNanos(startMs),
    endTimeUnixNano: toNanos(endMs),
    attributes: writeAttributes(attributes),
    status: error === undefined ? {} : { code: errorStatus, message: error },
  };
}

/** The clock has microseconds; a double can't count nanoseconds since 1970. */
function toNanos(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function writeAttributes(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: writeValue(value) }],
  );
}

function writeValue(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return { doubleValue: value };
  if ('integer' in value) return { intValue: String(value.integer) };
  return { arrayValue: { values: value.map((item) => ({ stringValue: item })) } };
}

export interface ExporterPorts {
  /** Sends spans. Resolves with the collector's refusal in words, or rejects with an error. */
  readonly send: (spans: readonly Span[]) => Promise<string | undefined>;
  /** Called once, with the first reason. */
  readonly onLost: (reason: string) => void;
  /** Calls `giveUp` if a flush takes too long. Returns a function that stops the timer. */
  readonly startTimer: (giveUp: () => void) => () => void;
}

export interface Exporter {
  readonly add: (span: Span) => void;
  /** Resolves once every added span was sent or dropped. */
  readonly flush: () => Promise<void>;
}

const batchSize = 256;
/** Spans that wait for a slow collector; more are dropped, so that memory does not grow with the run. */
const maxWaiting = 20_000;
/** After so many failures nothing more is sent: a run does not wait for a broken collector. */
export const maxFailures = 3;

/** Why spans are lost though the collector answered with success; undefined if it took them all. */
export function describePartial(reply: string): string | undefined {
  const partial = memberAt(tryParseJson(reply), 'partialSuccess');
  const rejected = Number(memberAt(partial, 'rejectedSpans') ?? 0);
  return rejected > 0
    ? `${rejected} spans rejected: ${textAt(partial, 'errorMessage') ?? 'no reason given'}`
    : undefined;
}

/** Sends spans in batches, one after the other, while the run goes on. */
export function createExporter({ send, onLost, startTimer }: ExporterPorts): Exporter {
  let waiting: Span[] = [];
  let sending: Promise<void> | undefined;
  let failures = 0;

  function lose(reason: string): void {
    if (failures === 0) onLost(reason);
    failures += 1;
  }

  /** Sends batches until fewer than `fewer` spans wait. */
  async function drain(fewer: number): Promise<void> {
    while (waiting.length >= fewer) {
      const batch = waiting.slice(0, batchSize);
      waiting = waiting.slice(batchSize);
      if (failures >= maxFailures) continue;
      const refused = await send(batch).catch(describeError);
      if (refused !== undefined) lose(refused);
    }
  }

  return {
    add(span) {
      if (failures >= maxFailures || waiting.length >= maxWaiting) return;
      waiting.push(span);
      if (waiting.length >= batchSize) {
        sending ??= drain(batchSize).finally(() => {
          sending = undefined;
        });
      }
    },
    async flush() {
      const stopTimer = startTimer(() => {
        lose('the collector takes them more slowly than they come');
        failures = maxFailures;
      });
      await sending;
      await drain(1);
      stopTimer();
    },
  };
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  return error.message;
}

type Env = Readonly<Record<string, string | undefined>>;

export interface OtelSettings {
  /** The whole address of the traces. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Attributes;
  readonly timeoutMs: number;
  /** True if messages and reasons may leave the machine. */
  readonly capturesContent: boolean;
  /** The trace that this run is a part of. */
  readonly parent?: { readonly traceId: string; readonly spanId: string };
}

const defaultEndpoint = 'http://localhost:4318';
const defaultTimeoutMs = 10_000;

/**
 * Reads OpenTelemetry's own variables. An endpoint from the flag overrides them. `fault` is an endpoint that is not a
 * URL.
 */
export function readOtelSettings(env: Env, endpoint: string | undefined): OtelSettings | { readonly fault: string } {
  const traces = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '';
  const base = endpoint ?? (env['OTEL_EXPORTER_OTLP_ENDPOINT'] || defaultEndpoint);
  // The variable for traces is the whole address; the others are the root of all signals.
  const text = endpoint === undefined && traces !== '' ? traces : withPath(base);
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) return { fault: text };
  const parent = parseTraceParent(env['TRACEPARENT']);
  const timeoutMs = Number(env['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT'] ?? env['OTEL_EXPORTER_OTLP_TIMEOUT']);
  return {
    url: text,
    headers: {
      ...parsePairs(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? ''),
      ...parsePairs(env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? ''),
    },
    resource: {
      'service.name': 'llmcheck',
      ...parsePairs(env['OTEL_RESOURCE_ATTRIBUTES'] ?? ''),
      ...defined({ 'service.name': env['OTEL_SERVICE_NAME'] || undefined }),
    },
    timeoutMs: timeoutMs > 0 ? timeoutMs : defaultTimeoutMs,
    capturesContent: env['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT']?.toLowerCase() === 'true',
    ...defined({ parent }),
  };
}

function withPath(base: string): string {
  return /\/v1\/traces\/?$/.test(base) ? base : `${base.replace(/\/+$/, '')}/v1/traces`;
}

/** `a=1,b=2`, percent-encoded. */
function parsePairs(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').flatMap((pair): [string, string][] => {
    const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    return name === '' ? [] : [[name, decodePercent(value)]];
  });
  return Object.fromEntries(pairs);
}

/** W3C Trace Context. */
function parseTraceParent(text = ''): OtelSettings['parent'] {
  const [, traceId = '', spanId = ''] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(text) ?? [];
  return /^0*$/.test(traceId) || /^0*$/.test(spanId) ? undefined : { traceId, spanId };
}
