import type { Queue } from 'bullmq';
import { onAbort } from '../lib/on-abort.ts';
import type { RedisAddress } from '../lib/store-url.ts';
import type { AttemptAnswer, AttemptTask, QueuedProvider } from '../model/queue.ts';
import { keys, prefix, queueName } from './keys.ts';
import { connectOnce, openRedis, type QueueModules } from './open-redis.ts';
import { type Patience, patienceByDefault } from './patience.ts';
import { readAnswer } from './read-task.ts';
import { loadScripts } from './scripts.ts';
import { watchWorkers } from './watch-workers.ts';

/** Sends the attempts of a run to workers and collects what came of them. */
export interface Dispatcher {
  /** Takes the run's lead: answers to what another process asked for it before are taken over. */
  begin(runId: string, providers: readonly QueuedProvider[], signal: AbortSignal): Promise<void>;
  /** `call` names the attempt among those of its run; the same name is answered once, whoever asks and however often it is made. */
  send(stamp: string, call: string, task: Omit<AttemptTask, 'runId'>, signal: AbortSignal): Promise<AttemptAnswer>;
  /** Answers to these are recorded, and need not be kept any longer. */
  forget(calls: readonly string[]): void;
  close(): Promise<void>;
}

export interface DispatcherOptions {
  readonly modules: QueueModules;
  readonly address: RedisAddress;
  /** As it may be shown. */
  readonly shown: string;
  readonly version: string;
  /** Names this process among those that led the run. */
  readonly session: string;
  readonly nowMs: () => number;
  readonly startTimer: (ms: number, fire: () => void) => () => void;
  readonly onNote: (message: string) => void;
  /** The queue, or every worker, was gone for longer than a run waits. */
  readonly onLost: (message: string) => void;
  readonly patience?: Partial<Patience>;
}

/** A run that was not heard of for so long counts as dead: its calls are not made. */
const runTtlMs = 15_000;
/** What a dead run was answered is kept for its resumption. */
const keepMs = 24 * 3_600_000;
const maxCollected = 200;
/** So long calls that are still in flight are told that nobody waits for them. */
const endedMs = 3_600_000;
const retryMs = 200;
const silenceMs = 10_000;
const closeTimeoutMs = 3000;

interface Pending {
  readonly stamp: string;
  readonly task: AttemptTask;
  readonly resolve: (answer: AttemptAnswer) => void;
  sentMs: number;
}

