/** A file of a workspace after a program has worked there. */
export type WorkspaceFile =
  | { readonly text: string; readonly executable?: true }
  /** The content of a file that is not UTF-8 text. */
  | { readonly base64: string; readonly executable?: true }
  /** A symbolic link, which is never followed. */
  | { readonly link: string };

/** A file of the project that is put into a workspace. */
export interface PlacedFile {
  /** The path inside the workspace, with forward slashes. */
  readonly path: string;
  /** The path from the project root, with forward slashes. */
  readonly from: string;
  readonly sha256: string;
}

/**
 * The state of a workspace after a program worked there. The folder can be rebuilt from the original folder and these
 * changes. An answer from the cache is then judged like a new one.
 */
export interface WorkspaceChanges {
  /** The folder that was copied, from the project root, with forward slashes. */
  readonly from: string;
  /** The project files that were added to the copy. */
  readonly placed?: readonly PlacedFile[];
  /** The hash of its content, including the files that were placed. */
  readonly hash: string;
  /** Paths, sorted. */
  readonly unchanged: readonly string[];
  readonly changed: Readonly<Record<string, WorkspaceFile>>;
  readonly created: Readonly<Record<string, WorkspaceFile>>;
  readonly deleted: readonly string[];
}

export interface WorkspaceCommand {
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** True if it may use the network. */
  readonly network: boolean;
}

/** The result of a command in a workspace. `fault` ends a sentence that says why the command could not run. */
export type CommandOutcome =
  | {
      /** Null if a signal ended it. */
      readonly exitCode: number | null;
      readonly signalName: string | null;
      /** The end of its output. */
      readonly tail: string;
    }
  | { readonly fault: string };

/** Access to the workspaces that answers left. */
export interface WorkspacePort {
  /** The content of a file that the program did not change. `fault` is a sentence that says why it can't be read. */
  readonly readUnchanged: (changes: WorkspaceChanges, path: string) => WorkspaceFile | { readonly fault: string };
  /** Runs a command in a fresh copy of the changed workspace. */
  readonly run: (changes: WorkspaceChanges, command: WorkspaceCommand) => Promise<CommandOutcome>;
}
