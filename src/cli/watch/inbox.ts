type StopSignal = 'SIGINT' | 'SIGTERM';

/** Collects changed files and the signal to stop while a round runs. */
export interface Inbox {
  add(batch: ReadonlySet<string>): void;
  end(signal: StopSignal): void;
  readonly signal: StopSignal | undefined;
  /** Resolves to the changes that count, once there are some, or to the signal. */
  next(counts: (path: string) => boolean): Promise<ReadonlySet<string> | StopSignal>;
  /** Aborted once a change that counts arrives. */
  expect(counts: (path: string) => boolean): AbortSignal;
}

export function createInbox(): Inbox {
  let waiting = new Set<string>();
  let signal: StopSignal | undefined;
  let onArrival: () => void = () => undefined;
  return {
    add(batch) {
      for (const path of batch) waiting.add(path);
      onArrival();
    },
    end(received) {
      signal ??= received;
      onArrival();
    },
    get signal() {
      return signal;
    },
    next: (counts) =>
      new Promise((resolve) => {
        onArrival = () => {
          const found = [...waiting].filter(counts);
          // Other files are forgotten, or the set would grow with every file of a build.
          waiting = new Set();
          if (signal === undefined && found.length === 0) return;
          onArrival = () => undefined;
          resolve(signal ?? new Set(found));
        };
        onArrival();
      }),
    expect(counts) {
      const controller = new AbortController();
      onArrival = () => {
        if ([...waiting].some(counts)) controller.abort();
      };
      return controller.signal;
    },
  };
}
