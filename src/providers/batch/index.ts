import type { ConnectBatch } from './batch-client.ts';

/** By adapter; each is imported when it is first used. */
const batchApis: Readonly<Record<string, () => Promise<ConnectBatch>>> = {
  openai: async () => (await import('./openai-batch.ts')).connectOpenaiBatch,
  anthropic: async () => (await import('./anthropic-batch.ts')).connectAnthropicBatch,
  gemini: async () => (await import('./gemini-batch.ts')).connectGeminiBatch,
};

/** Undefined where the adapter's API has no batches, or none that llmcheck supports. */
export function lookupBatchApi(adapter: string): (() => Promise<ConnectBatch>) | undefined {
  return Object.hasOwn(batchApis, adapter) ? batchApis[adapter] : undefined;
}

export const batchAdapters: readonly string[] = Object.keys(batchApis);
