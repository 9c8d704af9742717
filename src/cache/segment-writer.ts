import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { StorageError, systemErrorCode } from '../lib/storage-error.ts';
import type { SegmentFile } from './segment-files.ts';
import { nameSegmentFile } from './segment-files.ts';

/** Where a write landed. */
export interface WrittenAt {
  readonly file: SegmentFile;
  readonly offset: number;
}

export interface SegmentWriter {
  /** Appends whole lines in one piece. Once it returns, a killed process takes nothing of them away. Throws system errors. */
  append(lines: Buffer): WrittenAt;
  /** The open file, so that what was just written is read through it; undefined before the first write. */
  openSegment(): { readonly fd: number; readonly file: SegmentFile } | undefined;
  /** Waits until the open segment is safe from a power cut too. */
  sync(): void;
  /** A later write begins another segment. */
  close(): void;
}

/** Appends to a segment of its own, which is begun with the first write. Nobody else ever writes to it. */
export function createSegmentWriter(folder: string, now: () => Date): SegmentWriter {
  let segment: { readonly fd: number; readonly file: SegmentFile; size: number } | undefined;

  return { append, openSegment: () => segment, sync, close };

  function append(lines: Buffer): WrittenAt {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      segment ??= { ...beginSegment(folder, now()), size: 0 };
      const { file, size: offset } = segment;
      writeWhole(segment.fd, lines);
      segment.size += lines.length;
      // Looked at after the write: a file that was claimed before it may have been copied without these lines.
      if (existsSync(file.path)) return { file, offset };
      close();
    }
    throw new StorageError('Writing', folder, 'ENOENT');
  }

  function writeWhole(fd: number, lines: Buffer): void {
    try {
      for (let done = 0; done < lines.length; ) done += writeSync(fd, lines, done);
    } catch (error) {
      // Half a line may be there, and nothing may follow it. Where it stands alone, nobody misses the file.
      const { file, size } = segment ?? {};
      close();
      if (file !== undefined && size === 0) rmSync(file.path, { force: true });
      throw error;
    }
  }

  function sync(): void {
    if (segment !== undefined) fsyncSync(segment.fd);
  }

  function close(): void {
    if (segment === undefined) return;
    const { fd } = segment;
    segment = undefined;
    closeSync(fd);
  }
}

const maxAttempts = 20;

function beginSegment(folder: string, now: Date): { readonly fd: number; readonly file: SegmentFile } {
  const file = nameSegmentFile(folder, now);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { fd: openSync(file.path, 'ax+'), file };
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || attempt === maxAttempts) throw error;
      // Again and again: whoever clears the cache removes a folder that is still empty.
      mkdirSync(folder, { recursive: true });
    }
  }
}
