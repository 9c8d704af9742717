import type { ProgressEvent } from '../model/progress.ts';

/** What happens while a run is going on. */
export type RunEvent = ProgressEvent;

/** Events for any number of readers, each from the first on. */
export interface EventLog {
  readonly push: (event: RunEvent) => void;
  /** No more will come; with an error, readers are thrown it. */
  readonly end: (error?: unknown) => void;
  readonly read: () => AsyncIterator<RunEvent>;
}

/** Nothing is kept until somebody reads: a run that nobody watches must not grow. */
export function createEventLog(): EventLog {
  const readers = new Set<Reader>();
  let ended: { readonly error?: unknown } | undefined;
  return {
    push(event) {
      for (const reader of readers) reader.push(event);
    },
    end(...error) {
      ended = error.length === 0 ? {} : { error: error[0] };
      for (const reader of readers) reader.end(ended);
    },
    read() {
      const reader = createReader(() => readers.delete(reader));
      readers.add(reader);
      if (ended !== undefined) reader.end(ended);
      return reader.iterator;
    },
  };
}

interface Reader {
  readonly push: (event: RunEvent) => void;
  readonly end: (how: { readonly error?: unknown }) => void;
  readonly iterator: AsyncIterator<RunEvent>;
}

function createReader(onLeave: () => void): Reader {
  const waitingEvents: RunEvent[] = [];
  const waitingReads: { resolve(result: IteratorResult<RunEvent>): void; reject(error: unknown): void }[] = [];
  let ended: { readonly error?: unknown } | undefined;
  const done: IteratorResult<RunEvent> = { done: true, value: undefined };
  return {
    push(event) {
      const read = waitingReads.shift();
      if (read === undefined) waitingEvents.push(event);
      else read.resolve({ done: false, value: event });
    },
    end(how) {
      ended = how;
      for (const read of waitingReads.splice(0)) {
        if ('error' in how) read.reject(how.error);
        else read.resolve(done);
      }
    },
    iterator: {
      next() {
        const event = waitingEvents.shift();
        if (event !== undefined) return Promise.resolve({ done: false, value: event });
        if (ended === undefined) return new Promise((resolve, reject) => waitingReads.push({ resolve, reject }));
        // Thrown values are the run's own.
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- passed on as it came
        return 'error' in ended ? Promise.reject(ended.error) : Promise.resolve(done);
      },
      return() {
        onLeave();
        ended ??= {};
        waitingEvents.length = 0;
        return Promise.resolve(done);
      },
    },
  };
}
