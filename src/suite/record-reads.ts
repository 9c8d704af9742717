import type { SourceGlob, Sources } from '../model/suite.ts';
import { isNegative } from '../text/glob.ts';
import type { ProjectFiles } from './files.ts';

/** What was asked of the disk, by absolute paths. */
export interface ReadLog {
  readonly files: Set<string>;
  readonly missing: Set<string>;
  readonly globs: SourceGlob[];
}

export function createReadLog(): ReadLog {
  return { files: new Set(), missing: new Set(), globs: [] };
}

/** The same files; each read and look-up is noted, so that what something depends on need not be guessed. */
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
      // What a pattern takes away can only be less than what the others bring.
      log.globs.push(...patterns.filter((pattern) => !isNegative(pattern)).map((pattern) => ({ pattern, folder })));
      return files.glob(patterns, folder);
    },
  };
}

export function sourcesOf({ files, missing, globs }: ReadLog, { relative }: Pick<ProjectFiles, 'relative'>): Sources {
  // What is no text fails to be read and may still be hashed.
  const absent = [...missing].filter((path) => !files.has(path));
  return {
    files: [...files].map(relative).sort(),
    missing: absent.map(relative).sort(),
    globs: globs.map(({ pattern, folder }) => ({ pattern, folder: relative(folder) })),
  };
}
