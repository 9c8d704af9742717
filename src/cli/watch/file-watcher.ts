import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { watch } from 'chokidar';
import type { WatchGraph } from '../../changes/suite-sources.ts';
import { type Clock, systemClock } from '../../model/clock.ts';

/** Reports changed files in batches, by their absolute paths. */
export interface FileWatcher {
  watch(graph: WatchGraph): void;
  close(): Promise<void>;
}

/** The quiet time before a batch. It covers editors that write a copy and rename it, but is too short to notice. */
const quietMs = 40;
const maxMs = 400;
/** The time after which new files are watched. */
const settledMs = 1000;

/** Watches the files of a graph, and folders where such files may appear. Reports a burst of changes as one batch. */
export function openFileWatcher(onBatch: (paths: ReadonlySet<string>) => void): FileWatcher {
  let graph: WatchGraph | undefined;
  const debounce = createDebounce({ quietMs, maxMs, clock: systemClock }, onBatch);
  const watcher = watch([], {
    ignoreInitial: true,
    // Ignored files take no handle, and their changes do not wake the process.
    ignored: (path, stats) => {
      if (graph === undefined) return false;
      const isFolder = (stats ?? statSync(path, { throwIfNoEntry: false }))?.isDirectory() === true;
      return isFolder ? !graph.leadsTo(path) : !graph.holds(path);
    },
  });
  // The changes reported for the present graph.
  const reported = new Set<string>();
  let stopCheck: (() => void) | undefined;
  watcher.on('all', (_event, path) => {
    reported.add(path);
    debounce.add(path);
  });
  // An edit is not reported while the watcher only begins to watch its file.
  const checkUnreported = (times: ReadonlyMap<string, number | undefined>): void => {
    for (const [path, time] of times) {
      if (!reported.has(path) && modifiedAt(path) !== time) debounce.add(path);
    }
  };
  // The run that needs a folder reports that it can't be read.
  watcher.on('error', () => undefined);
  const known = new Set<string>();
  return {
    watch(next) {
      graph = next;
      reported.clear();
      const times = new Map(Array.from(next.paths, (path) => [path, modifiedAt(path)] as const));
      stopCheck?.();
      stopCheck = systemClock.startTimer(settledMs, () => checkUnreported(times));
      const added = [...next.paths, ...next.folders].map(nearestExisting).filter((path) => !known.has(path));
      for (const path of added) known.add(path);
      if (added.length > 0) watcher.add([...new Set(added)]);
    },
    async close() {
      stopCheck?.();
      debounce.cancel();
      await watcher.close();
    },
  };
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** A file that does not exist yet is seen through its folder. */
function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

export interface DebounceOptions {
  /** The batch is reported after this long without another item. */
  readonly quietMs: number;
  /** The batch is reported this long after its first item at the latest. */
  readonly maxMs: number;
  readonly clock: Pick<Clock, 'now' | 'startTimer'>;
}

/** Collects items that arrive in a burst, such as the files of a checkout, and reports them as one batch. */
export function createDebounce<T>(
  { quietMs, maxMs, clock }: DebounceOptions,
  onBatch: (items: ReadonlySet<T>) => void,
): { readonly add: (item: T) => void; readonly cancel: () => void } {
  let items = new Set<T>();
  let firstMs = 0;
  let stopTimer: (() => void) | undefined;
  const fire = (): void => {
    stopTimer = undefined;
    const batch = items;
    items = new Set();
    onBatch(batch);
  };
  return {
    add(item) {
      const nowMs = clock.now();
      if (items.size === 0) firstMs = nowMs;
      items.add(item);
      stopTimer?.();
      stopTimer = clock.startTimer(Math.min(quietMs, Math.max(0, firstMs + maxMs - nowMs)), fire);
    },
    cancel: () => stopTimer?.(),
  };
}
