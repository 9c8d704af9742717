import type { BatchAnswer, BatchApi, BatchHandle, BatchItem, BatchReply } from '../model/batch.ts';
import type { Clock } from '../model/clock.ts';
import type { FailureKind, ProviderFailure } from '../model/completion.ts';
import { formatCount } from '../text/format-amount.ts';
import { chunkItems } from './chunk-items.ts';
import { isRetryable } from './failure-policies.ts';
import { boundCall } from './time-attempts.ts';

/** What the batches of one provider need of the world. */
export interface BatchPorts {
  readonly api: BatchApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A handle with a name of its own, not handed in yet. */
  readonly newHandle: (keys: readonly string[]) => BatchHandle;
  /** False where it can't be kept, so that nothing may be handed in. */
  readonly save: (handle: BatchHandle) => boolean;
  readonly remove: (handle: BatchHandle) => void;
  /** Says why a request must not be handed in, as where it fits into no budget. */
  readonly refuse: (item: BatchItem) => ProviderFailure | undefined;
  readonly say: (message: string) => void;
}

export interface BatchRequests {
  /** Every request that needs an answer; may be asked for several times. */
  readonly items: () => Iterable<BatchItem>;
  /** What earlier runs handed in and did not come to use. */
  readonly handles: readonly BatchHandle[];
}

export interface BatchResults {
  /** By key. Requests whose batch is still under way have none. */
  readonly answers: ReadonlyMap<string, SentAnswer>;
  /** Still under way: the next run goes on with them. */
  readonly pending: readonly BatchHandle[];
  /** To be removed as soon as their answers are safe. */
  readonly collected: readonly BatchHandle[];
}

export interface SentAnswer {
  readonly answer: BatchAnswer;
  /** False where the request never left. */
  readonly isSent: boolean;
}

const firstPollMs = 1000;
const longestPollMs = 60_000;
const pollGrowth = 1.5;
/** Further looks at a batch that fail in a row, at growing distances: about ten minutes. */
const maxFailedPolls = 15;
const maxSubmits = 5;
/** A whole batch goes up or comes down in one exchange. */
const transferTimeoutMs = 600_000;
/** A batch that its provider has lost is handed in again, once. */
const maxRounds = 2;

/**
 * Hands in what no earlier batch covers, waits, and collects. Every batch is written down before it is handed in, so that
 * a run that is killed at any point is gone on with: one whose submission was not answered is looked for at the provider
 * before it is handed in again.
 */
