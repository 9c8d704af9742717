import type { Clock } from '../model/clock.ts';
import {
  type Complete,
  type CompletionOutcome,
  type CompletionRequest,
  type FailureKind,
  maxRetryAfterMs,
  type ProviderFailure,
} from '../model/run/completion.ts';
import type { BatchAnswer, BatchApi, BatchHandle, BatchItem, BatchReply } from '../model/suite/provider.ts';
import { formatCount } from '../text/format-amount.ts';
import { isRetryable } from './failure-policies.ts';
import { boundCall } from './time-attempts.ts';

/** The functions that the batches of one provider need. */
export interface BatchPorts {
  readonly api: BatchApi;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A handle with a name of its own, not submitted yet. */
  readonly newHandle: (keys: readonly string[]) => BatchHandle;
  /** False if it can't be kept, so that nothing may be submitted. */
  readonly save: (handle: BatchHandle) => boolean;
  /** Called for a batch that its provider has lost or refused. */
  readonly forget: (handle: BatchHandle) => void;
  /** Says why a request must not be submitted, such as one that no budget allows. */
  readonly refuse: (item: BatchItem) => ProviderFailure | undefined;
  readonly say: (message: string) => void;
}

export interface BatchRequests {
  /** Every request that needs an answer; called several times. */
  readonly items: () => Iterable<BatchItem>;
  /** Batches that earlier runs submitted and did not collect. */
  readonly handles: readonly BatchHandle[];
}

export interface BatchResults {
  /** The answers by key. Requests of a pending batch have none. */
  readonly answers: ReadonlyMap<string, SentAnswer>;
  /** Batches without an answer yet. The next run continues with them. */
  readonly pending: readonly BatchHandle[];
  /** Batches to forget as soon as their answers are stored. */
  readonly collected: readonly BatchHandle[];
}

interface SentAnswer {
  readonly answer: BatchAnswer;
  /** False if the request was never sent. */
  readonly isSent: boolean;
}

const firstPollMs = 1000;
const longestPollMs = 60_000;
const pollGrowth = 1.5;
/** Polls of a batch that may fail in a row, at growing intervals: about ten minutes. */
const maxFailedPolls = 15;
const maxSubmits = 5;
/** Time limit of an upload or download, which carries a whole batch. */
const transferTimeoutMs = 600_000;
/** Time limit for asking a batch's state, which is a few lines. */
const statusTimeoutMs = 60_000;
/** A batch that its provider has lost is submitted again, once. */
const maxRounds = 2;

/**
 * Submits the requests that no earlier batch covers, waits, and collects the answers. Every batch is saved before
 * submission, so that after a kill the next run continues. For a submission without a reply, that run first searches
 * the provider's batches.
 */
export async function runBatches(requests: BatchRequests, ports: BatchPorts): Promise<BatchResults> {
  return new BatchRun(requests, ports).run();
}

/** The result of polling one batch. `lost`: the provider does not know it. */
type PollResult = 'wait' | 'done' | 'lost' | ProviderFailure;

class BatchRun {
  readonly #items: BatchRequests['items'];
  readonly #ports: BatchPorts;
  readonly #answers = new Map<string, SentAnswer>();
  readonly #collected: BatchHandle[] = [];
  readonly #pending: BatchHandle[] = [];
  #open: BatchHandle[];

  constructor({ items, handles }: BatchRequests, ports: BatchPorts) {
    this.#items = items;
    this.#ports = ports;
    this.#open = [...handles];
  }

  async run(): Promise<BatchResults> {
    for (let round = 0; round < maxRounds && !this.#ports.signal.aborted; round += 1) {
      const confirmed: BatchHandle[] = [];
      for (const handle of this.#open) {
        const known = await this.#confirm(handle);
        if (known !== undefined) confirmed.push(known);
      }
      this.#open = confirmed;
      await this.#submitMissing();
      if (!(await this.#awaitOpen(round === maxRounds - 1))) break;
    }
    return { answers: this.#answers, pending: [...this.#pending, ...this.#open], collected: this.#collected };
  }

  async #call<T>(
    run: (signal: AbortSignal) => Promise<BatchReply<T>>,
    timeoutMs = transferTimeoutMs,
  ): Promise<BatchReply<T>> {
    const { clock, signal } = this.#ports;
    const { result } = await boundCall(run, { clock, signal, timeoutMs });
    return result;
  }

  #fail(keys: readonly string[], failure: ProviderFailure, isSent = true): void {
    for (const key of keys) this.#answers.set(key, { answer: { failure }, isSent });
  }

  /** Finds candidates, without batches of other submissions. */
  async #find(handle: BatchHandle): Promise<BatchReply<readonly string[]>> {
    const found = await this.#call((bounded) => this.#ports.api.find(handle, bounded), statusTimeoutMs);
    if ('failure' in found) return found;
    const handles = [...this.#open, ...this.#collected, ...this.#pending];
    const known = new Set(handles.flatMap(({ batchIds }) => batchIds));
    return { value: found.value.filter((id) => !known.has(id)) };
  }

  /** Looks until the provider answers, because a server that has lost one answer may lose the next. */
  async #search(handle: BatchHandle): Promise<BatchReply<readonly string[]>> {
    const { clock, signal } = this.#ports;
    for (let searches = 1; ; searches += 1) {
      const found = await this.#find(handle);
      if ('value' in found || searches >= maxSubmits || signal.aborted || !isRetryable(found.failure)) return found;
      await clock.wait(delayAfter(found.failure, searches), signal);
    }
  }

