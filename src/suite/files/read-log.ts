import type { SourceGlob, Sources } from '../../model/suite/suite.ts';
import { isNegative } from '../../text/patterns/glob.ts';
import type { ProjectFiles } from './project-files.ts';

/** The files and folders that were read or looked up, by absolute paths. */
export interface ReadLog {
  readonly files: Set<string>;
  readonly missing: Set<string>;
  readonly globs: SourceGlob[];
}

export function createReadLog(): ReadLog {
  return { files: new Set(), missing: new Set(), globs: [] };
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
    glob(patterns, folder) {
      // A negative pattern only removes files that other patterns find.
      log.globs.push(...patterns.filter((pattern) => !isNegative(pattern)).map((pattern) => ({ pattern, folder })));
      return files.glob(patterns, folder);
    },
  };
}

export function sourcesOf({ files, missing, globs }: ReadLog, { relative }: Pick<ProjectFiles, 'relative'>): Sources {
  // A file that is not text can't be read, but can be hashed.
  const absent = [...missing].filter((path) => !files.has(path));
  return {
    files: [...files].map(relative).sort(),
    missing: absent.map(relative).sort(),
    globs: globs.map(({ pattern, folder }) => ({ pattern, folder: relative(folder) })),
  };
}
