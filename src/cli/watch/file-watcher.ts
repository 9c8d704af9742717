import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { watch } from 'chokidar';
import type { WatchGraph } from '../changes/watch-graph.ts';
import { systemClock } from '../model/clock.ts';
import { createDebounce } from './debounce.ts';
import type { FileWatcher } from './io.ts';

/** Long enough for an editor that writes a copy and renames it, too short to be noticed. */
const quietMs = 40;
const maxMs = 400;

/** Watches the files of a graph and the folders where some may come to be; a burst of changes is told as one. */
export function openFileWatcher(onBatch: (paths: ReadonlySet<string>) => void): FileWatcher {
  let graph: WatchGraph | undefined;
  const debounce = createDebounce({ quietMs, maxMs, clock: systemClock }, onBatch);
  const watcher = watch([], {
    ignoreInitial: true,
    // What no suite hangs on costs no handle, and nothing of it wakes us up.
    ignored: (path, stats) => {
      if (graph === undefined) return false;
      const isFolder = (stats ?? statSync(path, { throwIfNoEntry: false }))?.isDirectory() === true;
      return isFolder ? !graph.leadsTo(path) : !graph.holds(path);
    },
  });
  watcher.on('all', (_event, path) => debounce.add(path));
  // A folder that may not be read is told by the run that needs it.
  watcher.on('error', () => undefined);
  const known = new Set<string>();
  return {
    watch(next) {
      graph = next;
      const added = [...next.paths, ...next.folders].map(nearestExisting).filter((path) => !known.has(path));
      for (const path of added) known.add(path);
      if (added.length > 0) watcher.add([...new Set(added)]);
    },
    async close() {
      debounce.cancel();
      await watcher.close();
    },
  };
}

/** A file that is not there yet is seen by the folder in which it will be. */
function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}
