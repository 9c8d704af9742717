import type { Span } from './otlp-json.ts';

export interface ExporterPorts {
  /** Sends spans; rejects, or resolves with what the collector refused in words. */
  readonly send: (spans: readonly Span[]) => Promise<string | undefined>;
  /** Called once, with the first reason. */
  readonly onLost: (reason: string) => void;
}

export interface Exporter {
  readonly add: (span: Span) => void;
  /** Resolves when all that was added has been sent or given up. */
  readonly flush: () => Promise<void>;
}

const batchSize = 256;
/** What a collector that hangs may hold back; more is dropped, so that memory does not grow with the run. */
const maxWaiting = 20_000;
/** A collector that failed so often is not asked again: a run does not wait for it. */
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

  /** Until fewer are waiting; the last ones go out as they are. */
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
