import type { Queue, QueueEvents } from 'bullmq';
import { onAbort } from '../lib/on-abort.ts';
import type { QueueUrl } from '../lib/queue-url.ts';
import type { CompletionOutcome, ProviderFailure } from '../model/completion.ts';
import type { AttemptAnswer, AttemptTask, QueuedProvider, QueueLimits } from '../model/queue.ts';
import { connectRedis, openPresence, prefix, type QueueModules, watchSilence } from './connect-redis.ts';
import { endedRun, type RunCard, readAnswer, writeMessage } from './messages.ts';
import { watchWorkers } from './watch-workers.ts';

/** Sends the attempts of a run to workers and collects what came of them. */
export interface Dispatcher {
  /** Announces the run and its limits; before the first call. */
  begin(runId: string, providers: readonly LimitedProvider[], signal: AbortSignal): Promise<void>;
  /** `call` names the attempt among those of its run: a call that was made for an earlier part of the run is not made again. */
  send(queue: string, call: string, task: Omit<AttemptTask, 'runId'>, signal: AbortSignal): Promise<AttemptAnswer>;
  /** The answer is recorded, and need not be kept any longer. */
  forget(queue: string, call: string): void;
  close(): Promise<void>;
}

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
  /** Until it is looked up what became of a call. */
  overdueMs: 2500,
  /** Until a call that Redis has lost is sent again: its worker needs that time to notice the loss and to end it. */
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
/** What a dead run was answered is kept for its resumption. */
const kept = { age: 24 * 3600 };
/** In place of no limit: BullMQ heeds `queue.rateLimit` only where there is one. */
const unlimited = 1_000_000_000;
/** Events hold answers, too. Those that are lost are looked up. */
const streams = { events: { maxLen: 1000 } };

interface Channel {
  readonly queue: Queue;
  readonly events: QueueEvents;
}

interface Pending {
  readonly queue: string;
  readonly text: string;
  readonly resolve: (answer: AttemptAnswer) => void;
  readonly sentMs: number;
  lostSinceMs?: number;
}

