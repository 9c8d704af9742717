/** A value of an attribute. OTLP's JSON writes integers as text, since 64 bits do not fit a JSON number. */
export type AttributeValue = string | number | boolean | readonly string[] | Integer;

/** A number that the conventions define as an integer. */
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
    ...(parentSpanId !== undefined && { parentSpanId }),
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
const maxFailures = 3;

/** Sends spans in batches, one after the other, while the run goes on. */
export function createExporter({ send, onLost }: ExporterPorts): Exporter {
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
      await sending;
      await drain(1);
    },
  };
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  return error.message;
}
