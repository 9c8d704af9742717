import { formatCount } from '../text/format-amount.ts';
import { type QueuedProvider, readWorkerInfo, type WorkerInfo } from './messages.ts';

interface WatchOptions {
  readonly version: string;
  /** The queue's address as it may be shown. */
  readonly shown: string;
  readonly onNote: (message: string) => void;
  readonly onLost: (message: string) => void;
  /** How long calls wait before the run notes that no worker takes them. */
  readonly noteMs: number;
  /** How long calls wait before the run stops. */
  readonly workersMs: number;
}

/**
 * Notes how many workers a run has, and which providers no worker serves. `texts` are the infos of all workers,
 * `waiting` the queues in which calls wait for an answer. `nowMs` is a time on a clock that never goes back.
 */
export type NoteWorkers = (
  texts: Iterable<string>,
  providers: readonly QueuedProvider[],
  waiting: ReadonlySet<string>,
  nowMs: number,
) => void;

export function watchWorkers(options: WatchOptions): NoteWorkers {
  let noted = '';
  let unservedSinceMs: number | undefined;
  let isNoted = false;
  return (texts, providers, waiting, nowMs) => {
    const workers = [...texts].flatMap((text) => readWorkerInfo(text) ?? []);
    const own = workers.filter(({ queues }) => providers.some(({ queue }) => queues.includes(queue)));
    const calls = own.reduce((sum, { concurrency }) => sum + concurrency, 0);
    const text = own.length === 0 ? '' : `${formatCount(own.length, 'worker')}, ${formatCount(calls, 'call')} at once.`;
    if (text !== '' && text !== noted) options.onNote(text);
    noted = text;
    const unserved = providers.filter(
      ({ queue }) => waiting.has(queue) && !workers.some(({ queues }) => queues.includes(queue)),
    );
    if (unserved.length === 0) {
      unservedSinceMs = undefined;
      isNoted = false;
      return;
    }
    unservedSinceMs ??= nowMs;
    const waitedMs = nowMs - unservedSinceMs;
    const names = [...new Set(unserved.map(({ label }) => label))].join(', ');
    if (waitedMs >= options.noteMs && !isNoted) {
      isNoted = true;
      options.onNote(`No worker takes calls of ${names}: ${describeOthers(workers, options)}.`);
    }
    if (waitedMs >= options.workersMs) options.onLost(`no worker took calls of ${names}`);
  };
}

function describeOthers(workers: readonly WorkerInfo[], { version, shown }: WatchOptions): string {
  const start = `start some with \`llmcheck worker --queue ${shown}\` in a checkout of the same state, with its keys set`;
  const versions = [...new Set(workers.map((worker) => worker.version))].filter((other) => other !== version);
  if (workers.length === 0) return `there is none; ${start}`;
  const are = `there ${workers.length === 1 ? 'is' : 'are'} ${formatCount(workers.length, 'worker')}`;
  return versions.length > 0
    ? `${are}, of llmcheck ${versions.join(', ')} while this is ${version}; ${start}`
    : `${are} of another checkout, or without a key for it; ${start}`;
}
