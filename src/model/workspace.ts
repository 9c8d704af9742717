/** What a file is after a program worked on its folder. */
export type WorkspaceFile =
  | { readonly text: string; readonly executable?: true }
  /** Of a file that is no UTF-8 text. */
  | { readonly base64: string; readonly executable?: true }
  /** A symbolic link, which is never followed. */
  | { readonly link: string };

/** A file of the project that is put into a workspace. */
export interface PlacedFile {
  /** Where: from the folder of the workspace, with forward slashes. */
  readonly path: string;
  /** The path from the project root, with forward slashes. */
  readonly from: string;
  readonly sha256: string;
}

/**
 * What became of a workspace. It is complete, so that the folder can be rebuilt from the original and this. An answer
 * from the cache is then judged like a new one.
 */
export interface WorkspaceChanges {
  /** The folder that was copied, from the project root, with forward slashes. */
  readonly from: string;
  /** The files of the project that were put beside its own. */
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

/** How a command in a workspace ended; or why it could not be run, as the end of a sentence about it. */
export type CommandOutcome =
  | {
      /** Null if a signal ended it. */
      readonly exitCode: number | null;
      readonly signalName: string | null;
      /** The end of what it wrote. */
      readonly tail: string;
    }
  | { readonly fault: string };

/** Looks into workspaces that answers left. */
export interface WorkspacePort {
  /** The content of a file that the program left unchanged; `fault`: why it can't be read, as a whole sentence. */
  readonly readUnchanged: (changes: WorkspaceChanges, path: string) => WorkspaceFile | { readonly fault: string };
  /** Runs a command in a fresh copy of what the program left. */
  readonly run: (changes: WorkspaceChanges, command: WorkspaceCommand) => Promise<CommandOutcome>;
}
