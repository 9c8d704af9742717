import type { Job, Queue, Worker } from 'bullmq';
import type { QueueUrl } from '../lib/queue-url.ts';
import type { AttemptAnswer, AttemptTask, QueuedProvider } from '../model/queue.ts';
import { connectRedis, openPresence, prefix, type QueueModules, watchSilence } from './connect-redis.ts';
import { endedRun, type RunCard, readRunCard, readTask, type WorkerCard, writeMessage } from './messages.ts';

/** A provider that a worker makes calls of. */
export interface ServedProvider extends QueuedProvider {
  /** Makes the attempt; never rejects but for a bug. */
  readonly attempt: (task: AttemptTask, signal: AbortSignal) => Promise<AttemptAnswer>;
}

/** What the user decides. */
export interface WorkerSettings {
  readonly address: QueueUrl;
  readonly toolVersion: string;
  readonly id: string;
  /** Calls in flight at most, of all providers. */
  readonly concurrency: number;
  /** A worker that was not heard of for so long is dead: others make its calls. */
  readonly leaseMs: number;
}

export interface WorkerPorts {
  readonly log: (message: string) => void;
  /** Something that nobody expected; the call it happened in is errored. */
  readonly onBug: (bug: unknown) => void;
}

export interface WorkerOptions extends WorkerSettings, WorkerPorts {
  readonly modules: QueueModules;
  readonly providers: readonly ServedProvider[];
  /** Why the calls of other providers are left to other workers, by the provider's id. */
  readonly unserved: ReadonlyMap<string, string>;
}

export interface QueueWorker {
  /** Takes no more; calls in flight may end until `drainMs`, the others go back to the queue. Gives the number of calls that were ended for that. */
  drain(drainMs: number): Promise<number>;
  readonly answered: number;
}

/** A call that kills its worker is tried so often. */
const maxDeaths = 10;
/** A call ends so long before its lock does, as a share of the lease: to end it takes time, too. */
const marginShare = 0.2;
const longestPauseMs = 60_000;
/** For calls that were ended to be given back. */
const lastWordMs = 5000;

/** A job that this worker has taken. */
interface TakenCall {
  readonly runId: string;
  /** Its reason says why the call has to end: its lock is lost, the worker stops, or the run is over. */
  readonly controller: AbortController;
  /** The lock in Redis lasts at least until then. */
  lockedUntilMs: number;
  isBegun: boolean;
}

type EndReason = 'lost' | 'drained' | 'over';

