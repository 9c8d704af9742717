/** The files of a project as far as its own code may read them; nothing outside of the boundary is seen. */
export interface CodeFiles {
  /** The folder that holds all files of the project, absolute. */
  readonly boundary: string;
  isFile(path: string): boolean;
  isFolder(path: string): boolean;
  /** Undefined for what is no text. */
  readText(path: string): string | undefined;
  /** SHA-256 of a file, text or not. */
  hash(path: string): string | undefined;
  /** What a folder holds, but for packages and caches. */
  list(folder: string): readonly { readonly name: string; readonly isFolder: boolean }[];
  /** With links resolved. */
  realPath(path: string): string;
}
