/** A value as OTLP's JSON writes it; integers are text there, since 64 bits do not fit a JSON number. */
export type AttributeValue = string | number | boolean | readonly string[] | Integer;

/** A number that is an integer by its meaning, also where it could be read as a double. */
export interface Integer {
  readonly integer: number;
}

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
  /** Set where the operation failed, in words. */
  readonly error?: string;
}

const kinds = { internal: 1, client: 3 } as const;
const errorStatus = 2;

/** The body of one OTLP/HTTP export in JSON (opentelemetry-proto, ExportTraceServiceRequest). */
export function buildExport(
  spans: readonly Span[],
  {
    resource,
    scope,
  }: { readonly resource: Attributes; readonly scope: { readonly name: string; readonly version: string } },
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
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: toNanos(startMs),
    endTimeUnixNano: toNanos(endMs),
    attributes: writeAttributes(attributes),
    status: error === undefined ? {} : { code: errorStatus, message: error },
  };
}

/** Microseconds are what the clock has; nanoseconds since 1970 are beyond what a double can count. */
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
