import { defined } from '../json/defined.ts';
import type { Attributes } from './otlp-exporter.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface OtelSettings {
  /** The whole address of the traces. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Attributes;
  readonly timeoutMs: number;
  /** True where messages and reasons may leave the machine. */
  readonly capturesContent: boolean;
  /** The trace that this run is a part of. */
  readonly parent?: { readonly traceId: string; readonly spanId: string };
}

const defaultEndpoint = 'http://localhost:4318';
const defaultTimeoutMs = 10_000;

/** Reads OpenTelemetry's own variables. An endpoint from the flag overrides them. `fault` is an endpoint that is no URL. */
export function readOtelSettings(env: Env, endpoint: string | undefined): OtelSettings | { readonly fault: string } {
  const traces = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '';
  const base = endpoint ?? (env['OTEL_EXPORTER_OTLP_ENDPOINT'] || defaultEndpoint);
  // The variable for traces is the whole address; the others are the root of all signals.
  const text = endpoint === undefined && traces !== '' ? traces : withPath(base);
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) return { fault: text };
  const parent = parseTraceParent(env['TRACEPARENT'] ?? '');
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
      ...((env['OTEL_SERVICE_NAME'] ?? '') !== '' && { 'service.name': env['OTEL_SERVICE_NAME'] }),
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
    return name === '' ? [] : [[name, decode(value)]];
  });
  return Object.fromEntries(pairs);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

/** W3C Trace Context. */
function parseTraceParent(text: string): OtelSettings['parent'] {
  const [, traceId = '', spanId = ''] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(text) ?? [];
  return /^0*$/.test(traceId) || /^0*$/.test(spanId) ? undefined : { traceId, spanId };
}
