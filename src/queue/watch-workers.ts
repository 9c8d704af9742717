import type { QueuedProvider } from '../model/queue.ts';
import { readWorkerCard, type WorkerCard } from './messages.ts';

export interface WatchOptions {
  readonly version: string;
  /** The queue's address as it may be shown. */
  readonly shown: string;
  readonly onNote: (message: string) => void;
  readonly onLost: (message: string) => void;
  /** Then the run says that no worker takes its calls. */
  readonly tellMs: number;
  /** Then the run stops. */
  readonly workersMs: number;
}

/**
 * Tells a run of its workers: how many there are, and which providers no worker serves. `cards` are what workers tell of
 * themselves, `waiting` the queues in which calls wait for an answer.
 */
export type TellOfWorkers = (
  cards: Iterable<string>,
  providers: readonly QueuedProvider[],
  waiting: ReadonlySet<string>,
) => void;

export function watchWorkers(options: WatchOptions): TellOfWorkers {
  let told = '';
  let unservedSinceMs: number | undefined;
  let isTold = false;
  return (texts, providers, waiting) => {
    const cards = [...texts].flatMap((text) => readWorkerCard(text) ?? []);
    const own = cards.filter(({ queues }) => providers.some(({ queue }) => queues.includes(queue)));
    const calls = own.reduce((sum, { concurrency }) => sum + concurrency, 0);
    const text = own.length === 0 ? '' : `${count(own.length, 'worker')}, ${count(calls, 'call')} at once.`;
    if (text !== '' && text !== told) options.onNote(text);
    told = text;
    const unserved = providers.filter(
      ({ queue }) => waiting.has(queue) && !cards.some(({ queues }) => queues.includes(queue)),
    );
    if (unserved.length === 0) {
      unservedSinceMs = undefined;
      isTold = false;
      return;
    }
    unservedSinceMs ??= performance.now();
    const waitedMs = performance.now() - unservedSinceMs;
    const names = [...new Set(unserved.map(({ label }) => label))].join(', ');
    if (waitedMs >= options.tellMs && !isTold) {
      isTold = true;
      options.onNote(`No worker takes calls of ${names}: ${describeOthers(cards, options)}.`);
    }
    if (waitedMs >= options.workersMs) options.onLost(`no worker took calls of ${names}`);
  };
}

function describeOthers(cards: readonly WorkerCard[], { version, shown }: WatchOptions): string {
  const start = `start some with \`llmcheck worker --queue ${shown}\` in a checkout of the same state, with its keys set`;
  const versions = [...new Set(cards.map((card) => card.version))].filter((other) => other !== version);
  if (cards.length === 0) return `there is none; ${start}`;
  const are = `there ${cards.length === 1 ? 'is' : 'are'} ${count(cards.length, 'worker')}`;
  return versions.length > 0
    ? `${are}, of llmcheck ${versions.join(', ')} while this is ${version}; ${start}`
    : `${are} of another checkout, or without a key for it; ${start}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