/** Connects; gives the reason where that can't be done. */
export async function openWorker(options: WorkerOptions): Promise<QueueWorker | string> {
  const { modules, address, concurrency, leaseMs, log, toolVersion } = options;
  const { shown } = address;
  const connected = await connectRedis(modules, address);
  if (typeof connected === 'string') return connected;
  const client = connected;
  const runs = openPresence(client, 'runs');
  const workers = openPresence(client, 'workers');
  const card: WorkerCard = {
    version: toolVersion,
    concurrency,
    queues: options.providers.map(({ queue }) => queue),
  };
  const taken = new Map<string, TakenCall>();
  const slots = createSlots(concurrency);
  const seenRuns = new Set<string>();
  const told = new Set<string>();
  let answered = 0;
  let returned = 0;
  let isDraining = false;
  let isClosed = false;
  let isGone = false;
  let isTicking = false;

  client.on('close', () => {
    if (isClosed || isGone) return;
    isGone = true;
    log(`the queue ${shown} is gone: no further call is begun until it is back`);
  });
  client.on('ready', () => {
    if (isGone) log(`the queue ${shown} is back`);
    isGone = false;
  });

  function openQueue(provider: ServedProvider): { readonly queue: Queue; readonly worker: Worker } {
    const shared = { connection: client, prefix, skipVersionCheck: true };
    const queue = new modules.bull.Queue(provider.queue, { ...shared, skipMetasUpdate: true });
    const worker = new modules.bull.Worker(
      provider.queue,
      async (job, token) => {
        const answer = await take(provider, job, token);
        if (answer !== null) await pauseIfRefused(queue, answer);
        return answer === null ? null : writeMessage(answer);
      },
      {
        ...shared,
        concurrency,
        lockDuration: leaseMs,
        lockRenewTime: Math.min(2000, leaseMs / 4),
        stalledInterval: Math.max(500, Math.round(leaseMs / 3)),
        maxStalledCount: maxDeaths,
        runRetryDelay: 500,
        drainDelay: 2,
      },
    );
    worker.on('locksRenewed', ({ jobIds }) => {
      for (const id of jobIds) {
        const call = taken.get(id);
        if (call !== undefined) call.lockedUntilMs = performance.now() + leaseMs;
      }
    });
    worker.on('lockRenewalFailed', (ids) => endCalls('lost', (_call, id) => ids.includes(id)));
    worker.on('completed', (_job, result: unknown) => {
      if (result !== null) answered += 1;
    });
    // A connection that is lost was told already; that a lock is gone hurts nobody, since another worker has the job.
    queue.on('error', tellRefusal);
    worker.on('error', tellRefusal);
    return { queue, worker };
  }

  function tellRefusal(error: Error): void {
    if (error.name !== 'ReplyError' || told.has(error.message)) return;
    told.add(error.message);
    log(`the queue ${shown} refuses: ${error.message}`);
  }

  /** The answer; null where nobody waits for one. */
  async function take(
    provider: ServedProvider,
    job: Job<unknown>,
    token: string | undefined,
  ): Promise<AttemptAnswer | null> {
    const id = job.id ?? '';
    const read = readTask(job.data);
    if ('fault' in read) {
      log(`job ${id} REFUSED: it is no call of a run (${read.fault})`);
      return null;
    }
    const { task } = read;
    const state = await runs.read(task.runId);
    if (state === undefined || state === endedRun) return null;
    const controller = new AbortController();
    const { signal } = controller;
    const lockedUntilMs = performance.now() + leaseMs;
    const call: TakenCall = { runId: task.runId, controller, lockedUntilMs, isBegun: false };
    taken.set(id, call);
    if (isDraining) controller.abort('drained');
    await slots.take();
    try {
      if (signal.aborted) return await giveUp(signal.reason, job, token);
      call.isBegun = true;
      const answer = await make(provider, task, signal);
      if (!signal.aborted || answer.outcome.status === 'completed') return answer;
      if (signal.reason !== 'over') returned += 1;
      return await giveUp(signal.reason, job, token);
    } finally {
      taken.delete(id);
      slots.release();
    }
  }

  async function make(provider: ServedProvider, task: AttemptTask, signal: AbortSignal): Promise<AttemptAnswer> {
    try {
      return await provider.attempt(task, signal);
    } catch (bug) {
      options.onBug(bug);
      const message = `the worker failed, see its log: ${bug instanceof Error ? bug.message : String(bug)}`;
      const failure = { kind: 'network', message, retryable: false } as const;
      return { outcome: { status: 'failed', failure, attempts: 1 }, isTimeUp: false, elapsedMs: 0 };
    }
  }

  /** Puts the job back into the queue, unless its run is over. */
  async function giveUp(reason: EndReason, job: Job<unknown>, token: string | undefined): Promise<null> {
    if (reason === 'over') return null;
    try {
      await job.moveToWait(token);
    } catch {
      // Another worker has it by now.
    }
    throw new modules.bull.WaitingError();
  }

  /** What a server said to one run holds for the others, too. */
  async function pauseIfRefused(queue: Queue, { outcome }: AttemptAnswer): Promise<void> {
    if (outcome.status !== 'failed' || outcome.failure.kind !== 'rateLimit') return;
    const { retryAfterMs = 0 } = outcome.failure;
    if (retryAfterMs > 0) await queue.rateLimit(Math.ceil(Math.min(retryAfterMs, longestPauseMs)));
  }

  function endCalls(reason: EndReason, isMeant: (call: TakenCall, id: string) => boolean): void {
    for (const [id, call] of taken) if (isMeant(call, id)) call.controller.abort(reason);
  }

  async function lookAround(): Promise<void> {
    await workers.write(options.id, JSON.stringify(card), leaseMs);
    const alive = await runs.list();
    for (const [runId, text] of alive) {
      const run = readRunCard(text);
      if (run !== undefined && !isDraining) meet(runId, run);
    }
    endCalls('over', ({ runId }) => alive.get(runId) === endedRun);
  }

  async function tick(): Promise<void> {
    if (isTicking || isClosed) return;
    isTicking = true;
    try {
      await watchSilence(client, leaseMs / 2, lookAround);
    } catch (error) {
      // What the connection could not do now is done with the next tick.
      if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error;
      tellRefusal(error);
    } finally {
      isTicking = false;
    }
  }

  function meet(runId: string, { version, providers }: RunCard): void {
    const known = [runId, version, ...providers.map(({ queue }) => queue)].join(' ');
    if (seenRuns.has(known)) return;
    seenRuns.add(known);
    const own = providers.filter(({ queue }) => card.queues.includes(queue));
    const others = providers.filter(({ queue }) => !card.queues.includes(queue));
    if (own.length > 0) {
      log(`run ${runId}: takes calls of ${[...new Set(own.map(({ label }) => label))].join(', ')}`);
    }
    if (others.length > 0 && version !== toolVersion) {
      log(`run ${runId} REFUSED: it was planned by llmcheck ${version}, this worker is llmcheck ${toolVersion}`);
      return;
    }
    for (const { label } of others) {
      const why =
        options.unserved.get(label) ?? 'this checkout configures it otherwise or not at all, or its files differ';
      log(`run ${runId}: calls of ${label} REFUSED: ${why}`);
    }
  }

  const queues = options.providers.map(openQueue);
  await tick();
  const ticking = setInterval(() => void tick(), Math.min(1000, leaseMs / 5));
  // By this machine's clock: a reply may take for ever where a connection hangs, and locks expire meanwhile.
  const watching = setInterval(() => {
    const latestMs = performance.now() + leaseMs * marginShare;
    endCalls('lost', ({ lockedUntilMs }) => lockedUntilMs < latestMs);
  }, leaseMs / 20);

  return {
    get answered() {
      return answered;
    },
    async drain(drainMs) {
      isDraining = true;
      endCalls('drained', ({ isBegun }) => !isBegun);
      slots.open();
      const ended = Promise.allSettled(queues.map(({ worker }) => worker.close()));
      const drainTimer = setTimeout(() => endCalls('drained', () => true), drainMs);
      // Without a connection nothing can be given back, and need not be: its locks expire.
      let lastTimer: NodeJS.Timeout | undefined;
      const timeUp = new Promise<void>((resolve) => {
        lastTimer = setTimeout(resolve, drainMs + lastWordMs);
      });
      await Promise.race([ended.then(() => workers.remove(options.id)), timeUp]);
      isClosed = true;
      for (const timer of [drainTimer, lastTimer]) clearTimeout(timer);
      for (const timer of [ticking, watching]) clearInterval(timer);
      client.disconnect();
      return returned;
    },
  };
}

/** Bounds the calls of all providers together: BullMQ counts each queue by itself. */
function createSlots(size: number) {
  let free = size;
  const waiting: (() => void)[] = [];
  return {
    async take(): Promise<void> {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    release(): void {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
    /** Lets everybody go on who waits. */
    open(): void {
      free = Infinity;
      for (const wake of waiting.splice(0)) wake();
    },
  };
}
