import type { ConnectBatch } from './batch-client.ts';

/** Batch APIs by adapter, imported on first use. */
const batchApis: Readonly<Record<string, () => Promise<ConnectBatch>>> = {
  openai: async () => (await import('./openai-batch.ts')).connectOpenaiBatch,
  anthropic: async () => (await import('./anthropic-batch.ts')).connectAnthropicBatch,
  gemini: async () => (await import('./gemini-batch.ts')).connectGeminiBatch,
};

/** Finds a batch API; undefined if the adapter has none that llmcheck supports. */
export function lookupBatchApi(adapter: string): (() => Promise<ConnectBatch>) | undefined {
  return Object.hasOwn(batchApis, adapter) ? batchApis[adapter] : undefined;
}

export const batchAdapters: readonly string[] = Object.keys(batchApis);
