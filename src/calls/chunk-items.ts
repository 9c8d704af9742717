import type { BatchApi, BatchItem } from '../model/batch.ts';
import type { ProviderFailure } from '../model/completion.ts';

export interface ChunkOptions {
  readonly api: Pick<BatchApi, 'encode' | 'maxRequests' | 'maxBytes'>;
  readonly isWanted: (item: BatchItem) => boolean;
  readonly refuse: (item: BatchItem) => ProviderFailure | undefined;
  readonly onRefused: (item: BatchItem, failure: ProviderFailure) => void;
}

/** Encodes requests for the API, in chunks that fit into one batch each. A request that occurs twice is sent once. */
export async function* chunkItems(
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
