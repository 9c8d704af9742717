import type { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import type { ProviderFailure } from '../model/run/completion.ts';
import { onAbort } from '../text/deadline.ts';
import { prefix, type QueueModules } from './connect-redis.ts';
import { type AttemptAnswer, type QueueLimits, readAnswer } from './messages.ts';

export interface CallQueueOptions {
  readonly modules: QueueModules;
  readonly client: Redis;
  readonly name: string;
  /** The time on the clock of Redis from which events are read. */
  readonly startedMs: number;
  /** How long a call may take before its job is looked up. */
  readonly overdueMs: number;
  /** How long a call that Redis lost waits before it is sent again: its worker must first notice and end it. */
  readonly lostMs: number;
  /** Runs a step in the background. */
  readonly runInBackground: (step: () => Promise<unknown>) => void;
}

interface SentCall {
  readonly text: string;
  readonly sentMs: number;
  readonly resolve: (answer: AttemptAnswer) => void;
  lostSinceMs?: number;
}

/** Answers of a killed run are kept for a day, for when it is resumed. */
const kept = { age: 24 * 3600 };
/** BullMQ obeys `queue.rateLimit` only if a limit is set, so this value means no limit. */
const unlimited = 1_000_000_000;
/** Events hold answers, so few are kept. Calls whose event is lost are looked up. */
const streams = { events: { maxLen: 1000 } };
/** How long one request for events waits, in milliseconds: a run whose Redis is gone ends after it. */
const blockingTimeout = 2000;

/** The calls of one provider, as jobs: a job's id names the call, so that adding it again does nothing. */
export class CallQueue {
  readonly #options: CallQueueOptions;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  /** Calls that wait for an answer, by job id. */
  readonly #calls = new Map<string, SentCall>();

  constructor(options: CallQueueOptions) {
    const { modules, client, name, startedMs, runInBackground } = options;
    const shared = { connection: client, prefix, skipVersionCheck: true };
    this.#options = options;
    this.#queue = new modules.bull.Queue(name, { ...shared, streams });
    this.#events = new modules.bull.QueueEvents(name, { ...shared, lastEventId: `${startedMs}-0`, blockingTimeout });
    // The owner of `client` handles lost connections.
    this.#queue.on('error', () => undefined);
    this.#events.on('error', () => undefined);
    this.#events.on('completed', ({ jobId, returnvalue }) => this.#deliver(jobId, returnvalue));
    this.#events.on('failed', ({ jobId, failedReason }) => this.#fail(jobId, failedReason));
    // The run sent this call before it was resumed.
    this.#events.on('duplicated', ({ jobId }) => runInBackground(() => this.#lookUp(jobId, true)));
  }

  get hasCalls(): boolean {
    return this.#calls.size > 0;
  }

  async setLimits({ concurrency, rpm }: QueueLimits): Promise<void> {
    const { max, duration } = rateOf(rpm);
    await this.#queue.setGlobalConcurrency(concurrency ?? unlimited);
    await this.#queue.setGlobalRateLimit(max, duration);
  }

  send(id: string, text: string, signal: AbortSignal): Promise<AttemptAnswer> {
    return new Promise((resolve) => {
      const stopListening = onAbort(signal, () => {
        this.#settle(id, failed({ kind: 'aborted', message: 'the run was stopped' }, 0));
      });
      const finish = (answer: AttemptAnswer): void => {
        stopListening();
        resolve(answer);
      };
      this.#calls.set(id, { text, sentMs: performance.now(), resolve: finish });
      this.#options.runInBackground(() => this.#add(id, text));
    });
  }

  /** Removes an answer that is no longer needed. */
  forget(id: string): void {
    this.#options.runInBackground(() => this.#queue.remove(id));
  }

  /** Finds answers whose events were missed, and sends lost calls again. */
  async lookUpOverdue(): Promise<void> {
    const latestMs = performance.now() - this.#options.overdueMs;
    const overdue = [...this.#calls].filter(([, { sentMs }]) => sentMs <= latestMs);
    await Promise.all(overdue.map(([id]) => this.#lookUp(id, false)));
  }

  /** Removes the events, which hold answers, once no call is left. */
  async trim(): Promise<void> {
    const jobs = await this.#queue.getJobCountByTypes('waiting', 'active', 'completed', 'failed');
    if (jobs === 0) await this.#queue.trimEvents(0);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#queue.close(), this.#events.close()]);
  }

  async #add(id: string, text: string): Promise<void> {
    await this.#queue.add('attempt', text, { jobId: id, removeOnComplete: kept, removeOnFail: kept });
  }

  /**
   * Reads from its job how far a call is, and delivers the answer if there is one. `isEarlier`: the job was sent before
   * the run was resumed. If it failed then, the call is sent again.
   */
  async #lookUp(id: string, isEarlier: boolean): Promise<void> {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const job = await this.#queue.getJob(id);
    const isFinished = job?.finishedOn !== undefined;
    const returned: unknown = job?.returnvalue;
    if (isFinished && isEarlier && readAnswer(returned)?.outcome.status !== 'completed') await this.#addAgain(id, call);
    else if (isFinished && job.failedReason) this.#fail(id, job.failedReason);
    else if (job === undefined || (isFinished && returned === null)) await this.#addLost(id, call);
    else if (isFinished) this.#deliver(id, returned);
  }

  async #addLost(id: string, call: SentCall): Promise<void> {
    call.lostSinceMs ??= performance.now();
    if (performance.now() - call.lostSinceMs < this.#options.lostMs) return;
    delete call.lostSinceMs;
    await this.#addAgain(id, call);
  }

  async #addAgain(id: string, { text }: SentCall): Promise<void> {
    await this.#queue.remove(id);
    if (this.#calls.has(id)) await this.#add(id, text);
  }

  /** A worker that does not know the run returns null: the call is lost. */
  #deliver(id: string, returned: unknown): void {
    if (returned === null) return;
    const message = 'the answer in the queue is not one that a worker writes';
    this.#settle(id, readAnswer(returned) ?? failed({ kind: 'malformed', message, retryable: false }));
  }

  #fail(id: string, reason: string): void {
    const message = `no worker could make the call: ${reason}`;
    this.#settle(id, failed({ kind: 'network', message, retryable: false }));
  }

  #settle(id: string, answer: AttemptAnswer): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    call.resolve(answer);
    // A resumed run makes failed calls again.
    if (answer.outcome.status === 'failed') this.forget(id);
  }
}

/** A limit a minute in small windows: 61 windows of a second touch any minute, so none of them exceeds the limit. */
export function rateOf(rpm: number | undefined): { readonly max: number; readonly duration: number } {
  if (rpm === undefined) return { max: unlimited, duration: 1000 };
  return rpm > 1200 ? { max: Math.floor(rpm / 61), duration: 1000 } : { max: 1, duration: Math.ceil(60_000 / rpm) };
}

function failed(failure: ProviderFailure, attempts = 1): AttemptAnswer {
  return { outcome: { status: 'failed', failure, attempts }, isTimeUp: false, elapsedMs: 0 };
}
