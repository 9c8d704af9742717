import type { Complete, Completion, CompletionOutcome, CompletionRequest } from '../model/run/completion.ts';
import type { CacheMode } from '../model/run/record.ts';
import { quote } from '../text/shorten.ts';
import { renderEntry, type StoredAnswer } from './cache-entry.ts';
import { cacheKey } from './cache-key.ts';
import type { CacheStore } from './cache-store.ts';
import type { SharedCache } from './shared-cache.ts';
import { withDedupe } from './with-dedupe.ts';

export interface CacheOptions {
  readonly store: CacheStore;
  readonly mode: CacheMode;
  /** Read for answers that the store does not have; gets every new answer. */
  readonly shared?: Pick<SharedCache, 'read' | 'write'>;
  /** The wall clock. */
  readonly now: () => Date;
  /** True once for an answer that this run got before it was killed, rather than another run. */
  readonly isOwn?: (receivedAt: string, key: string) => boolean;
  /** True if answers are streamed. Stored answers that were not streamed are asked again. */
  readonly isTimed?: boolean;
  /** Called for an answer of an entry that another machine wrote, or that was imported or brought along. */
  readonly onForeign?: () => void;
  /** Keeps further answers out of the store, by the text that would be written. */
  readonly canStore?: (text: string) => boolean;
}

/**
 * Answers from the store if the mode allows it, and stores new answers. Failures are never stored, so that the next run
 * tries again.
 */
export function withCache(
  next: Complete,
  { store, shared, mode, now, isOwn, isTimed = false, onForeign, canStore = () => true }: CacheOptions,
): Complete {
  const ask = withDedupe(async (request, signal) => {
    const outcome = await next(request, signal);
    if (outcome.status !== 'completed') return outcome;
    const createdAt = now().toISOString();
    const { receivedAt = createdAt, completion } = outcome;
    // A cached answer is stored already.
    if (mode !== 'off' && !outcome.cached && isStorable(completion)) {
      const entry = { key: cacheKey(request), createdAt, receivedAt, request, completion };
      const text = renderEntry(entry);
      if (canStore(text)) {
        store.write(entry, text);
        shared?.write(entry);
      }
    }
    return { receivedAt, ...outcome };
  });

  const hit = ({ key, completion, receivedAt }: StoredAnswer): CompletionOutcome =>
    isOwn?.(receivedAt, key) === true
      ? { status: 'completed', completion, cached: false, attempts: 1, receivedAt, isStored: true }
      : { status: 'completed', completion, cached: true, attempts: 0, receivedAt };
  // Nothing is sent for a replay, so that any answer is better than none.
  const isUsable = ({ completion }: StoredAnswer) =>
    !isTimed || mode === 'replay' || completion.firstTokenMs !== undefined;

  return async (request, signal) => {
    if (mode !== 'use' && mode !== 'replay') return ask(request, signal);
    const own = store.read(cacheKey(request));
    if (own !== undefined && isUsable(own)) {
      if (own.isForeign === true) onForeign?.();
      return hit(own);
    }
    const others = await shared?.read(cacheKey(request));
    if (others !== undefined && isUsable(others)) {
      if (mode === 'use') store.write(others);
      return hit(others);
    }
    return mode === 'replay' ? miss(request) : ask(request, signal);
  };
}

/** An empty answer, or one that a filter stopped, may be different next time. */
function isStorable({ text, toolCalls, refusal = '', finishReason }: Completion): boolean {
  return finishReason !== 'contentFilter' && (text !== '' || toolCalls.length > 0 || refusal !== '');
}

function miss(request: CompletionRequest): CompletionOutcome {
  const { adapter, model, origin } = request;
  const message =
    `no cached answer under ${cacheKey(request)} for provider ${quote(origin.provider)} (${adapter}:${model}); ` +
    'run once with `--cache use` to ask the provider';
  return { status: 'failed', failure: { kind: 'cacheMiss', message }, attempts: 0 };
}
