import type { Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { maxRetryAfterMs } from '../model/run/completion.ts';
import type { QueueUrl } from '../text/addresses/store-urls.ts';
import {
  connectRedis,
  disconnectRedis,
  openPresence,
  type Presence,
  prefix,
  type QueueModules,
  reconnectIfSilent,
} from './connect-redis.ts';
import {
  type AttemptAnswer,
  type AttemptTask,
  endedRun,
  type QueuedProvider,
  type RunInfo,
  readRunInfo,
  readTask,
  type WorkerInfo,
  writeMessage,
} from './messages.ts';

/** A provider that a worker calls. */
export interface ServedProvider extends QueuedProvider {
  /** Makes the attempt; never rejects but for a bug. */
  readonly attempt: (task: AttemptTask, signal: AbortSignal) => Promise<AttemptAnswer>;
}

/** The user's settings. */
export interface WorkerSettings {
  readonly address: QueueUrl;
  readonly toolVersion: string;
  readonly id: string;
  /** Calls in flight at most, of all providers. */
  readonly concurrency: number;
  /** A worker without a sign of life for so long counts as dead, and others make its calls. */
  readonly leaseMs: number;
}

export interface WorkerPorts {
  readonly log: (message: string) => void;
  /** A bug; the call in which it happened is errored. */
  readonly onBug: (bug: unknown) => void;
  /** Resolves once the worker is to end, which it may be before Redis has answered. */
  readonly stopped: Promise<unknown>;
}

export interface WorkerOptions extends WorkerSettings, WorkerPorts {
  readonly modules: QueueModules;
  readonly providers: readonly ServedProvider[];
  /** Why the calls of other providers are left to other workers, by the provider's id. */
  readonly unserved: ReadonlyMap<string, string>;
}

/** How often a call is retried that kills its worker. */
const maxStalls = 10;
/** A call is ended this share of the lease before its lock expires, because ending it takes time. */
const marginShare = 0.2;
/** Time for calls that were ended to go back to the queue. */
const giveBackMs = 5000;

type EndReason = 'lost' | 'drained' | 'over';

/** A job that this worker has taken. */
interface TakenCall {
  readonly runId: string;
  readonly controller: AbortController;
  /** The lock in Redis lasts at least until then. */
  lockedUntilMs: number;
  isBegun: boolean;
  /** Why it was ended: its lock is lost, the worker stops, or the run is over. */
  end?: EndReason;
}

/** Connects, or returns the reason why it can't. */
export async function openWorker(options: WorkerOptions): Promise<QueueWorker | string> {
  const client = await connectRedis(options.modules, options.address);
  if (typeof client === 'string') return client;
  const worker = new QueueWorker(client, options);
  await Promise.race([worker.begin(), options.stopped]);
  return worker;
}

export class QueueWorker {
  readonly #client: Redis;
  readonly #options: WorkerOptions;
  readonly #runs: Presence;
  readonly #workers: Presence;
  readonly #info: WorkerInfo;
  readonly #taken = new Map<string, TakenCall>();
  readonly #slots: Slots;
  readonly #seenRuns = new Set<string>();
  readonly #loggedRefusals = new Set<string>();
  #queues: readonly Worker[] = [];
  #timers: readonly NodeJS.Timeout[] = [];
  #answered = 0;
  #returned = 0;
  #isDraining = false;
  #isClosed = false;
  #isDisconnected = false;
  #isTicking = false;

  constructor(client: Redis, options: WorkerOptions) {
    const { toolVersion, concurrency, providers, address, log } = options;
    this.#client = client;
    this.#options = options;
    this.#runs = openPresence(client, 'runs');
    this.#workers = openPresence(client, 'workers');
    this.#info = { version: toolVersion, concurrency, queues: providers.map(({ queue }) => queue) };
    this.#slots = new Slots(concurrency);
    client.on('close', () => {
      if (this.#isClosed || this.#isDisconnected) return;
      this.#isDisconnected = true;
      log(`the connection to the queue ${address.shown} is lost: no further call starts until it is back`);
    });
    client.on('ready', () => {
      if (this.#isDisconnected) log(`the queue ${address.shown} is back`);
      this.#isDisconnected = false;
    });
  }

  get answered(): number {
    return this.#answered;
  }

  async begin(): Promise<void> {
    const { providers, leaseMs } = this.#options;
    this.#queues = providers.map((provider) => this.#openQueue(provider));
    this.#timers = [
      setInterval(() => void this.#tick(), Math.min(1000, leaseMs / 5)),
      // It uses this machine's clock: locks expire even while a connection hangs.
      setInterval(() => this.#endUnlocked(), leaseMs / 20),
    ];
    await this.#tick();
  }

  /**
   * Takes no more calls. Calls in flight have `drainMs` to end. Returns the number of aborted calls, which go back to
   * the queue.
   */
  async drain(drainMs: number): Promise<number> {
    this.#isDraining = true;
    this.#endCalls('drained', ({ isBegun }) => !isBegun);
    this.#slots.open();
    // Without a connection, BullMQ's own close never ends.
    const isLost = this.#client.status !== 'ready';
    const ended = Promise.allSettled(this.#queues.map((queue) => queue.close(isLost)));
    const drainTimer = setTimeout(() => this.#endCalls('drained', () => true), drainMs);
    // Without a connection no call can go back, but its lock expires.
    let lastTimer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      lastTimer = setTimeout(resolve, drainMs + giveBackMs);
    });
    const leave = (): Promise<void> => {
      // A tick after the removal would announce this worker again.
      this.#isClosed = true;
      return this.#workers.remove(this.#options.id);
    };
    await Promise.race([ended.then(leave), timeUp]);
    this.#isClosed = true;
    for (const timer of [drainTimer, lastTimer, ...this.#timers]) clearTimeout(timer);
    disconnectRedis(this.#client);
    return this.#returned;
  }

  #openQueue(provider: ServedProvider): Worker {
    const { modules, concurrency, leaseMs } = this.#options;
    const shared = { connection: this.#client, prefix, skipVersionCheck: true };
    const queue = new modules.bull.Queue(provider.queue, { ...shared, skipMetasUpdate: true });
    const process = async (job: Job<unknown>, token?: string): Promise<string | null> => {
      const answer = await this.#take(provider, job, token);
      if (answer !== null) await pauseIfRefused(queue, answer);
      return answer === null ? null : writeMessage(answer);
    };
    const worker = new modules.bull.Worker(provider.queue, process, {
      ...shared,
      concurrency,
      lockDuration: leaseMs,
      lockRenewTime: Math.min(2000, leaseMs / 4),
      stalledInterval: Math.max(500, Math.round(leaseMs / 3)),
      maxStalledCount: maxStalls,
      runRetryDelay: 500,
      drainDelay: 2,
    });
    worker.on('locksRenewed', ({ jobIds }) => {
      for (const id of jobIds) {
        const call = this.#taken.get(id);
        if (call !== undefined) call.lockedUntilMs = performance.now() + leaseMs;
      }
    });
    worker.on('lockRenewalFailed', (ids) => this.#endCalls('lost', (_call, id) => ids.includes(id)));
    worker.on('completed', (_job, result: unknown) => {
      if (result !== null) this.#answered += 1;
    });
    queue.on('error', (error) => this.#logRefusal(error));
    worker.on('error', (error) => this.#logRefusal(error));
    return worker;
  }

  /** Logs each refusal of Redis once. A lost connection has its own line, and a lost lock means that another worker has the job. */
  #logRefusal(error: Error): void {
    if (error.name !== 'ReplyError' || this.#loggedRefusals.has(error.message)) return;
    this.#loggedRefusals.add(error.message);
    this.#options.log(`the queue ${this.#options.address.shown} refuses: ${error.message}`);
  }

  /** The answer; null if no run waits for one. */
  async #take(provider: ServedProvider, job: Job<unknown>, token: string | undefined): Promise<AttemptAnswer | null> {
    const id = job.id ?? '';
    const read = readTask(job.data);
    if ('fault' in read) {
      this.#options.log(`job ${id} REFUSED: it is not a call of a run (${read.fault})`);
      return null;
    }
    const { runId } = read.task;
    const state = await this.#runs.read(runId);
    if (state === undefined || state === endedRun) return null;
    const lockedUntilMs = performance.now() + this.#options.leaseMs;
    const call: TakenCall = { runId, controller: new AbortController(), lockedUntilMs, isBegun: false };
    this.#taken.set(id, call);
    if (this.#isDraining) this.#endCalls('drained', (one) => one === call);
    await this.#slots.take();
    try {
      const answer = call.end === undefined ? await this.#make(provider, read.task, call) : undefined;
      if (answer !== undefined && (call.end === undefined || answer.outcome.status === 'completed')) return answer;
      if (call.end === 'over') return null;
      if (call.isBegun) this.#returned += 1;
      return await this.#giveBack(job, token);
    } finally {
      this.#taken.delete(id);
      this.#slots.release();
    }
  }

  async #make(provider: ServedProvider, task: AttemptTask, call: TakenCall): Promise<AttemptAnswer> {
    call.isBegun = true;
    try {
      return await provider.attempt(task, call.controller.signal);
    } catch (bug) {
      this.#options.onBug(bug);
      const message = `the worker failed, see its log: ${bug instanceof Error ? bug.message : String(bug)}`;
      const failure = { kind: 'network', message, retryable: false } as const;
      return { outcome: { status: 'failed', failure, attempts: 1 }, isTimeUp: false, elapsedMs: 0 };
    }
  }

  async #giveBack(job: Job<unknown>, token: string | undefined): Promise<never> {
    try {
      await job.moveToWait(token);
    } catch {
      // Another worker has the job already.
    }
    throw new this.#options.modules.bull.WaitingError();
  }

  #endCalls(reason: EndReason, isMeant: (call: TakenCall, id: string) => boolean): void {
    for (const [id, call] of this.#taken) {
      if (!isMeant(call, id)) continue;
      call.end ??= reason;
      call.controller.abort();
    }
  }

  #endUnlocked(): void {
    const latestMs = performance.now() + this.#options.leaseMs * marginShare;
    this.#endCalls('lost', ({ lockedUntilMs }) => lockedUntilMs < latestMs);
  }

  async #tick(): Promise<void> {
    if (this.#isTicking || this.#isClosed) return;
    this.#isTicking = true;
    try {
      await reconnectIfSilent(this.#client, this.#options.leaseMs / 2, () => this.#refresh());
    } catch (error) {
      // The next tick tries again after a connection error.
      if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error;
      this.#logRefusal(error);
    } finally {
      this.#isTicking = false;
    }
  }

  async #refresh(): Promise<void> {
    await this.#workers.write(this.#options.id, JSON.stringify(this.#info), this.#options.leaseMs);
    const runs = await this.#runs.list();
    for (const [runId, text] of runs) {
      const run = readRunInfo(text);
      if (run !== undefined && !this.#isDraining) this.#logRun(runId, run);
    }
    this.#endCalls('over', ({ runId }) => runs.get(runId) === endedRun);
  }

  #logRun(runId: string, { version, providers }: RunInfo): void {
    const { log, toolVersion, unserved } = this.#options;
    const known = [runId, version, ...providers.map(({ queue }) => queue)].join(' ');
    if (this.#seenRuns.has(known)) return;
    this.#seenRuns.add(known);
    const own = providers.filter(({ queue }) => this.#info.queues.includes(queue));
    const others = providers.filter(({ queue }) => !this.#info.queues.includes(queue));
    if (own.length > 0) {
      log(`run ${runId}: takes calls of ${[...new Set(own.map(({ label }) => label))].join(', ')}`);
    }
    if (others.length > 0 && version !== toolVersion) {
      log(`run ${runId} REFUSED: it was planned by llmcheck ${version}, this worker is llmcheck ${toolVersion}`);
      return;
    }
    for (const { label } of others) {
      const why = unserved.get(label) ?? 'this checkout configures it differently or not at all, or its files differ';
      log(`run ${runId}: calls of ${label} REFUSED: ${why}`);
    }
  }
}

/** A rate limit that a server names to one run applies to all runs. */
async function pauseIfRefused(queue: Queue, { outcome }: AttemptAnswer): Promise<void> {
  if (outcome.status !== 'failed' || outcome.failure.kind !== 'rateLimit') return;
  const { retryAfterMs = 0 } = outcome.failure;
  if (retryAfterMs > 0) await queue.rateLimit(Math.ceil(Math.min(retryAfterMs, maxRetryAfterMs)));
}

/** Bounds the calls of all providers together: BullMQ counts each queue by itself. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }

  /** Lets every waiting call go on. */
  open(): void {
    this.#free = Infinity;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
