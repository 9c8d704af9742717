import type { Redis } from 'ioredis';
import type { QueueUrl } from '../text/addresses/store-urls.ts';
import { onAbort } from '../text/deadline.ts';
import { CallQueue } from './call-queue.ts';
import { connectRedis, disconnectRedis, openPresence, type QueueModules, reconnectIfSilent } from './connect-redis.ts';
import {
  type AttemptAnswer,
  type AttemptTask,
  endedRun,
  type QueuedProvider,
  type QueueLimits,
  type RunInfo,
  writeMessage,
} from './messages.ts';
import { type NoteWorkers, watchWorkers } from './watch-workers.ts';

export interface LimitedProvider extends QueuedProvider {
  readonly limits: QueueLimits;
}

export interface DispatcherOptions {
  readonly modules: QueueModules;
  readonly address: QueueUrl;
  readonly version: string;
  readonly onNote: (message: string) => void;
  /** The queue or every worker was away for longer than a run waits. */
  readonly onLost: (message: string) => void;
  readonly waits?: Partial<typeof defaultWaits>;
}

const defaultWaits = {
  /** How long a run waits for Redis before it stops. A stopped run loses nothing. */
  redisMs: 120_000,
  /** How long a run waits for workers before it stops. */
  workersMs: 600_000,
  /** How long calls wait before the run notes that it has no workers. */
  noteMs: 5000,
  overdueMs: 2500,
  lostMs: 2500,
  /** Between two heartbeats. */
  beatMs: 2000,
};

/** A run without a heartbeat for so long counts as dead, and its waiting calls are not made. */
const runTtlMs = 15_000;
/** How long workers can see that a run is over. */
const endedMs = 3_600_000;
const silenceMs = 10_000;
const closeTimeoutMs = 3000;

/** Connects, or returns the reason why it can't. */
export async function openDispatcher(options: DispatcherOptions): Promise<Dispatcher | string> {
  const client = await connectRedis(options.modules, options.address);
  return typeof client === 'string' ? client : new Dispatcher(client, options);
}

/** Sends the attempts of a run to workers and collects their answers. */
class Dispatcher {
  readonly #client: Redis;
  readonly #options: DispatcherOptions;
  readonly #waits: typeof defaultWaits;
  readonly #noteWorkers: NoteWorkers;
  readonly #queues = new Map<string, CallQueue>();
  /** Steps that run in the background. */
  readonly #steps = new Set<Promise<void>>();
  readonly #notedRefusals = new Set<string>();
  #runId = '';
  #providers: readonly LimitedProvider[] = [];
  #startedMs = 0;
  #isClosed = false;
  #isHeartbeatRunning = false;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #lossTimer: NodeJS.Timeout | undefined;

  constructor(client: Redis, options: DispatcherOptions) {
    this.#client = client;
    this.#options = options;
    this.#waits = { ...defaultWaits, ...options.waits };
    this.#noteWorkers = watchWorkers({ ...options, ...this.#waits, shown: options.address.shown });
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
    // A run must be able to stop even if Redis disconnects now.
    await Promise.race([stopped, this.#ignoreConnectionErrors(() => this.#start())]);
    if (!this.#isClosed) this.#heartbeatTimer = setInterval(() => void this.#heartbeatOnce(), this.#waits.beatMs);
  }

  /** `call` names the attempt within its run, so that a resumed run finds the answer of the same attempt. */
  send(queue: string, call: string, task: Omit<AttemptTask, 'runId'>, signal: AbortSignal): Promise<AttemptAnswer> {
    const text = writeMessage({ runId: this.#runId, ...task });
    return this.#queueOf(queue).send(`${this.#runId}_${call}`, text, signal);
  }

  /** Removes an answer that is recorded. */
  forget(queue: string, call: string): void {
    if (!this.#isClosed) this.#queueOf(queue).forget(`${this.#runId}_${call}`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#heartbeatTimer);
    clearTimeout(this.#lossTimer);
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    const isConnected = this.#client.status === 'ready';
    // The keys of this run expire if there is no connection.
    if (isConnected) await Promise.race([this.#ignoreConnectionErrors(() => this.#announceEnd()), timeUp]);
    const closing = Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    disconnectRedis(this.#client);
    // Closing a lost connection would never end.
    if (isConnected) await Promise.race([closing, timeUp]);
    clearTimeout(timer);
  }

  #noteLoss(): void {
    if (this.#isClosed || this.#lossTimer !== undefined) return;
    const { onNote, onLost, address } = this.#options;
    const { redisMs } = this.#waits;
    onNote(
      `The connection to the queue ${address.shown} is lost; the run waits up to ${redisMs / 60_000} min for it. Calls in flight go on.`,
    );
    this.#lossTimer = setTimeout(() => onLost(`the queue ${address.shown} did not come back`), redisMs);
  }

  #noteReturn(): void {
    if (this.#lossTimer === undefined) return;
    clearTimeout(this.#lossTimer);
    this.#lossTimer = undefined;
    this.#options.onNote(`The queue ${this.#options.address.shown} is back.`);
    // It may have lost its data.
    this.#runInBackground(() => this.#announce());
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
      runInBackground: (step) => this.#runInBackground(step),
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
    for (const { queue, limits } of this.#providers) await this.#queueOf(queue).setLimits(limits);
    await this.#heartbeat();
  }

  async #heartbeatOnce(): Promise<void> {
    if (this.#isHeartbeatRunning) return;
    this.#isHeartbeatRunning = true;
    await reconnectIfSilent(this.#client, silenceMs, () => this.#ignoreConnectionErrors(() => this.#heartbeat()));
    this.#isHeartbeatRunning = false;
  }

  async #heartbeat(): Promise<void> {
    const providers = this.#providers.map(({ queue, label }) => ({ queue, label }));
    const info: RunInfo = { version: this.#options.version, providers };
    await openPresence(this.#client, 'runs').write(this.#runId, JSON.stringify(info), runTtlMs);
    const workers = await openPresence(this.#client, 'workers').list();
    const waiting = [...this.#queues].filter(([, { hasCalls }]) => hasCalls).map(([name]) => name);
    this.#noteWorkers(workers.values(), providers, new Set(waiting), performance.now());
    for (const queue of this.#queues.values()) await queue.lookUpOverdue();
  }

  async #announceEnd(): Promise<void> {
    await Promise.all(this.#steps);
    if (this.#runId !== '') await openPresence(this.#client, 'runs').write(this.#runId, endedRun, endedMs);
    for (const queue of this.#queues.values()) await queue.trim();
  }

  #runInBackground(step: () => Promise<unknown>): void {
    const running = this.#ignoreConnectionErrors(step).finally(() => this.#steps.delete(running));
    this.#steps.add(running);
  }

  /** Ignores errors of the connection: the next heartbeat repeats the step. */
  async #ignoreConnectionErrors(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      // A lost connection has its own note. Other refusals, such as of a full server, are noted once.
      if (this.#isClosed || !(error instanceof Error) || error.name !== 'ReplyError') return;
      if (this.#notedRefusals.has(error.message)) return;
      this.#notedRefusals.add(error.message);
      this.#options.onNote(`The queue ${this.#options.address.shown} refuses: ${error.message}`);
    }
  }
}
