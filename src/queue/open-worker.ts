import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisAddress } from '../lib/store-url.ts';
import type { AttemptAnswer, AttemptTask, QueuedProvider } from '../model/queue.ts';
import { keys, prefix, queueName } from './keys.ts';
import { createLeases, EndedCall, type LeaseAsk } from './leases.ts';
import { connectOnce, openRedis, type QueueModules } from './open-redis.ts';
import { findTaskFault, isTask, readProviders, type WorkerCard } from './read-task.ts';
import { loadScripts } from './scripts.ts';
import { createSlots } from './slots.ts';

/** A provider that a worker makes calls of. */
export interface ServedProvider extends QueuedProvider {
  /** Hash of address and key. */
  readonly account: string;
  /** Makes the attempt; never rejects but for a bug. */
  readonly attempt: (task: AttemptTask, signal: AbortSignal) => Promise<AttemptAnswer>;
}

export interface WorkerOptions {
  readonly modules: QueueModules;
  readonly address: RedisAddress;
  /** As it may be shown. */
  readonly shown: string;
  readonly version: string;
  readonly id: string;
  /** Calls in flight at most, of all providers. */
  readonly concurrency: number;
  /** A worker that was not heard of for so long is dead: others make its calls. */
  readonly leaseMs: number;
  readonly providers: readonly ServedProvider[];
  /** Why the calls of others are left to other workers, by what a run calls them. */
  readonly unserved: ReadonlyMap<string, string>;
  readonly nowMs: () => number;
  readonly startTimer: (ms: number, fire: () => void) => () => void;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: (message: string) => void;
  /** Something that nobody expected; the call it happened in is errored. */
  readonly onBug: (bug: unknown) => void;
}

export interface QueueWorker {
  /** Takes no more; calls in flight may end until `drainMs`, what is left goes back to the queue. Gives the number of calls that were ended for that. */
  drain(drainMs: number): Promise<number>;
  readonly answered: number;
}

/** A worker takes part in a call that kills its process at most so often. */
const maxDeaths = 10;
const longestTickMs = 1000;
/** For calls that were ended to be given back. */
const lastWordMs = 5000;
/** What a dead run was answered is kept for its resumption. */
const keepMs = 24 * 3_600_000;