/** Connects; throws the reason where that can't be done. */
export async function openDispatcher(options: DispatcherOptions): Promise<Dispatcher | { readonly refused: string }> {
  const { modules, address, shown, session, nowMs } = options;
  const patience = { ...patienceByDefault, ...options.patience };
  const client = openRedis(modules.redis, address, { waits: true });
  const refused = await connectOnce(client);
  if (refused !== undefined) {
    client.disconnect();
    return { refused };
  }
  const scripts = loadScripts(client);
  const reader = client.duplicate();
  reader.on('error', () => undefined);
  const queues = new Map<string, Queue>();
  const pending = new Map<string, Pending>();
  const inbox = keys.inbox(session);
  let runId = '';
  let providers: readonly QueuedProvider[] = [];
  const closed = new AbortController();
  const workers = watchWorkers({ ...options, patience });
  let stopBeat: (() => void) | undefined;
  let stopWaiting: (() => void) | undefined;
  const told = new Set<string>();

  client.on('close', () => {
    if (closed.signal.aborted || stopWaiting !== undefined) return;
    options.onNote(
      `The queue ${shown} is gone; the run waits for it, up to ${patience.redisMs / 60_000} min. Calls in flight go on.`,
    );
    stopWaiting = options.startTimer(patience.redisMs, () => options.onLost(`the queue ${shown} did not come back`));
  });
  client.on('ready', () => {
    if (stopWaiting === undefined) return;
    stopWaiting();
    stopWaiting = undefined;
    options.onNote(`The queue ${shown} is back.`);
    void quietly(async () => {
      await beat();
      await sweep(0);
    });
  });

  function queueOf(stamp: string): Queue {
    let queue = queues.get(stamp);
    if (queue === undefined) {
      queue = new modules.bull.Queue(queueName(stamp), {
        connection: client,
        prefix,
        skipVersionCheck: true,
        streams: { events: { maxLen: 100 } },
      });
      queue.on('error', () => undefined);
      queues.set(stamp, queue);
    }
    return queue;
  }

  async function add(id: string, { stamp, task }: Pending): Promise<void> {
    await queueOf(stamp).add('attempt', task, { jobId: id, removeOnComplete: true, removeOnFail: false });
  }

  async function lead(isAgain: boolean): Promise<void> {
    const info = await client.info('server');
    const serverId = /run_id:(\S+)/.exec(info)?.[1] ?? '';
    const found = await scripts.begin(
      [keys.run(runId), keys.runs, keys.server, keys.answers(runId)],
      [session, options.version, JSON.stringify(providers), runTtlMs, runId, isAgain ? 1 : 0, serverId, keepMs],
    );
    if (isAgain || !Array.isArray(found)) return;
    // A failure of an earlier part of the run is no answer: it is asked again.
    const stale = found.filter(
      (_item, index) => index % 2 === 0 && readAnswer(String(found[index + 1]))?.outcome.status !== 'completed',
    );
    if (stale.length > 0) await client.hdel(keys.answers(runId), ...stale.map(String));
  }

  async function beat(): Promise<void> {
    const reply = await scripts.beat(
      [keys.run(runId), keys.runs, keys.workers, keys.answers(runId), inbox],
      [session, runTtlMs, runId, keepMs],
    );
    const [state, ...cards] = Array.isArray(reply) ? reply.map(String) : [];
    if (state === 'lost') {
      await lead(true);
      await sweep(0);
    }
    if (state === 'ok') workers.tell(cards, providers, new Set([...pending.values()].map(({ stamp }) => stamp)));
  }

  /** Looks up what became of calls that were sent a while ago: a queue that was emptied, or a message that was lost, ends no run. */
  async function sweep(ageMs: number): Promise<void> {
    const overdue = [...pending].filter(([, { sentMs }]) => nowMs() - sentMs >= ageMs);
    if (overdue.length === 0) return;
    const pipeline = client.pipeline();
    for (const [id, { stamp }] of overdue) {
      // In this order: what is not in the queue any more was answered before it left.
      pipeline.hmget(queueOf(stamp).toKey(id), 'data', 'failedReason');
      pipeline.hget(keys.answers(runId), id);
    }
    const replies = (await pipeline.exec()) ?? [];
    for (const [index, [id, entry]] of overdue.entries()) {
      const job = replies[index * 2]?.[1];
      const answer = replies[index * 2 + 1]?.[1];
      if (typeof answer === 'string') deliver(id, answer);
      else if (Array.isArray(job) && typeof job[1] === 'string') await fail(id, entry, job[1]);
      else if (Array.isArray(job) && job[0] === null && pending.has(id)) {
        entry.sentMs = nowMs();
        await add(id, entry);
      }
    }
  }

  /** Workers died of it, one after the other. */
  async function fail(id: string, { stamp }: Pending, reason: string): Promise<void> {
    await queueOf(stamp).remove(id);
    const message = `no worker could make the call: ${reason}`;
    settle(id, { outcome: { status: 'failed', failure: { kind: 'network', message, retryable: false }, attempts: 1 } });
  }

  function deliver(id: string, text: string): void {
    if (!pending.has(id)) return;
    const answer = readAnswer(text) ?? unreadable;
    settle(id, answer);
    // A failure is of no use to whoever resumes the run.
    if (answer.outcome.status === 'failed') void quietly(() => client.hdel(keys.answers(runId), id));
  }

  function settle(id: string, answer: Pick<AttemptAnswer, 'outcome'> & Partial<AttemptAnswer>): void {
    const entry = pending.get(id);
    pending.delete(id);
    entry?.resolve({ isTimeUp: false, elapsedMs: 0, ...answer });
  }

  async function collect(): Promise<void> {
    while (!closed.signal.aborted) {
      const popped = await reader.blpop(inbox, 5);
      if (popped === null) continue;
      const more = (await reader.lpop(inbox, maxCollected)) ?? [];
      const ids = [popped[1], ...more].filter((id) => pending.has(id));
      if (ids.length === 0) continue;
      const answers = await client.hmget(keys.answers(runId), ...ids);
      for (const [index, id] of ids.entries()) {
        const answer = answers[index];
        if (typeof answer === 'string') deliver(id, answer);
      }
    }
  }

  async function keepCollecting(): Promise<void> {
    while (!closed.signal.aborted) {
      await quietly(collect);
      if (!closed.signal.aborted) await new Promise<void>((resolve) => options.startTimer(retryMs, resolve));
    }
  }

  async function beatOn(): Promise<void> {
    // A connection over which nothing comes is opened anew, whatever the network believes.
    const stopWatch = options.startTimer(silenceMs, () => {
      for (const connection of [client, reader]) if (connection.status === 'ready') connection.disconnect(true);
    });
    await quietly(async () => {
      await beat();
      await sweep(patience.overdueMs);
    });
    stopWatch();
    if (!closed.signal.aborted) scheduleBeat();
  }

  function scheduleBeat(): void {
    stopBeat = options.startTimer(patience.beatMs, () => {
      void beatOn();
    });
  }

  /** What the connection could not do is done again with the next beat. */
  async function quietly(step: () => Promise<unknown>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      // That there is no connection was told already; a full server, say, was not.
      if (closed.signal.aborted || !(error instanceof Error) || error.name !== 'ReplyError' || told.has(error.message))
        return;
      told.add(error.message);
      options.onNote(`The queue ${shown} refuses: ${error.message}`);
    }
  }

  return {
    async begin(id, needed, signal) {
      runId = id;
      providers = needed;
      let stopListening: (() => void) | undefined;
      const stopped = new Promise<void>((resolve) => {
        stopListening = onAbort(signal, resolve);
        if (signal.aborted) resolve();
      });
      const leading = quietly(async () => {
        await lead(false);
        await beat();
      });
      // Nobody waits for a queue that went away at the very beginning longer than for one that goes later.
      await Promise.race([leading, stopped]);
      stopListening?.();
      void keepCollecting();
      scheduleBeat();
    },
    send(stamp, call, task, signal) {
      const id = `${runId}_${call}`;
      return new Promise((resolve) => {
        const stopListening = onAbort(signal, () => {
          const failure = { kind: 'aborted', message: 'the run was stopped' } as const;
          settle(id, { outcome: { status: 'failed', failure, attempts: 0 } });
          void quietly(() => queueOf(stamp).remove(id));
        });
        const entry: Pending = {
          stamp,
          task: { runId, ...task },
          sentMs: nowMs(),
          resolve(answer) {
            stopListening();
            resolve(answer);
          },
        };
        pending.set(id, entry);
        // One that was asked for by an earlier part of the run is not asked for again.
        void quietly(() => add(id, entry));
      });
    },
    forget(calls) {
      if (calls.length === 0 || closed.signal.aborted) return;
      void quietly(() => client.hdel(keys.answers(runId), ...calls.map((call) => `${runId}_${call}`)));
    },
    async close() {
      closed.abort();
      stopBeat?.();
      stopWaiting?.();
      // Where the server is gone, what is left in it runs out by itself.
      const leave = async () => {
        if (runId !== '' && client.status === 'ready') {
          await scripts.end([keys.run(runId), keys.runs, keys.answers(runId), inbox], [session, runId, endedMs]);
        }
        await Promise.all([...queues.values()].map((queue) => queue.close()));
      };
      let stopTimer: (() => void) | undefined;
      const timeUp = new Promise<void>((resolve) => {
        stopTimer = options.startTimer(closeTimeoutMs, resolve);
      });
      await Promise.race([quietly(leave), timeUp]);
      stopTimer?.();
      reader.disconnect();
      client.disconnect();
    },
  };
}

/** The first answer to a call counts, so that nothing better can come after one that no worker has written. */
const unreadable = {
  outcome: {
    status: 'failed',
    failure: {
      kind: 'malformed',
      message: 'the answer in the queue is not one that a worker writes',
      retryable: false,
    },
    attempts: 1,
  },
  isTimeUp: false,
  elapsedMs: 0,
} as const satisfies AttemptAnswer;
