import type { Redis } from 'ioredis';
import type { AttemptAnswer, AttemptTask, QueuedProvider, QueueLimits } from '../model/queue.ts';
import { onAbort } from '../text/on-abort.ts';
import type { QueueUrl } from '../text/store-urls.ts';
import { CallQueue } from './call-queue.ts';
import { connectRedis, openPresence, type QueueModules, watchSilence } from './connect-redis.ts';
import { endedRun, type RunCard, writeMessage } from './messages.ts';
import { watchWorkers } from './watch-workers.ts';

export interface LimitedProvider extends QueuedProvider {
  readonly limits: QueueLimits;
}

export interface DispatcherOptions {
  readonly modules: QueueModules;
  readonly address: QueueUrl;
  readonly version: string;
  readonly onNote: (message: string) => void;
  /** The queue, or every worker, was gone for longer than a run waits. */
  readonly onLost: (message: string) => void;
  readonly waits?: Partial<typeof defaultWaits>;
}

const defaultWaits = {
  /** Until a run without Redis stops; nothing is lost by that. */
  redisMs: 120_000,
  /** Until a run without workers stops. */
  workersMs: 600_000,
  /** Until it says that it has none. */
  tellMs: 5000,
  overdueMs: 2500,
  lostMs: 2500,
  /** Between two signs of life. */
  beatMs: 2000,
};

/** A run that was not heard of for so long counts as dead: its waiting calls are not made. */
const runTtlMs = 15_000;
/** For workers that still make calls of a run that is over. */
const endedMs = 3_600_000;
const silenceMs = 10_000;
const closeTimeoutMs = 3000;

/** Connects; gives the reason where that can't be done. */
export async function openDispatcher(options: DispatcherOptions): Promise<Dispatcher | string> {
  const client = await connectRedis(options.modules, options.address);
  return typeof client === 'string' ? client : new Dispatcher(client, options);
}

/** Sends the attempts of a run to workers and collects what came of them. */
export class Dispatcher {
  readonly #client: Redis;
  readonly #options: DispatcherOptions;
  readonly #waits: typeof defaultWaits;
  readonly #tellOfWorkers: ReturnType<typeof watchWorkers>;
  readonly #queues = new Map<string, CallQueue>();
  /** Steps that nobody waits for. */
  readonly #steps = new Set<Promise<void>>();
  readonly #told = new Set<string>();
  #runId = '';
  #providers: readonly LimitedProvider[] = [];
  #startedMs = 0;
  #isClosed = false;
  #isBeating = false;
  #beatTimer: NodeJS.Timeout | undefined;
  #goneTimer: NodeJS.Timeout | undefined;