/** Connects; gives the reason where that can't be done. */
export async function openWorker(options: WorkerOptions): Promise<QueueWorker | { readonly refused: string }> {
  const { modules, address, shown, concurrency, leaseMs, nowMs, log } = options;
  const pulse = openRedis(modules.redis, address, { waits: false, silenceMs: Math.round(leaseMs / 2) });
  const refused = await connectOnce(pulse);
  if (refused !== undefined) {
    pulse.disconnect();
    return { refused };
  }
  // Answers and the queue itself wait for a connection, what keeps time does not.
  const client = openRedis(modules.redis, address, { waits: true });
  client.on('error', () => undefined);
  const scripts = loadScripts(client);
  const pulseScripts = loadScripts(pulse);
  const served = new Map(options.providers.map((provider) => [provider.stamp, provider]));
  const card = JSON.stringify({
    id: options.id,
    version: options.version,
    concurrency,
    stamps: [...served.keys()],
  } satisfies WorkerCard);
  const workers = new Map<string, Worker>();
  const seenRuns = new Set<string>();
  const inWork = new Map<string, string>();
  const told = new Set<string>();
  const drained = new AbortController();
  const slots = createSlots(concurrency);
  let serverId = await readServerId(pulse);
  let answered = 0;
  /** Calls that were ended before their answer. */
  let returned = 0;
  const closed = new AbortController();
  let isGone = false;
  let stopTick: (() => void) | undefined;

  const leases = createLeases({
    scripts: pulseScripts,
    workerId: options.id,
    leaseMs,
    serverId: () => serverId,
    nowMs,
    wait: options.wait,
  });

  pulse.on('close', () => {
    serverId = undefined;
    if (closed.signal.aborted || isGone) return;
    isGone = true;
    // It may hang as this one did; what was not answered is sent again.
    if (client.status === 'ready') client.disconnect(true);
    log(`the queue ${shown} is gone: no further call is begun until it is back`);
  });
  pulse.on('ready', () => {
    void quietly(async () => {
      serverId = await readServerId(pulse);
      await tick();
      if (isGone) log(`the queue ${shown} is back`);
      isGone = false;
    });
  });

  async function tick(): Promise<void> {
    if (serverId === undefined) return;
    // What is in flight comes first: after a restart others begin calls once every worker was heard of.
    await leases.renew();
    const found = await pulseScripts.tick(
      [keys.server, keys.runs, keys.workers, keys.seen],
      [card, leaseMs, serverId, keys.run('')],
    );
    const runs = Array.isArray(found) ? found.map(String) : [];
    const alive = new Set<string>();
    for (let index = 0; index < runs.length; index += 3) {
      const [runId = '', version = '', providers = ''] = runs.slice(index, index + 3);
      alive.add(runId);
      if (!drained.signal.aborted) meet(runId, version, readProviders(providers));
    }
    for (const runId of new Set(inWork.values())) {
      if (alive.has(runId) || (await pulse.hget(keys.run(runId), 'state')) !== 'ended') continue;
      leases.abort('dropped', (call) => inWork.get(call) === runId);
    }
  }

  function meet(runId: string, version: string, providers: readonly QueuedProvider[]): void {
    const id = [runId, version, ...providers.map(({ stamp }) => stamp)].join(' ');
    const isNew = !seenRuns.has(id);
    seenRuns.add(id);
    const own = providers.filter(({ stamp }) => served.has(stamp));
    for (const { stamp } of own) openQueue(stamp);
    if (!isNew) return;
    const others = providers.filter(({ stamp }) => !served.has(stamp));
    if (own.length > 0) log(`run ${runId}: takes calls of ${labelsOf(own)}`);
    if (others.length === 0) return;
    if (version !== options.version) {
      log(`run ${runId} REFUSED: it was planned by llmcheck ${version}, this worker is llmcheck ${options.version}`);
      return;
    }
    for (const { label } of others) {
      const why =
        options.unserved.get(label) ?? 'this checkout configures it otherwise or not at all, or its files differ';
      log(`run ${runId}: calls of ${label} REFUSED: ${why}`);
    }
  }

  function openQueue(stamp: string): void {
    const provider = served.get(stamp);
    if (provider === undefined || workers.has(stamp)) return;
    const worker = new modules.bull.Worker(queueName(stamp), (job, token) => take(provider, job, token), {
      connection: client,
      prefix,
      concurrency,
      lockDuration: leaseMs,
      lockRenewTime: Math.round(leaseMs / 4),
      stalledInterval: Math.max(500, Math.round(leaseMs / 3)),
      maxStalledCount: maxDeaths,
      runRetryDelay: 500,
      drainDelay: 2,
      skipVersionCheck: true,
    });
    worker.on('error', tellRefusal);
    workers.set(stamp, worker);
  }

  /** A connection that is lost was told already; that a lock is gone hurts nobody, since answers are kept by call. */
  function tellRefusal(error: Error): void {
    if (error.name !== 'ReplyError' || told.has(error.message)) return;
    told.add(error.message);
    log(`the queue ${shown} refuses: ${error.message}`);
  }

  async function take(provider: ServedProvider, job: Job, token: string | undefined): Promise<undefined> {
    const task: unknown = job.data;
    const { id: call } = job;
    if (call === undefined || !isTask(task)) {
      // Nobody waits for it: a run sends no such job.
      log(`job ${call ?? ''} REFUSED: it is no call of a run (${findTaskFault(task) ?? 'it has no id'})`);
      return undefined;
    }
    const places = [keys.run(task.runId), keys.answers(task.runId)];
    if ((await scripts.take(places, [call, keys.inbox(''), keepMs])) !== 'go') return undefined;
    const slot = await slots.take(drained.signal);
    if (slot === undefined) return giveBack(job, token);
    inWork.set(call, task.runId);
    try {
      const ending = await make(provider, task, call);
      if (ending === 'dropped') return undefined;
      if (ending === 'cut off' || ending === 'drained') returned += 1;
      if (typeof ending === 'string') return await giveBack(job, token);
      await scripts.answer(places, [call, JSON.stringify(ending), keys.inbox(''), keepMs]);
      answered += 1;
      return undefined;
    } finally {
      inWork.delete(call);
      slot.release();
    }
  }

  /** The answer, or why there is none. */
  async function make(provider: ServedProvider, task: AttemptTask, call: string) {
    const { stamp, account } = provider;
    const ask: LeaseAsk = { call, lane: `${stamp}-${account}`, account, limits: task.limits, tokens: task.tokens };
    const lease = await leases.acquire(ask, drained.signal);
    if (lease === undefined) return 'not begun';
    let usedTokens: number | undefined;
    try {
      const answer = await provider.attempt(task, lease.signal);
      const { outcome } = answer;
      if (outcome.status === 'completed') {
        const { usage } = outcome.completion;
        usedTokens = usage === undefined ? undefined : usage.inputTokens + usage.outputTokens;
        return answer;
      }
      const reason: unknown = lease.signal.reason;
      return lease.signal.aborted && reason instanceof EndedCall ? reason.end : answer;
    } catch (bug) {
      options.onBug(bug);
      const message = `the worker failed, see its log: ${bug instanceof Error ? bug.message : String(bug)}`;
      const failure = { kind: 'network', message, retryable: false } as const;
      return { outcome: { status: 'failed', failure, attempts: 1 }, isTimeUp: false, elapsedMs: 0 } as const;
    } finally {
      lease.release(usedTokens);
    }
  }

  async function giveBack(job: Job, token: string | undefined): Promise<never> {
    try {
      await job.moveToWait(token);
    } catch {
      // Another has it by now.
    }
    throw new modules.bull.WaitingError();
  }

  async function tickOn(): Promise<void> {
    await quietly(tick);
    if (!closed.signal.aborted) scheduleTick();
  }

  function scheduleTick(): void {
    stopTick = options.startTimer(Math.min(longestTickMs, leaseMs / 5), () => {
      leases.endStale();
      void tickOn();
    });
  }

  await quietly(async () => {
    await client.connect();
    await tick();
  });
  scheduleTick();
  // A reply may take for ever where a connection hangs, and leases run out meanwhile.
  let stopWatch: (() => void) | undefined;
  const watch = (): void => {
    leases.endStale();
    if (!closed.signal.aborted) stopWatch = options.startTimer(leaseMs / 20, watch);
  };
  watch();

  return {
    get answered() {
      return answered;
    },
    async drain(drainMs) {
      drained.abort(new EndedCall('drained'));
      const closing = Promise.all([...workers.values()].map((worker) => worker.close()));
      const stopTimer = options.startTimer(drainMs, () => leases.abort('drained'));
      // Without a connection nothing can be given back, and need not be: it is found to be missing.
      let stopWaiting: (() => void) | undefined;
      const timeUp = new Promise<void>((resolve) => {
        stopWaiting = options.startTimer(drainMs + lastWordMs, resolve);
      });
      await Promise.race([closing.catch(() => undefined), timeUp]);
      stopTimer();
      stopWaiting?.();
      closed.abort();
      stopTick?.();
      stopWatch?.();
      await quietly(() => pulse.zrem(keys.workers, card));
      pulse.disconnect();
      client.disconnect();
      return returned;
    },
  };
}

async function readServerId(client: Redis): Promise<string | undefined> {
  return /run_id:(\S+)/.exec(await client.info('server'))?.[1];
}

/** What the connection could not do now is done with the next tick. */
async function quietly(step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
  }
}

function labelsOf(providers: readonly QueuedProvider[]): string {
  return [...new Set(providers.map(({ label }) => label))].join(', ');
}
