import type { Catalog } from './read-catalog.ts';

export interface KeptLines {
  /** For each segment of the catalog the offsets of its lines that stay, in their order. */
  readonly kept: readonly Float64Array[];
  /** Entries that don't stay. */
  readonly removed: number;
}

export interface KeptLimits {
  readonly oldestMs: number;
  readonly maxBytes: number;
}

/** Which lines stay: those that count, are young enough and fit. The oldest go first. */
export function selectKeptLines(catalog: Catalog, { oldestMs, maxBytes }: KeptLimits): KeptLines {
  const isKept = new Uint8Array(catalog.size);
  const counts = catalog.segments.map(() => 0);
  let [entries, keptBytes, keptCount] = [0, 0, 0];
  for (let index = 0; index < catalog.size; index += 1) {
    const { segment, createdAtMs, length } = catalog.lineAt(index);
    if (catalog.segments[segment]?.isGone !== false) continue;
    entries += 1;
    if (createdAtMs < oldestMs) continue;
    isKept[index] = 1;
    counts[segment] = (counts[segment] ?? 0) + 1;
    keptBytes += length + 1;
    keptCount += 1;
  }
  for (const index of keptBytes > maxBytes ? byAge(catalog) : []) {
    if (keptBytes <= maxBytes) break;
    if (isKept[index] === 0) continue;
    const { segment, length } = catalog.lineAt(index);
    isKept[index] = 0;
    counts[segment] = (counts[segment] ?? 0) - 1;
    keptBytes -= length + 1;
    keptCount -= 1;
  }
  const kept = counts.map((count) => new Float64Array(count));
  const filled = counts.map(() => 0);
  for (let index = 0; index < catalog.size; index += 1) {
    if (isKept[index] === 0) continue;
    const { segment, offset } = catalog.lineAt(index);
    const at = filled[segment] ?? 0;
    const offsets = kept[segment];
    if (offsets !== undefined) offsets[at] = offset;
    filled[segment] = at + 1;
  }
  for (const offsets of kept) offsets.sort();
  return { kept, removed: entries - keptCount };
}

/** The oldest first. */
function byAge(catalog: Catalog): Uint32Array {
  const times = Float64Array.from({ length: catalog.size }, (_, index) => catalog.lineAt(index).createdAtMs);
  return Uint32Array.from(times.keys()).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
}