  constructor(client: Redis, options: DispatcherOptions) {
    this.#client = client;
    this.#options = options;
    this.#waits = { ...defaultWaits, ...options.waits };
    this.#tellOfWorkers = watchWorkers({ ...options, ...this.#waits, shown: options.address.shown });
    client.on('close', () => this.#noteLoss());
    client.on('ready', () => this.#noteReturn());
  }

  /** Announces the run and its limits; before the first call. */
  async begin(runId: string, providers: readonly LimitedProvider[], signal: AbortSignal): Promise<void> {
    this.#runId = runId;
    this.#providers = providers;
    const stopped = new Promise<void>((resolve) => {
      onAbort(signal, resolve);
      if (signal.aborted) resolve();
    });
    // A Redis that goes away now must not keep the run from stopping.
    await Promise.race([stopped, this.#quietly(() => this.#start())]);
    if (!this.#isClosed) this.#beatTimer = setInterval(() => void this.#beatOnce(), this.#waits.beatMs);
  }

  /** `call` names the attempt among those of its run: what an earlier part of the run was answered is not asked again. */
  send(queue: string, call: string, task: Omit<AttemptTask, 'runId'>, signal: AbortSignal): Promise<AttemptAnswer> {
    const text = writeMessage({ runId: this.#runId, ...task });
    return this.#queueOf(queue).ask(`${this.#runId}_${call}`, text, signal);
  }

  /** The answer is recorded, and need not be kept any longer. */
  forget(queue: string, call: string): void {
    if (!this.#isClosed) this.#queueOf(queue).forget(`${this.#runId}_${call}`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#beatTimer);
    clearTimeout(this.#goneTimer);
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    const isConnected = this.#client.status === 'ready';
    // Where Redis is gone, what is left in it expires.
    if (isConnected) await Promise.race([this.#quietly(() => this.#leave()), timeUp]);
    const closing = Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#client.disconnect();
    // A connection that is lost already has no end to wait for.
    if (isConnected) await Promise.race([closing, timeUp]);
    clearTimeout(timer);
  }

  #noteLoss(): void {
    if (this.#isClosed || this.#goneTimer !== undefined) return;
    const { onNote, onLost, address } = this.#options;
    const { redisMs } = this.#waits;
    onNote(
      `The queue ${address.shown} is gone; the run waits for it, up to ${redisMs / 60_000} min. Calls in flight go on.`,
    );
    this.#goneTimer = setTimeout(() => onLost(`the queue ${address.shown} did not come back`), redisMs);
  }

  #noteReturn(): void {
    if (this.#goneTimer === undefined) return;
    clearTimeout(this.#goneTimer);
    this.#goneTimer = undefined;
    this.#options.onNote(`The queue ${this.#options.address.shown} is back.`);
    // It may have lost what it had.
    this.#attempt(() => this.#announce());
  }

  #queueOf(name: string): CallQueue {
    const open = this.#queues.get(name);
    if (open !== undefined) return open;
    const queue = new CallQueue({
      ...this.#waits,
      modules: this.#options.modules,
      client: this.#client,
      name,
      startedMs: this.#startedMs,
      attempt: (step) => this.#attempt(step),
    });
    this.#queues.set(name, queue);
    return queue;
  }

  async #start(): Promise<void> {
    const [seconds, microseconds] = await this.#client.time();
    this.#startedMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    await this.#announce();
  }

  async #announce(): Promise<void> {
    for (const { queue, limits } of this.#providers) await this.#queueOf(queue).hold(limits);
    await this.#beat();
  }

  async #beatOnce(): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    await watchSilence(this.#client, silenceMs, () => this.#quietly(() => this.#beat()));
    this.#isBeating = false;
  }

  async #beat(): Promise<void> {
    const providers = this.#providers.map(({ queue, label }) => ({ queue, label }));
    const card: RunCard = { version: this.#options.version, providers };
    await openPresence(this.#client, 'runs').write(this.#runId, JSON.stringify(card), runTtlMs);
    const workers = await openPresence(this.#client, 'workers').list();
    const awaited = [...this.#queues].filter(([, { isAwaited }]) => isAwaited).map(([name]) => name);
    this.#tellOfWorkers(workers.values(), providers, new Set(awaited));
    for (const queue of this.#queues.values()) await queue.lookUpOverdue();
  }

  async #leave(): Promise<void> {
    await Promise.all(this.#steps);
    if (this.#runId !== '') await openPresence(this.#client, 'runs').write(this.#runId, endedRun, endedMs);
    for (const queue of this.#queues.values()) await queue.trim();
  }

  #attempt(step: () => Promise<unknown>): void {
    const running = this.#quietly(step).finally(() => this.#steps.delete(running));
    this.#steps.add(running);
  }

  /** What the connection could not do is done again with the next beat. */
  async #quietly(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      // That there is no connection was told already; a full server, say, was not.
      if (this.#isClosed || !(error instanceof Error) || error.name !== 'ReplyError') return;
      if (this.#told.has(error.message)) return;
      this.#told.add(error.message);
      this.#options.onNote(`The queue ${this.#options.address.shown} refuses: ${error.message}`);
    }
  }
}
