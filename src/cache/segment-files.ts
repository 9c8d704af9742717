import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
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

/** The segments of a folder in the order of their ids; none where it is missing. Other files are not seen. */
export function listSegmentFiles(folder: string): readonly SegmentFile[] {
  const files: SegmentFile[] = [];
  for (const item of readEntries(folder)) {
    const [, id, claimedAt] = item.isFile() ? (segmentName.exec(item.name) ?? []) : [];
    if (id === undefined) continue;
    const path = join(folder, item.name);
    files.push(claimedAt === undefined ? { id, path } : { id, path, claimedAtMs: Number(claimedAt) });
  }
  return files.sort((a, b) => (a.id < b.id ? -1 : 1));
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
  return claimedAtMs !== undefined && Math.abs(nowMs - claimedAtMs) < claimLifeMs;
}

const segmentName = /^(\d{8}T\d{9}Z-[0-9a-f]{12})(?:\.claimed-(\d{1,15})-[0-9a-f]{12})?\.jsonl$/;
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
