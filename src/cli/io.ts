/** A stream as the program sees it. */
export interface TextSink {
  write(text: string): void;
  readonly isTty: boolean;
  /** Undefined where the terminal does not say. */
  columns(): number | undefined;
}

/** Everything the program may know of its process: tests hand in another one. */
export interface Io {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Wall clock. */
  now(): Date;
  /** Uniform in [0, 1). */
  random(): number;
  /** Calls back for SIGINT and SIGTERM until the returned function is called; a second SIGINT ends at once. */
  onSignal(handler: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
}
