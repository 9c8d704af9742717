import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { systemErrorCode } from '../lib/storage-error.ts';
import type { LineRows } from './line-rows.ts';
import { createLineRows } from './line-rows.ts';
import type { ScannedLine } from './scan-lines.ts';
import type { SegmentFile, SegmentSizes } from './segment-files.ts';
import { defaultSegmentSizes, indexPathOf, nameSegmentFile, partPathOf } from './segment-files.ts';
import { writeSegmentIndex } from './segment-index.ts';
import type { SegmentTally } from './segment-tally.ts';
import { createSegmentTally, tallyLine } from './segment-tally.ts';

export interface SegmentPublisher {
  /** Bytes that nobody sees yet. */
  readonly size: number;
  /** Takes note of a line that is to be appended and will then stand at this offset. */
  note(line: ScannedLine, offset: number): void;
  append(lines: Buffer): void;
  /**
   * Shows what was appended to everyone, safe from a power cut and with its index: readers go on without a look at its
   * lines. False where somebody has removed it in the meantime. Throws system errors, as `append` does.
   */
  publish(): boolean;
  /** Drops what was not published. */
  close(): void;
}

/** Writes segments that stand in their folder whole or not at all. */
export function createSegmentPublisher(
  folder: string,
  now: () => Date,
  { indexMinBytes }: SegmentSizes = defaultSegmentSizes,
): SegmentPublisher {
  let part: Part | undefined;
  let isGone = false;

  return {
    get size() {
      return part?.size ?? 0;
    },
    note(line, offset) {
      part ??= beginPart();
      const head = tallyLine(part.tally, line, offset);
      if (head !== undefined) setLater(part.rows, head.key, offset, head.createdAtMs);
    },
    append(lines) {
      part ??= beginPart();
      for (let done = 0; done < lines.length; ) done += writeSync(part.fd, lines, done);
      part.size += lines.length;
    },
    publish,
    close,
  };

  function beginPart(): Part {
    const file = nameSegmentFile(folder, now());
    return {
      file,
      fd: openSync(partPathOf(folder, file), 'wx+'),
      size: 0,
      rows: createLineRows(),
      tally: createSegmentTally(),
    };
  }

  function publish(): boolean {
    if (part === undefined) return !isGone;
    const { file, fd, size, rows, tally } = part;
    fsyncSync(fd);
    const indexPath = indexPathOf(folder, file);
    if (size >= indexMinBytes) writeSegmentIndex(indexPath, fd, { ...tally, coveredTo: size, table: rows.tableOf(0) });
    try {
      renameSync(partPathOf(folder, file), file.path);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      rmSync(indexPath, { force: true });
      isGone = true;
    }
    part = undefined;
    closeSync(fd);
    return !isGone;
  }

  function close(): void {
    if (part === undefined) return;
    const { file, fd } = part;
    part = undefined;
    closeSync(fd);
    rmSync(partPathOf(folder, file), { force: true });
    rmSync(indexPathOf(folder, file), { force: true });
  }
}

interface Part {
  readonly file: SegmentFile;
  readonly fd: number;
  size: number;
  readonly rows: LineRows;
  readonly tally: SegmentTally;
}

/** Of two lines of a segment with one key the later one counts, and of two of one moment the one further down. */
function setLater(rows: LineRows, key: string, offset: number, createdAtMs: number): void {
  const row = rows.find(key);
  if (row === undefined || createdAtMs >= rows.rowAt(row).createdAtMs)
    rows.setKey(key, { segment: 0, offset, createdAtMs });
}
