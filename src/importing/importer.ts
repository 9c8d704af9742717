import type { FileBytes, ProjectFiles } from '../suite/files/project-files.ts';
import type { ImportedSuite, Unreadable } from './draft.ts';

/** The file that is imported, and what of its surroundings an importer may read. */
export interface ImportSource {
  /** Absolute. */
  readonly path: string;
  /** The path as it is shown. */
  readonly shown: string;
  readonly text: string;
  readonly files: ProjectFiles;
  readonly cwd: string;
  /** Where the suite is written, from the working folder. */
  readonly target: string;
  /** The field of a data set that holds the golden answer; false where none does. */
  readonly expected?: string | false;
}

/** How the files of one format become suites. */
export interface Importer {
  /** Of the format, as in `llmcheck import NAME`. */
  readonly name: string;
  readonly description: string;
  /** What the argument names. */
  readonly input: string;
  /** An argument. */
  readonly example: string;
  /** True where the user may name the field that holds the golden answer. */
  readonly takesExpected?: true;
  readonly read: (source: ImportSource) => Promise<ImportedSuite | Unreadable> | ImportedSuite | Unreadable;
  /** The file to read for the path that was given; by default the path, which may be no folder. */
  readonly findFile?: (path: string, given: string) => string;
  /** Names the suite by default, in place of the file's name. */
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
