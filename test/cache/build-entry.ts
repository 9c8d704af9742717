import type { CacheEntry } from '../../src/cache/cache-entry.ts';
import { cacheKey } from '../../src/cache/cache-key.ts';
import type { Completion, CompletionRequest } from '../../src/model/run/completion.ts';

// No vitest here: child processes build entries too.

export function buildRequest(changes: Partial<CompletionRequest> = {}): CompletionRequest {
  return {
    adapter: 'openai',
    adapterVersion: '1',
    baseUrl: 'https://api.example.org/v1',
    model: 'small',
    messages: [{ role: 'user', content: 'I want my money back' }],
    params: { temperature: 0 },
    trial: 0,
    origin: { suite: 'support', prompt: 'v1', provider: 'openai:small', caseId: 'refund' },
    ...changes,
  };
}

/** A request that differs from others by its text. */
export function ask(content: string, changes: Partial<CompletionRequest> = {}): CompletionRequest {
  return buildRequest({ messages: [{ role: 'user', content }], ...changes });
}

export function answer(text: string, changes: Partial<Completion> = {}): Completion {
  return {
    text,
    toolCalls: [],
    finishReason: 'stop',
    latencyMs: 120,
    usage: { inputTokens: 9, outputTokens: 3 },
    ...changes,
  };
}

export function buildEntry(
  request: CompletionRequest,
  text: string,
  createdAt = '2026-11-24T15:30:12.000Z',
): CacheEntry {
  return { key: cacheKey(request), createdAt, receivedAt: createdAt, request, completion: answer(text) };
}
