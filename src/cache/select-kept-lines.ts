import type { FoundLine, SegmentLog } from './segment-log.ts';

export interface KeptLines {
  /** Byte offsets by the id of their segment. */
  readonly kept: ReadonlyMap<string, ReadonlySet<number>>;
  /** Entries that don't stay. */
  readonly removed: number;
}

export interface KeptLimits {
  readonly oldestMs: number;
  readonly maxBytes: number;
}

/** Which lines stay: those that count, are young enough and fit. The oldest go first. */
export function selectKeptLines(log: SegmentLog, { oldestMs, maxBytes }: KeptLimits): KeptLines {
  const lines: (FoundLine & { readonly key: string })[] = [];
  let [entries, keptBytes] = [0, 0];
  for (const key of log.keys()) {
    const line = log.find(key);
    if (line === undefined) continue;
    entries += 1;
    if (line.createdAtMs < oldestMs) continue;
    lines.push({ ...line, key });
    keptBytes += line.bytes;
  }
  if (keptBytes > maxBytes) lines.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.key < b.key ? -1 : 1));
  let dropped = 0;
  for (const { bytes } of lines) {
    if (keptBytes <= maxBytes) break;
    keptBytes -= bytes;
    dropped += 1;
  }
  const kept = new Map<string, Set<number>>();
  for (const { segmentId, offset } of lines.slice(dropped)) {
    const offsets = kept.get(segmentId);
    if (offsets === undefined) kept.set(segmentId, new Set([offset]));
    else offsets.add(offset);
  }
  return { kept, removed: entries - lines.length + dropped };
}
