import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { StorageError } from '../lib/storage-error.ts';
import { scanLines } from './scan-lines.ts';
import type { SegmentFile } from './segment-files.ts';
import { claimSegmentFile, isBeingRewritten, listSegmentFiles } from './segment-files.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { createSegmentWriter } from './segment-writer.ts';

export interface SegmentRewrite {
  readonly file: SegmentFile;
  /** Told the byte offset of each whole line. */
  readonly keep: (offset: number) => boolean;
}

/**
 * Replaces segments by those of their lines that are kept, while others may be reading and writing.
 * A segment is removed when its lines stand elsewhere, so a process that is killed here leaves some of them twice and
 * loses none. Returns how many bytes the disk has won. Throws system errors.
 */
export function rewriteSegments(folder: string, rewrites: readonly SegmentRewrite[], now: () => Date): number {
  const writer = createSegmentWriter(folder, now);
  let copied: { readonly path: string; readonly wonBytes: number }[] = [];
  let [wonBytes, unsyncedBytes] = [0, 0];
  try {
    for (const { file, keep } of rewrites) {
      const nowMs = now().getTime();
      const claimed = isBeingRewritten(file, nowMs) ? undefined : claimSegmentFile(file, folder, nowMs);
      if (claimed === undefined) continue;
      const { size, keptBytes } = copyLines(claimed, keep, writer);
      copied.push({ path: claimed.path, wonBytes: size - keptBytes });
      unsyncedBytes += keptBytes;
      // Not at the very end: a full disk has no room for all of them twice.
      if (unsyncedBytes === 0 || unsyncedBytes > maxUnsyncedBytes) removeCopied();
    }
    removeCopied();
  } finally {
    writer.close();
  }
  return wonBytes;

  function removeCopied(): void {
    if (unsyncedBytes > 0) writer.sync();
    for (const { path, wonBytes: bytes } of copied) {
      rmSync(path, { force: true });
      wonBytes += bytes;
    }
    copied = [];
    unsyncedBytes = 0;
  }
}

/** Joins small segments that nobody has written to for an hour, where there are very many. */
export function mergeSmallSegments(folder: string, now: () => Date): void {
  const files = listSegmentFiles(folder);
  if (files.length <= manySegments) return;
  const nowMs = now().getTime();
  const small = files.filter((file) => {
    const stats = statSync(file.path, { throwIfNoEntry: false });
    return stats !== undefined && stats.size < smallBytes && Math.abs(nowMs - stats.mtimeMs) > quietMs;
  });
  if (small.length <= manySegments / 2) return;
  rewriteSegments(
    folder,
    small.map((file) => ({ file, keep: () => true })),
    now,
  );
}

const maxUnsyncedBytes = 64 * 1024 * 1024;
const manySegments = 200;
const smallBytes = 8 * 1024 * 1024;
const quietMs = 3_600_000;
const batchBytes = 1024 * 1024;

function copyLines({ path }: SegmentFile, keep: SegmentRewrite['keep'], writer: SegmentWriter) {
  const fd = openSync(path, 'r');
  let keptBytes = 0;
  let [from, to] = [0, 0];
  try {
    scanLines(fd, 0, ({ offset, length }) => {
      if (!keep(offset)) return;
      if (offset !== to || to - from >= batchBytes) {
        copyRange();
        from = offset;
      }
      to = offset + length + 1;
    });
    copyRange();
    return { size: statSync(path, { throwIfNoEntry: false })?.size ?? 0, keptBytes };
  } finally {
    closeSync(fd);
  }

  /** Whole lines only: a writer may have to go on in another segment after any piece. */
  function copyRange(): void {
    if (to === from) return;
    const bytes = Buffer.allocUnsafe(to - from);
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(fd, bytes, done, bytes.length - done, from + done);
      if (count === 0) throw new StorageError('Reading', path, 'EIO');
      done += count;
    }
    writer.append(bytes);
    keptBytes += bytes.length;
  }
}