export async function runBatches({ items, handles }: BatchRequests, ports: BatchPorts): Promise<BatchResults> {
  const { api, clock, signal, say } = ports;
  const answers = new Map<string, SentAnswer>();
  const collected: BatchHandle[] = [];
  let pending: BatchHandle[] = [];
  let open: BatchHandle[] = [...handles];

  const call = async <T>(run: (signal: AbortSignal) => Promise<BatchReply<T>>) => {
    const { result } = await boundCall(run, { clock, signal, timeoutMs: transferTimeoutMs });
    return result;
  };

  function fail(keys: readonly string[], failure: ProviderFailure, isSent = true): void {
    for (const key of keys) answers.set(key, { answer: { failure }, isSent });
  }

  /** Batches of other submissions are no candidates. */
  async function find(handle: BatchHandle): Promise<BatchReply<readonly string[]>> {
    const found = await call((bounded) => api.find(handle, bounded));
    if ('failure' in found) return found;
    const known = new Set([...open, ...collected, ...pending].flatMap(({ batchIds }) => batchIds));
    return { value: found.value.filter((id) => !known.has(id)) };
  }

  /** Handles whose batch exists, as far as the provider says. */
  async function confirm(handle: BatchHandle): Promise<BatchHandle | undefined> {
    if (handle.batchIds.length > 0) return handle;
    const found = await find(handle);
    if ('failure' in found) {
      fail(handle.keys, found.failure, false);
      pending.push(handle);
      return undefined;
    }
    if (found.value.length === 0) {
      ports.remove(handle);
      return undefined;
    }
    return remember(handle, found.value);
  }

  function remember(handle: BatchHandle, batchIds: readonly string[], isConfirmed = false): BatchHandle {
    const known: BatchHandle = { ...handle, batchIds, isConfirmed };
    // Should it not be kept, the next run finds the batch by looking for it.
    ports.save(known);
    return known;
  }

  async function submit(chunk: readonly { readonly key: string; readonly text: string }[]): Promise<void> {
    const handle = ports.newHandle(chunk.map(({ key }) => key));
    if (!ports.save(handle)) return;
    const { name } = handle;
    for (let submits = 1; ; submits += 1) {
      const reply = await call((bounded) => api.submit({ name, items: chunk }, bounded));
      if ('value' in reply) {
        open.push(remember(handle, [reply.value], true));
        say(`a batch of ${formatCount(chunk.length, 'request')} was handed in: ${reply.value}`);
        return;
      }
      const { failure } = reply;
      if (signal.aborted) {
        pending.push(handle);
        return;
      }
      const isUnclear = unclear.has(failure.kind);
      if (!isUnclear && !isRetryable(failure)) {
        ports.remove(handle);
        fail(handle.keys, failure);
        return;
      }
      if (submits < maxSubmits) await clock.wait(failure.retryAfterMs ?? firstPollMs * 2 ** submits, signal);
      if (isUnclear) {
        const found = await find(handle);
        if ('value' in found && found.value.length > 0) {
          open.push(remember(handle, found.value));
          return;
        }
      }
      if (submits >= maxSubmits || signal.aborted) {
        pending.push(handle);
        if (!signal.aborted) fail(handle.keys, failure);
        return;
      }
    }
  }

  async function submitMissing(): Promise<void> {
    const covered = new Set([...open, ...pending].flatMap(({ keys }) => keys));
    const chunks = chunkItems(items(), {
      api,
      isWanted: ({ key }) => !covered.has(key) && !answers.has(key),
      refuse: ports.refuse,
      onRefused: ({ key }, failure) => fail([key], failure, false),
    });
    for await (const chunk of chunks) {
      if (signal.aborted) return;
      await submit(chunk);
    }
  }

  /** `lost`: the provider does not know it. */
  async function look(handle: BatchHandle): Promise<'wait' | 'done' | 'lost' | ProviderFailure> {
    const [id, ...others] = handle.batchIds;
    if (id === undefined) return 'lost';
    const status = await call((bounded) => api.read(id, bounded));
    if ('failure' in status) return status.failure;
    switch (status.value.state) {
      case 'running':
        return 'wait';
      case 'unknown':
        return others.length === 0 ? 'lost' : look(remember(handle, others));
      case 'refused':
        fail(handle.keys, status.value.failure);
        return 'done';
      case 'ended':
        break;
    }
    const found = await call((bounded) => api.collect(id, handle, bounded));
    if ('failure' in found) return found.failure;
    const isOwn = handle.keys.some((key) => found.value.has(key));
    if (!isOwn && !handle.isConfirmed) return others.length === 0 ? 'lost' : look(remember(handle, others));
    for (const key of handle.keys) answers.set(key, { answer: found.value.get(key) ?? unanswered, isSent: true });
    return 'done';
  }

  /** Waits for all that is open; what the provider has lost goes back to be handed in again. */
  async function awaitOpen(isLastRound: boolean): Promise<boolean> {
    const failures = new Map<BatchHandle, number>();
    let waitMs = firstPollMs;
    let hasLost = false;
    for (;;) {
      const left: BatchHandle[] = [];
      for (const handle of open) {
        if (signal.aborted) {
          left.push(handle);
          continue;
        }
        const outcome = await look(handle);
        if (outcome === 'done') collected.push(handle);
        else if (outcome === 'lost') {
          ports.remove(handle);
          if (isLastRound) fail(handle.keys, lost);
          hasLost = true;
        } else if (outcome === 'wait') left.push(handle);
        else {
          const failed = (failures.get(handle) ?? 0) + 1;
          failures.set(handle, failed);
          if (signal.aborted || ((isRetryable(outcome) || outcome.kind === 'malformed') && failed < maxFailedPolls)) {
            left.push(handle);
          } else {
            fail(handle.keys, outcome);
            pending.push(handle);
          }
        }
      }
      open = left;
      if (open.length === 0 || signal.aborted) return hasLost;
      await clock.wait(waitMs, signal);
      waitMs = Math.min(waitMs * pollGrowth, longestPollMs);
    }
  }

  for (let round = 0; round < maxRounds && !signal.aborted; round += 1) {
    const confirmed: BatchHandle[] = [];
    for (const handle of open) {
      const known = await confirm(handle);
      if (known !== undefined) confirmed.push(known);
    }
    open = confirmed;
    await submitMissing();
    if (!(await awaitOpen(round === maxRounds - 1))) break;
  }
  pending = [...pending, ...open];
  return { answers, pending, collected };
}

/** Whoever does not know whether a batch was taken must look before it hands it in again. */
const unclear: ReadonlySet<FailureKind> = new Set(['network', 'timeout', 'server', 'malformed', 'aborted']);

const lost: ProviderFailure = { kind: 'server', message: 'the provider does not know the batch that it took' };

const unanswered: BatchAnswer = {
  failure: { kind: 'malformed', message: 'the batch ended without an answer to this request' },
};
