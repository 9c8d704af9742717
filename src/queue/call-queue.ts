import type { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import type { ProviderFailure } from '../model/completion.ts';
import type { AttemptAnswer, QueueLimits } from '../model/queue.ts';
import { onAbort } from '../text/on-abort.ts';
import { prefix, type QueueModules } from './connect-redis.ts';
import { readAnswer } from './messages.ts';

export interface CallQueueOptions {
  readonly modules: QueueModules;
  readonly client: Redis;
  readonly name: string;
  /** By Redis' clock: events from then on are heard. */
  readonly startedMs: number;
  /** Until it is looked up what became of a call. */
  readonly overdueMs: number;
  /** Until a call that Redis has lost is sent again: its worker needs that time to notice the loss and to end it. */
  readonly lostMs: number;
  /** Runs a step that nobody waits for. */
  readonly attempt: (step: () => Promise<unknown>) => void;
}

interface SentCall {
  readonly text: string;
  readonly sentMs: number;
  readonly resolve: (answer: AttemptAnswer) => void;
  lostSinceMs?: number;
}

/** What a dead run was answered is kept for its resumption, for a day. */
const kept = { age: 24 * 3600 };
/** In place of no limit: BullMQ heeds `queue.rateLimit` only where there is one. */
const unlimited = 1_000_000_000;
/** Events hold answers, too. Those that are lost are looked up. */
const streams = { events: { maxLen: 1000 } };

/** The calls of one provider, as jobs: a job's id names the call, so that adding it again does nothing. */
export class CallQueue {
  readonly #options: CallQueueOptions;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  /** Those that wait for an answer, by the ids of their jobs. */
  readonly #calls = new Map<string, SentCall>();

  constructor(options: CallQueueOptions) {
    const { modules, client, name, startedMs, attempt } = options;
    const shared = { connection: client, prefix, skipVersionCheck: true };
    this.#options = options;
    this.#queue = new modules.bull.Queue(name, { ...shared, streams });
    this.#events = new modules.bull.QueueEvents(name, { ...shared, lastEventId: `${startedMs}-0` });
    // Lost connections are noticed by `client`.
    this.#queue.on('error', () => undefined);
    this.#events.on('error', () => undefined);
    this.#events.on('completed', ({ jobId, returnvalue }) => this.#deliver(jobId, returnvalue));
    this.#events.on('failed', ({ jobId, failedReason }) => this.#fail(jobId, failedReason));
    // An earlier part of the run sent it.
    this.#events.on('duplicated', ({ jobId }) => attempt(() => this.#lookUp(jobId, true)));
  }

  get isAwaited(): boolean {
    return this.#calls.size > 0;
  }

  async hold({ concurrency, rpm }: QueueLimits): Promise<void> {
    const { max, duration } = rateOf(rpm);
    await this.#queue.setGlobalConcurrency(concurrency ?? unlimited);
    await this.#queue.setGlobalRateLimit(max, duration);
  }

  ask(id: string, text: string, signal: AbortSignal): Promise<AttemptAnswer> {
    return new Promise((resolve) => {
      const stopListening = onAbort(signal, () => {
        this.#settle(id, failed({ kind: 'aborted', message: 'the run was stopped' }, 0));
      });
      const finish = (answer: AttemptAnswer): void => {
        stopListening();
        resolve(answer);
      };
      this.#calls.set(id, { text, sentMs: performance.now(), resolve: finish });
      this.#options.attempt(() => this.#add(id, text));
    });
  }

  /** The answer need not be kept any longer. */
  forget(id: string): void {
    this.#options.attempt(() => this.#queue.remove(id));
  }

  /** Finds answers whose events were missed, and sends again what was lost. */
  async lookUpOverdue(): Promise<void> {
    const latestMs = performance.now() - this.#options.overdueMs;
    const overdue = [...this.#calls].filter(([, { sentMs }]) => sentMs <= latestMs);
    await Promise.all(overdue.map(([id]) => this.#lookUp(id, false)));
  }

  /** Events of calls that nobody waits for hold their answers. */
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

  /** A failure of an earlier part of the run is no answer: the call is made again. */
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

  /** A worker that had not heard of the run returns null: the call is lost. */
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
    // A failure is of no use to a run that is resumed.
    if (answer.outcome.status === 'failed') this.forget(id);
  }
}

/** In small windows, so that no minute holds more, wherever it begins: 61 windows of a second reach into one. */
export function rateOf(rpm: number | undefined): { readonly max: number; readonly duration: number } {
  if (rpm === undefined) return { max: unlimited, duration: 1000 };
  return rpm > 1200 ? { max: Math.floor(rpm / 61), duration: 1000 } : { max: 1, duration: Math.ceil(60_000 / rpm) };
}

function failed(failure: ProviderFailure, attempts = 1): AttemptAnswer {
  return { outcome: { status: 'failed', failure, attempts }, isTimeUp: false, elapsedMs: 0 };
}
