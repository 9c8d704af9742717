import type { QueuedProvider } from '../model/queue.ts';
import type { Patience } from './patience.ts';
import { readCard, type WorkerCard } from './read-task.ts';

/** Tells a run of its workers: how many there are, and where nobody takes its calls. */
export interface WorkerWatch {
  /** `cards` are what workers tell of themselves, `waiting` the stamps of providers whose calls wait for an answer. */
  tell(cards: readonly string[], providers: readonly QueuedProvider[], waiting: ReadonlySet<string>): void;
}

export interface WatchOptions {
  readonly version: string;
  /** The queue's address as it may be shown. */
  readonly shown: string;
  readonly nowMs: () => number;
  readonly onNote: (message: string) => void;
  readonly onLost: (message: string) => void;
  readonly patience: Pick<Patience, 'tellMs' | 'workersMs'>;
}

export function watchWorkers(options: WatchOptions): WorkerWatch {
  const { patience, nowMs } = options;
  let known = '';
  /** When a call began to wait for a provider that no worker takes. */
  let lonelySinceMs: number | undefined;
  let isTold = false;

  function countWorkers(cards: readonly WorkerCard[], providers: readonly QueuedProvider[]): void {
    const own = cards.filter(({ stamps }) => providers.some(({ stamp }) => stamps.includes(stamp)));
    const calls = own.reduce((sum, { concurrency }) => sum + concurrency, 0);
    const text = own.length === 0 ? '' : `${count(own.length, 'worker')}, ${count(calls, 'call')} at once.`;
    if (text !== '' && text !== known) options.onNote(text);
    known = text;
  }

  return {
    tell(texts, providers, waiting) {
      const cards = texts.flatMap((text) => readCard(text) ?? []);
      countWorkers(cards, providers);
      const lonely = providers.filter(
        ({ stamp }) => waiting.has(stamp) && !cards.some(({ stamps }) => stamps.includes(stamp)),
      );
      if (lonely.length === 0) {
        lonelySinceMs = undefined;
        isTold = false;
        return;
      }
      lonelySinceMs ??= nowMs();
      const waitedMs = nowMs() - lonelySinceMs;
      const names = [...new Set(lonely.map(({ label }) => label))].join(', ');
      if (waitedMs >= patience.tellMs && !isTold) {
        isTold = true;
        options.onNote(`No worker takes calls of ${names}: ${describeOthers(cards, options)}.`);
      }
      if (waitedMs >= patience.workersMs) options.onLost(`no worker took calls of ${names}`);
    },
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
