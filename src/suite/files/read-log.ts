import type { SourceGlob, Sources } from '../../model/suite/sources.ts';
import { describeUnfollowed } from '../../text/code/find-reads.ts';
import { isNegative } from '../../text/patterns/glob.ts';
import type { ProjectFiles } from './project-files.ts';

/** The files and folders that were read or looked up, by absolute paths. */
export interface ReadLog {
  readonly files: Set<string>;
  readonly missing: Set<string>;
  readonly globs: SourceGlob[];
  /** What own code reads that can't be followed, in words. */
  readonly unfollowed: Set<string>;
}

export function createReadLog(): ReadLog {
  return { files: new Set(), missing: new Set(), globs: [], unfollowed: new Set() };
}

/** Wraps the files, so that the log gets every read and look-up and dependencies are exact. */
export function recordReads(files: ProjectFiles, log: ReadLog): ProjectFiles {
  const note = (path: string, isThere: boolean) => void (isThere ? log.files : log.missing).add(path);
  return {
    ...files,
    async read(path) {
      const found = await files.read(path);
      note(path, 'text' in found);
      return found;
    },
    readText(path) {
      const found = files.readText(path);
      note(path, 'text' in found);
      return found;
    },
    async readBytes(path) {
      const found = await files.readBytes(path);
      note(path, 'bytes' in found);
      return found;
    },
    hash(path) {
      const found = files.hash(path);
      note(path, found !== undefined);
      return found;
    },
    readsOf(start) {
      const reads = files.readsOf(start);
      for (const path of [...reads.files, ...reads.manifests]) note(path, true);
      for (const path of reads.missing) note(path, false);
      log.globs.push(...reads.globs);
      for (const read of reads.unfollowed) log.unfollowed.add(describeUnfollowed(read, (path) => files.display(path)));
      return reads;
    },
    glob(patterns, folder) {
      // A negative pattern only removes files that other patterns find.
      log.globs.push(...patterns.filter((pattern) => !isNegative(pattern)).map((pattern) => ({ pattern, folder })));
      return files.glob(patterns, folder);
    },
  };
}

export function sourcesOf(
  { files, missing, globs, unfollowed }: ReadLog,
  { relative }: Pick<ProjectFiles, 'relative'>,
): Sources {
  // A file that is not text can't be read, but can be hashed.
  const absent = [...missing].filter((path) => !files.has(path));
  return {
    files: [...files].map(relative).sort(),
    missing: absent.map(relative).sort(),
    globs: globs.map(({ pattern, folder }) => ({ pattern, folder: relative(folder) })),
    ...(unfollowed.size === 0 ? {} : { unfollowed: [...unfollowed].sort() }),
  };
}
