import { join } from 'node:path';
import * as z from 'zod';
import { isDistrusted, isLink, privateFile } from '../files/state-folder.ts';
import { readOrUndefined, replaceFile, StorageError, unlessRefused } from '../files/write-files.ts';
import { parseJson } from '../json/parse-json.ts';

/** The name of the index in the folder of the answers. */
export const indexName = 'index.json';

const count = z.int().nonnegative();

const segmentIndexSchema = z.strictObject({
  name: z.string(),
  /** The bytes and lines that `answers` covers. */
  bytes: count,
  lines: count,
  /** The key of each answer, and the place of its line in bytes. */
  answers: z.array(z.tuple([z.string(), count, count])),
});

export type SegmentIndex = z.infer<typeof segmentIndexSchema>;

export const logIndexSchema = z.strictObject({ format: z.literal(1), segments: z.array(segmentIndexSchema) });

/** The index by segment. An index that can't be read or trusted is as good as none: the segments say the same. */
export function loadIndex(folder: string): ReadonlyMap<string, SegmentIndex> {
  const path = join(folder, indexName);
  if (isLink(path) || isDistrusted(path)) return new Map();
  const json = parseJson(unlessRefused(() => readOrUndefined(path), undefined) ?? '');
  const index = json.ok ? logIndexSchema.safeParse(json.value) : undefined;
  return new Map((index?.data?.segments ?? []).map((segment) => [segment.name, segment]));
}

/** Writes the index. A disk that refuses leaves the old one. */
export function saveIndex(folder: string, segments: readonly SegmentIndex[]): void {
  const path = join(folder, indexName);
  if (isLink(path)) return;
  try {
    replaceFile(path, `${JSON.stringify({ format: 1, segments })}\n`, { mode: privateFile });
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
  }
}
