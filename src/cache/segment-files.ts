import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../lib/storage-error.ts';

/** A log that one process has written. Its name may change once, when it is claimed; its id never does. */
export interface SegmentFile {
  /** Sorts by the time at which the segment was begun. */
  readonly id: string;
  readonly path: string;
  /** When somebody took it to be rewritten. It is read like any other until it is gone. */
  readonly claimedAtMs?: number;
}

export interface SegmentSizes {
  /** From which on a segment has an index: a smaller one is looked through in no time. */
  readonly indexMinBytes: number;
  /** A larger one is followed by another, so that no process holds more lines of its own in memory than these. */
  readonly maxBytes: number;
}

export const defaultSegmentSizes: SegmentSizes = { indexMinBytes: 1024 * 1024, maxBytes: 256 * 1024 * 1024 };

/** What a cache folder holds; nothing where it is missing. Other files are not seen. */
export interface CacheFolder {
  /** In the order of their ids. */
  readonly segments: readonly SegmentFile[];
  /** Segments by id that have an index, or had one when they were there. */
  readonly indexed: ReadonlySet<string>;
  /** Names of files that are not finished, or never will be. */
  readonly unfinished: readonly string[];
}

export function listCacheFolder(folder: string): CacheFolder {
  const segments: SegmentFile[] = [];
  const indexed = new Set<string>();
  const unfinished: string[] = [];
  for (const item of readEntries(folder)) {
    const [, id, ending, claimedAt] = item.isFile() ? (fileName.exec(item.name) ?? []) : [];
    if (id === undefined || ending === undefined) continue;
    const path = join(folder, item.name);
    if (ending === indexEnding) indexed.add(id);
    else if (!ending.endsWith(segmentEnding)) unfinished.push(item.name);
    else segments.push(claimedAt === undefined ? { id, path } : { id, path, claimedAtMs: Number(claimedAt) });
  }
  segments.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { segments, indexed, unfinished };
}

/** The segments of a folder in the order of their ids. */
export function listSegmentFiles(folder: string): readonly SegmentFile[] {
  return listCacheFolder(folder).segments;
}

/** Where the index of a segment stands; it keeps its name when the segment is claimed. */
export function indexPathOf(folder: string, { id }: Pick<SegmentFile, 'id'>): string {
  return join(folder, `${id}${indexEnding}`);
}

/** Where a segment stands that nobody is to read before it is whole. */
export function partPathOf(folder: string, { id }: Pick<SegmentFile, 'id'>): string {
  return join(folder, `${id}${partEnding}`);
}

/** The segment first: one without its index is only slower. */
export function removeSegmentFile(folder: string, file: SegmentFile): void {
  rmSync(file.path, { force: true });
  rmSync(indexPathOf(folder, file), { force: true });
}

/** Removes what killed processes have left: unfinished files, and indexes of segments that are gone. */
export function removeLeftovers(folder: string, isOld: (mtimeMs: number) => boolean): void {
  const { segments, indexed, unfinished } = listCacheFolder(folder);
  const known = new Set(segments.map(({ id }) => id));
  const orphans = [...indexed].filter((id) => !known.has(id)).map((id) => `${id}${indexEnding}`);
  for (const name of [...unfinished, ...orphans]) {
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && isOld(stats.mtimeMs)) rmSync(path, { force: true });
  }
}

/** A segment's file that is not there yet. */
export function nameSegmentFile(folder: string, now: Date): SegmentFile {
  const id = `${now.toISOString().replaceAll(/[-:.]/g, '')}-${randomBytes(6).toString('hex')}`;
  return { id, path: join(folder, `${id}.jsonl`) };
}

/**
 * Takes a segment away from its writer and from everyone else who would rewrite it. The writer, who looks after each
 * write whether its file still bears its name, writes that line again elsewhere: what was acknowledged before is in the
 * claimed file, what comes after is not. Undefined where somebody else was faster.
 */
export function claimSegmentFile(file: SegmentFile, folder: string, nowMs: number): SegmentFile | undefined {
  const path = join(folder, `${file.id}.claimed-${nowMs}-${randomBytes(6).toString('hex')}.jsonl`);
  try {
    renameSync(file.path, path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return { id: file.id, path, claimedAtMs: nowMs };
}

/** True while whoever claimed the file may still be at it; a claim that is older belongs to a process that was killed. */
export function isBeingRewritten({ claimedAtMs }: SegmentFile, nowMs: number): boolean {
  return claimedAtMs !== undefined && isAtWork(claimedAtMs, nowMs);
}

/** The same of a file that is unfinished, by the time of the last write. */
export function isAtWork(sinceMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - sinceMs) < claimLifeMs;
}

const segmentEnding = '.jsonl';
const indexEnding = '.index';
const partEnding = '.part';
const fileName =
  /^(\d{8}T\d{9}Z-[0-9a-f]{12})((?:\.claimed-(\d{1,15})-[0-9a-f]{12})?\.jsonl|\.part|\.index(?:\.[0-9a-f]{12})?)$/;
const claimLifeMs = 600_000;

function readEntries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
