/** The files and patterns that loading used. Paths are relative to the project root, with forward slashes. */
export interface Sources {
  /** Files that were read, or are read by a later stage. */
  readonly files: readonly string[];
  /** Paths where no file exists yet. A file created there is a source too. */
  readonly missing: readonly string[];
  /** Patterns that were expanded. A file that starts or stops to match one is a source too. */
  readonly globs: readonly SourceGlob[];
  /** What own code reads that can't be followed, in words; absent if there is nothing. */
  readonly unfollowed?: readonly string[];
}

export interface SourceGlob {
  readonly pattern: string;
  readonly folder: string;
}
