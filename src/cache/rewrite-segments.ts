import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { StorageError, systemErrorCode } from '../lib/storage-error.ts';
import { scanLines } from './scan-lines.ts';
import type { SegmentFile, SegmentSizes } from './segment-files.ts';
import {
  claimSegmentFile,
  defaultSegmentSizes,
  isAtWork,
  isBeingRewritten,
  listSegmentFiles,
  removeLeftovers,
  removeSegmentFile,
} from './segment-files.ts';
import type { SegmentPublisher } from './segment-publisher.ts';
import { createSegmentPublisher } from './segment-publisher.ts';

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
export function rewriteSegments(
  folder: string,
  rewrites: readonly SegmentRewrite[],
  now: () => Date,
  sizes: SegmentSizes = defaultSegmentSizes,
): number {
  removeLeftovers(folder, (mtimeMs) => !isAtWork(mtimeMs, now().getTime()));
  const publisher = createSegmentPublisher(folder, now, sizes);
  let copied: { readonly file: SegmentFile; readonly wonBytes: number }[] = [];
  let wonBytes = 0;
  try {
    for (const { file, keep } of rewrites) {
      const nowMs = now().getTime();
      const claimed = isBeingRewritten(file, nowMs) ? undefined : claimSegmentFile(file, folder, nowMs);
      if (claimed === undefined) continue;
      const { size, keptBytes } = copyLines(claimed, keep, publisher, sizes.maxBytes);
      copied.push({ file: claimed, wonBytes: size - keptBytes });
      // Not at the very end: a full disk has no room for all of them twice.
      const isDue = publisher.size === 0 || publisher.size > maxUnpublishedBytes;
      if (isDue && !removeCopied()) return wonBytes;
    }
    removeCopied();
  } catch (error) {
    // Somebody has cleared the cache, and its folder with it.
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  } finally {
    publisher.close();
  }
  return wonBytes;

  /** False where the copies were removed by somebody else: what else there is stays as it is. */
  function removeCopied(): boolean {
    if (!publisher.publish()) return false;
    for (const { file, wonBytes: bytes } of copied) {
      removeSegmentFile(folder, file);
      wonBytes += bytes;
    }
    copied = [];
    return true;
  }
}

/** Joins small segments that nobody has written to for an hour, where there are very many. */
export function mergeSmallSegments(folder: string, now: () => Date, sizes: SegmentSizes = defaultSegmentSizes): void {
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
    sizes,
  );
}

const maxUnpublishedBytes = 64 * 1024 * 1024;
const manySegments = 200;
const smallBytes = 8 * 1024 * 1024;
const quietMs = 3_600_000;
const batchBytes = 1024 * 1024;

function copyLines({ path }: SegmentFile, keep: SegmentRewrite['keep'], publisher: SegmentPublisher, maxBytes: number) {
  const fd = openSync(path, 'r');
  let keptBytes = 0;
  let [from, to] = [0, 0];
  try {
    scanLines(fd, 0, (line) => {
      const { offset, length } = line;
      if (!keep(offset)) return;
      if (offset !== to || to - from >= batchBytes) {
        copyRange();
        from = offset;
      }
      publisher.note(line, publisher.size + offset - from);
      to = offset + length + 1;
    });
    copyRange();
    return { size: statSync(path, { throwIfNoEntry: false })?.size ?? 0, keptBytes };
  } finally {
    closeSync(fd);
  }

  function copyRange(): void {
    if (to === from) return;
    const bytes = Buffer.allocUnsafe(to - from);
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(fd, bytes, done, bytes.length - done, from + done);
      if (count === 0) throw new StorageError('Reading', path, 'EIO');
      done += count;
    }
    publisher.append(bytes);
    keptBytes += bytes.length;
    from = to;
    // What is copied twice, where this process is killed, is found once.
    if (publisher.size >= maxBytes) publisher.publish();
  }
}