/** Connects; gives the reason where that can't be done. */
export async function openDispatcher(options: DispatcherOptions): Promise<Dispatcher | string> {
  const { modules, address, onNote } = options;
  const { shown } = address;
  const waits = { ...defaultWaits, ...options.waits };
  const connected = await connectRedis(modules, address);
  if (typeof connected === 'string') return connected;
  const client = connected;
  const runs = openPresence(client, 'runs');
  const workers = openPresence(client, 'workers');
  const tellOfWorkers = watchWorkers({ ...options, ...waits, shown });
  const channels = new Map<string, Channel>();
  const pending = new Map<string, Pending>();
  const steps = new Set<Promise<void>>();
  const told = new Set<string>();
  let runId = '';
  let providers: readonly LimitedProvider[] = [];
  let startedMs = 0;
  let isClosed = false;
  let isBeating = false;
  let beatTimer: NodeJS.Timeout | undefined;
  let goneTimer: NodeJS.Timeout | undefined;

  client.on('close', () => {
    if (isClosed || goneTimer !== undefined) return;
    const minutes = waits.redisMs / 60_000;
    onNote(`The queue ${shown} is gone; the run waits for it, up to ${minutes} min. Calls in flight go on.`);
    goneTimer = setTimeout(() => options.onLost(`the queue ${shown} did not come back`), waits.redisMs);
  });
  client.on('ready', () => {
    if (goneTimer === undefined) return;
    clearTimeout(goneTimer);
    goneTimer = undefined;
    onNote(`The queue ${shown} is back.`);
    // It may have lost what it had.
    attempt(announce);
  });

  /** What the connection could not do is done again with the next beat. */
  function attempt(step: () => Promise<unknown>): void {
    const running = quietly(step).finally(() => steps.delete(running));
    steps.add(running);
  }

  async function quietly(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      // That there is no connection was told already; a full server, say, was not.
      if (isClosed || !(error instanceof Error) || error.name !== 'ReplyError' || told.has(error.message)) return;
      told.add(error.message);
      onNote(`The queue ${shown} refuses: ${error.message}`);
    }
  }

  function channelOf(name: string): Channel {
    const open = channels.get(name);
    if (open !== undefined) return open;
    const queue = new modules.bull.Queue(name, { connection: client, prefix, skipVersionCheck: true, streams });
    const events = new modules.bull.QueueEvents(name, {
      connection: client,
      prefix,
      skipVersionCheck: true,
      lastEventId: `${startedMs}-0`,
    });
    // Lost connections are noticed by `client`; events that were missed are looked up.
    queue.on('error', () => undefined);
    events.on('error', () => undefined);
    events.on('completed', ({ jobId, returnvalue }) => deliver(jobId, returnvalue));
    events.on('failed', ({ jobId, failedReason }) => fail(jobId, failedReason));
    // An earlier part of the run asked for it.
    events.on('duplicated', ({ jobId }) => attempt(() => lookUp(jobId, true)));
    const channel = { queue, events };
    channels.set(name, channel);
    return channel;
  }

  async function add(id: string, { queue, text }: Pending): Promise<void> {
    await channelOf(queue).queue.add('attempt', text, { jobId: id, removeOnComplete: kept, removeOnFail: kept });
  }

  async function remove(id: string, queue: string): Promise<void> {
    await channelOf(queue).queue.remove(id);
  }

  async function announce(): Promise<void> {
    for (const { queue: name, limits } of providers) {
      const { queue } = channelOf(name);
      const { max, duration } = rateOf(limits.rpm);
      await queue.setGlobalConcurrency(limits.concurrency ?? unlimited);
      await queue.setGlobalRateLimit(max, duration);
    }
    await beat();
  }

  async function beat(): Promise<void> {
    const card: RunCard = {
      version: options.version,
      providers: providers.map(({ queue, label }) => ({ queue, label })),
    };
    await runs.write(runId, JSON.stringify(card), runTtlMs);
    const waiting = new Set([...pending.values()].map(({ queue }) => queue));
    tellOfWorkers((await workers.list()).values(), providers, waiting);
    const overdueMs = performance.now() - waits.overdueMs;
    const overdue = [...pending].filter(([, { sentMs }]) => sentMs <= overdueMs);
    await Promise.all(overdue.map(([id]) => lookUp(id, false)));
  }

  /** What became of a call. A failure of an earlier part of the run is no answer: the call is made again. */
  async function lookUp(id: string, isEarlier: boolean): Promise<void> {
    const entry = pending.get(id);
    if (entry === undefined) return;
    const job = await channelOf(entry.queue).queue.getJob(id);
    const isFinished = job?.finishedOn !== undefined;
    const returned: unknown = job?.returnvalue;
    if (isFinished && isEarlier && readAnswer(returned)?.outcome.status !== 'completed') await sendAgain(id, entry);
    else if (isFinished && job.failedReason) fail(id, job.failedReason);
    else if (job === undefined || (isFinished && returned === null)) await sendLost(id, entry);
    else if (isFinished) deliver(id, returned);
  }

  async function sendLost(id: string, entry: Pending): Promise<void> {
    entry.lostSinceMs ??= performance.now();
    if (performance.now() - entry.lostSinceMs < waits.lostMs) return;
    delete entry.lostSinceMs;
    await sendAgain(id, entry);
  }

  async function sendAgain(id: string, entry: Pending): Promise<void> {
    await remove(id, entry.queue);
    if (pending.has(id)) await add(id, entry);
  }

  /** A worker that had not heard of the run answers with null: the call is found to be lost. */
  function deliver(id: string, returned: unknown): void {
    const entry = pending.get(id);
    if (entry === undefined || returned === null) return;
    const answer =
      readAnswer(returned) ?? failed('malformed', 'the answer in the queue is not one that a worker writes');
    settle(id, answer);
    // A failure is of no use to a run that is resumed.
    if (answer.outcome.status === 'failed') attempt(() => remove(id, entry.queue));
  }

  function fail(id: string, reason: string): void {
    const entry = pending.get(id);
    if (entry === undefined) return;
    settle(id, failed('network', `no worker could make the call: ${reason}`));
    attempt(() => remove(id, entry.queue));
  }

  function settle(id: string, answer: AttemptAnswer): void {
    const entry = pending.get(id);
    pending.delete(id);
    entry?.resolve(answer);
  }

  async function beatAgain(): Promise<void> {
    if (isBeating) return;
    isBeating = true;
    await watchSilence(client, silenceMs, () => quietly(beat));
    isBeating = false;
  }

  /** Where Redis is gone, what is left in it expires. */
  async function leave(): Promise<void> {
    await Promise.all(steps);
    if (runId !== '') await runs.write(runId, endedRun, endedMs);
    for (const { queue } of channels.values()) {
      const isEmpty = (await queue.getJobCountByTypes('waiting', 'active', 'completed', 'failed')) === 0;
      // Events of calls that nobody waits for hold their answers.
      if (isEmpty) await queue.trimEvents(0);
    }
  }

  return {
    async begin(id, needed, signal) {
      runId = id;
      providers = needed;
      // A Redis that goes away now must not keep the run from stopping.
      await Promise.race([
        aborted(signal),
        quietly(async () => {
          const [seconds, microseconds] = await client.time();
          startedMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
          await announce();
        }),
      ]);
      if (!isClosed) beatTimer = setInterval(() => void beatAgain(), waits.beatMs);
    },
    send(queue, call, task, signal) {
      const id = `${runId}_${call}`;
      return new Promise((resolve) => {
        const stopListening = onAbort(signal, () => {
          settle(id, failed('aborted', 'the run was stopped', 0));
          attempt(() => remove(id, queue));
        });
        const entry: Pending = {
          queue,
          text: writeMessage({ runId, ...task }),
          sentMs: performance.now(),
          resolve(answer) {
            stopListening();
            resolve(answer);
          },
        };
        pending.set(id, entry);
        attempt(() => add(id, entry));
      });
    },
    forget(queue, call) {
      if (!isClosed) attempt(() => remove(`${runId}_${call}`, queue));
    },
    async close() {
      isClosed = true;
      clearInterval(beatTimer);
      clearTimeout(goneTimer);
      let timer: NodeJS.Timeout | undefined;
      const timeUp = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeTimeoutMs);
      });
      const isConnected = client.status === 'ready';
      if (isConnected) await Promise.race([quietly(leave), timeUp]);
      const parts = [...channels.values()].flatMap(({ queue, events }) => [queue.close(), events.close()]);
      client.disconnect();
      // A connection that is lost already has no end to wait for.
      if (isConnected) await Promise.race([Promise.allSettled(parts), timeUp]);
      clearTimeout(timer);
    },
  };
}

/** In small windows, so that no minute holds more, wherever it begins: 61 windows of a second reach into one. */
export function rateOf(rpm: number | undefined): { readonly max: number; readonly duration: number } {
  if (rpm === undefined) return { max: unlimited, duration: 1000 };
  return rpm > 1200 ? { max: Math.floor(rpm / 61), duration: 1000 } : { max: 1, duration: Math.ceil(60_000 / rpm) };
}

function failed(kind: ProviderFailure['kind'], message: string, attempts = 1): AttemptAnswer {
  const failure = kind === 'aborted' ? { kind, message } : { kind, message, retryable: false };
  const outcome: CompletionOutcome = { status: 'failed', failure, attempts };
  return { outcome, isTimeUp: false, elapsedMs: 0 };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    onAbort(signal, resolve);
    if (signal.aborted) resolve();
  });
}