  /** Handles whose batch exists, as far as the provider says. */
  async #confirm(handle: BatchHandle): Promise<BatchHandle | undefined> {
    if (handle.batchIds.length > 0) return handle;
    const found = await this.#find(handle);
    if ('failure' in found) {
      this.#fail(handle.keys, found.failure, false);
      this.#pending.push(handle);
      return undefined;
    }
    if (found.value.length === 0) {
      this.#ports.forget(handle);
      return undefined;
    }
    return this.#remember(handle, found.value);
  }

  #remember(handle: BatchHandle, batchIds: readonly string[], isConfirmed = false): BatchHandle {
    const known: BatchHandle = { ...handle, batchIds, isConfirmed };
    // If this fails, the next run finds the batch at the provider.
    this.#ports.save(known);
    return known;
  }

  async #submitMissing(): Promise<void> {
    const { api, refuse, signal } = this.#ports;
    const covered = new Set([...this.#open, ...this.#pending].flatMap(({ keys }) => keys));
    const chunks = chunkItems(this.#items(), {
      api,
      isWanted: ({ key }) => !covered.has(key) && !this.#answers.has(key),
      refuse,
      onRefused: ({ key }, failure) => this.#fail([key], failure, false),
    });
    for await (const chunk of chunks) {
      if (signal.aborted) return;
      await this.#submit(chunk);
    }
  }

  async #submit(chunk: readonly { readonly key: string; readonly text: string }[]): Promise<void> {
    const { api, clock, signal, say } = this.#ports;
    const handle = this.#ports.newHandle(chunk.map(({ key }) => key));
    if (!this.#ports.save(handle)) return;
    const { name } = handle;
    for (let submits = 1; ; submits += 1) {
      const reply = await this.#call((bounded) => api.submit({ name, items: chunk }, bounded));
      if ('value' in reply) {
        this.#open.push(this.#remember(handle, [reply.value], true));
        say(`a batch of ${formatCount(chunk.length, 'request')} was submitted: ${reply.value}`);
        return;
      }
      const { failure } = reply;
      if (signal.aborted) {
        this.#pending.push(handle);
        return;
      }
      const isUnclear = unclear.has(failure.kind);
      if (!isUnclear && !isRetryable(failure)) {
        this.#ports.forget(handle);
        this.#fail(handle.keys, failure);
        return;
      }
      if (submits < maxSubmits) await clock.wait(delayAfter(failure, submits), signal);
      const found = isUnclear ? await this.#search(handle) : { value: [] };
      if ('value' in found && found.value.length > 0) {
        this.#open.push(this.#remember(handle, found.value));
        return;
      }
      // Before the provider has said that it took none, a further submission could be a second batch.
      if (submits >= maxSubmits || signal.aborted || 'failure' in found) {
        this.#pending.push(handle);
        if (!signal.aborted) this.#fail(handle.keys, failure);
        return;
      }
    }
  }

  /** Waits for all open batches; true if the provider has lost one, which is then submitted again. */
  async #awaitOpen(isLastRound: boolean): Promise<boolean> {
    const { clock, signal } = this.#ports;
    const failures = new Map<BatchHandle, number>();
    let waitMs = firstPollMs;
    let hasLost = false;
    for (;;) {
      const stillOpen: BatchHandle[] = [];
      for (const handle of this.#open) {
        const result = signal.aborted ? 'wait' : await this.#poll(handle);
        if (result === 'done') this.#collected.push(handle);
        else if (result === 'wait') stillOpen.push(handle);
        else if (result === 'lost') {
          this.#ports.forget(handle);
          if (isLastRound) this.#fail(handle.keys, lost);
          hasLost = true;
        } else {
          const failed = (failures.get(handle) ?? 0) + 1;
          failures.set(handle, failed);
          // A 404 here is about the answers of a known batch. They may be late, or deleted and impossible to collect.
          const isMissing = result.status === 404;
          const mayPass = isRetryable(result) || result.kind === 'malformed' || isMissing;
          if (signal.aborted || (mayPass && failed < maxFailedPolls)) stillOpen.push(handle);
          else {
            this.#fail(handle.keys, isMissing ? deleted : result);
            (isMissing ? this.#collected : this.#pending).push(handle);
          }
        }
      }
      this.#open = stillOpen;
      if (stillOpen.length === 0 || signal.aborted) return hasLost;
      await clock.wait(waitMs, signal);
      waitMs = Math.min(waitMs * pollGrowth, longestPollMs);
    }
  }

  async #poll(handle: BatchHandle): Promise<PollResult> {
    const { api } = this.#ports;
    const [id, ...others] = handle.batchIds;
    if (id === undefined) return 'lost';
    const status = await this.#call((bounded) => api.read(id, bounded), statusTimeoutMs);
    if ('failure' in status) return status.failure;
    switch (status.value.state) {
      case 'running':
        return 'wait';
      case 'unknown':
        return others.length === 0 ? 'lost' : this.#poll(this.#remember(handle, others));
      case 'refused':
        this.#fail(handle.keys, status.value.failure);
        return 'done';
      case 'ended':
        break;
    }
    const found = await this.#call((bounded) => api.collect(id, handle, bounded));
    if ('failure' in found) return found.failure;
    const isOwn = handle.keys.some((key) => found.value.has(key));
    if (!isOwn && !handle.isConfirmed) {
      return others.length === 0 ? 'lost' : this.#poll(this.#remember(handle, others));
    }
    for (const key of handle.keys) {
      this.#answers.set(key, { answer: found.value.get(key) ?? unanswered, isSent: true });
    }
    return 'done';
  }
}

