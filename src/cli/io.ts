import type { WatchGraph } from '../changes/watch-graph.ts';

/** A stream as the program sees it. */
export interface TextSink {
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  /** Undefined where the terminal does not say. */
  readonly columns: () => number | undefined;
  /** Waits until everything was handed over; gives the reason where some of it was lost, such as a full disk. */
  readonly settle?: () => Promise<string | undefined>;
}

/** What the user typed: a line, the end of all input, or Ctrl-C, which is no signal while a line is edited. */
export type Typed = { readonly line: string } | { readonly ended: 'input' | 'interrupt' };

/** Tells of changed files; absolute paths, those of a burst together. */
export interface FileWatcher {
  /** What counts from now on. */
  watch(graph: WatchGraph): void;
  close(): Promise<void>;
}

/** Everything the program may know of its process: tests hand in another one. */
export interface Io {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Wall clock. */
  readonly now: () => Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Asks the user for a line; undefined where nobody can answer. */
  readonly ask?: (question: string) => Promise<Typed>;
  /** Undefined where files can't be watched. */
  readonly openWatcher?: (onBatch: (paths: ReadonlySet<string>) => void) => Promise<FileWatcher>;
  /** Calls back for SIGINT and SIGTERM until the returned function is called; a second SIGINT ends at once. */
  readonly onSignal: (handler: (signal: 'SIGINT' | 'SIGTERM') => void) => () => void;
}
