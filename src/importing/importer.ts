import type { FileBytes, ProjectFiles } from '../suite/files/project-files.ts';
import type { ImportedSuite, Unreadable } from './draft.ts';

/** The imported file, and the surroundings that an importer may read. */
export interface ImportSource {
  /** Absolute path. */
  readonly path: string;
  /** Path in messages. */
  readonly shown: string;
  readonly text: string;
  readonly files: ProjectFiles;
  readonly cwd: string;
  /** Path of the suite, relative to the working folder. */
  readonly target: string;
  /** Data set field with the golden answer; false if there is none. */
  readonly expected?: string | false;
}

/** Converts files of one format to suites. */
export interface Importer {
  /** Format name, as in `llmcheck import NAME`. */
  readonly name: string;
  readonly description: string;
  /** Kind of file that the argument names. */
  readonly input: string;
  /** Example of an argument. */
  readonly example: string;
  /** True if the user may name the field of the golden answer. */
  readonly takesExpected?: true;
  readonly read: (source: ImportSource) => Promise<ImportedSuite | Unreadable> | ImportedSuite | Unreadable;
  /** Finds the file to read. Default: the given path, which must not be a folder. */
  readonly findFile?: (path: string, given: string) => string;
  /** Default name of the suite. Default: the file's name. */
  readonly nameOf?: (path: string) => string;
}

export function readFirst(file: FileBytes, count: number): Uint8Array {
  const { read, close } = file.open();
  const bytes = Buffer.alloc(count);
  try {
    return bytes.subarray(0, read(bytes, 0, count, 0));
  } finally {
    close();
  }
}