/** The wait that the server requests, else twice as long after each try. */
function delayAfter({ retryAfterMs }: ProviderFailure, tries: number): number {
  return Math.min(retryAfterMs ?? firstPollMs * 2 ** tries, maxRetryAfterMs);
}

/** After these it is unknown whether the batch was taken, so the provider is searched before a second submission. */
const unclear: ReadonlySet<FailureKind> = new Set(['network', 'timeout', 'server', 'malformed', 'aborted']);

const lost: ProviderFailure = { kind: 'server', message: 'the provider does not know the batch that it took' };

const deleted: ProviderFailure = { kind: 'server', message: 'the provider no longer has the answers of the batch' };

const unanswered: BatchAnswer = {
  failure: { kind: 'malformed', message: 'the batch ended without an answer to this request' },
};

interface ChunkOptions {
  readonly api: Pick<BatchApi, 'encode' | 'maxRequests' | 'maxBytes'>;
  readonly isWanted: (item: BatchItem) => boolean;
  readonly refuse: (item: BatchItem) => ProviderFailure | undefined;
  readonly onRefused: (item: BatchItem, failure: ProviderFailure) => void;
}

/** Encodes requests for the API, in chunks that fit into one batch each. A request that occurs twice is sent once. */
async function* chunkItems(
  items: Iterable<BatchItem>,
  { api, isWanted, refuse, onRefused }: ChunkOptions,
): AsyncGenerator<readonly { readonly key: string; readonly text: string }[]> {
  const taken = new Set<string>();
  let chunk: { readonly key: string; readonly text: string }[] = [];
  let length = 0;
  for (const item of items) {
    if (taken.has(item.key) || !isWanted(item)) continue;
    taken.add(item.key);
    const encoded = await api.encode(item);
    const refusal = 'failure' in encoded ? encoded.failure : refuse(item);
    if ('failure' in encoded || refusal !== undefined) {
      if (refusal !== undefined) onRefused(item, refusal);
      continue;
    }
    // UTF-8 takes at most three bytes for one UTF-16 code unit.
    const bytes = encoded.value.length * 3;
    if (chunk.length > 0 && (chunk.length >= api.maxRequests || length + bytes > api.maxBytes)) {
      yield chunk;
      chunk = [];
      length = 0;
    }
    chunk.push({ key: item.key, text: encoded.value });
    length += bytes;
  }
  if (chunk.length > 0) yield chunk;
}

/** Answers that came through batch APIs, by the keys of their requests. */
export interface BatchAnswers {
  add(answers: ReadonlyMap<string, SentAnswer>): void;
  /** Answers from the added answers. Asks for everything else, such as later turns of a conversation. */
  wrap(next: Complete, keyOf: (request: CompletionRequest) => string): Complete;
}

export function createBatchAnswers(): BatchAnswers {
  const answers = new Map<string, SentAnswer>();
  const booked = new Set<string>();
  return {
    add(found) {
      for (const [key, answer] of found) answers.set(key, answer);
    },
    wrap: (next, keyOf) => async (request, signal) => {
      const key = keyOf(request);
      const found = answers.get(key);
      if (found === undefined) return next(request, signal);
      const isFirst = !booked.has(key);
      booked.add(key);
      return describeOutcome(found, isFirst);
    },
  };
}

/** A request that several cells share was sent and billed once. */
function describeOutcome({ answer, isSent }: SentAnswer, isFirst: boolean): CompletionOutcome {
  const attempts = isSent && isFirst ? 1 : 0;
  if ('failure' in answer) return { status: 'failed', failure: answer.failure, attempts, batched: true };
  return { status: 'completed', completion: answer.completion, cached: !isFirst, attempts, batched: true };
}
