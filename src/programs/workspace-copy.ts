import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid, kill, pid } from 'node:process';
import { systemErrorCode } from '../files/write-files.ts';
import { defined } from '../json/defined.ts';
import type { WorkspaceChanges, WorkspaceFile } from '../model/suite/workspace.ts';
import { fillWorkspace, takenPath, type WorkspaceContent } from './fill-workspace.ts';
import {
  type FileContent,
  listEntries,
  readEntry,
  readWithoutLinks,
  type WorkspaceFolder,
} from './workspace-folder.ts';

/** A copy of a folder that a program may change. */
export interface WorkspaceCopy {
  /** Absolute path, where the program starts. */
  readonly folder: string;
  /** Variables for its own home and temporary folder. */
  readonly env: Readonly<Record<string, string>>;
  /** The program's changes. `fault` says why they can't be stored, and continues "its workspace". */
  readChanges(): WorkspaceChanges | { readonly fault: string };
  remove(): void;
}

const prefix = 'llmcheck-workspace-';

/** Limits of the changes stored with an answer. */
const maxEntries = 5000;
const maxChangedFiles = 500;
const maxChangedBytes = 1024 * 1024;

/** Copies a folder and applies `changes`, if given. Throws a `WorkspaceFault` if they can't be applied. */
export function copyWorkspace(original: WorkspaceFolder, changes?: WorkspaceChanges): WorkspaceCopy {
  // The folder is new and its own path is real, so nothing below it is reached through a link.
  const base = mkdtempSync(join(realpathSync(tmpdir()), `${prefix}${pid}-`));
  if (!isSwept) removeAbandonedCopies(statSync(base).mtimeMs);
  isSwept = true;
  const remove = () => removeFolder(base);
  try {
    const [folder, home, temporary] = ['files', 'home', 'tmp'].map((name) => join(base, name)) as [
      string,
      string,
      string,
    ];
    for (const newFolder of [folder, home, temporary]) mkdirSync(newFolder);
    fillWorkspace(folder, contentOf(original, changes));
    const env = { HOME: home, USERPROFILE: home, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
    return { folder, env, readChanges: () => readChanges(folder, original), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The original files that were left alone, and what the changes put in. */
function contentOf({ files }: WorkspaceFolder, changes: WorkspaceChanges | undefined): WorkspaceContent {
  if (changes === undefined) return { files, links: new Map() };
  const unchanged = new Set(changes.unchanged);
  const content = new Map([...files].filter(([path]) => unchanged.has(path)));
  const links = new Map<string, string>();
  for (const [path, file] of [...Object.entries(changes.changed), ...Object.entries(changes.created)]) {
    if (content.has(path) || links.has(path)) throw takenPath(path);
    if ('link' in file) links.set(path, file.link);
    else content.set(path, toContent(file));
  }
  return { files: content, links };
}

function toContent(file: Exclude<WorkspaceFile, { readonly link: string }>): FileContent {
  const bytes = 'text' in file ? Buffer.from(file.text, 'utf8') : Buffer.from(file.base64, 'base64');
  return { bytes, isExecutable: file.executable === true };
}

function readChanges(folder: string, original: WorkspaceFolder): WorkspaceChanges | { readonly fault: string } {
  try {
    openFolders(folder);
    const listed = listEntries(folder, maxEntries);
    if ('fault' in listed) return listed;
    const [changed, created] = [new Map<string, WorkspaceFile>(), new Map<string, WorkspaceFile>()];
    const unchanged: string[] = [];
    let bytes = 0;
    for (const entry of listed.entries) {
      const before = original.files.get(entry.path);
      if (before !== undefined && isSame(folder, entry, before)) {
        unchanged.push(entry.path);
        continue;
      }
      bytes += entry.size;
      if (bytes > maxChangedBytes) {
        return {
          fault: `has more than ${maxChangedBytes / 1024 / 1024} MiB in changed files, ${entry.path} among them`,
        };
      }
      (before === undefined ? created : changed).set(entry.path, readEntry(folder, entry));
      if (changed.size + created.size > maxChangedFiles)
        return { fault: `has more than ${maxChangedFiles} changed files` };
    }
    const left = new Set(listed.entries.map(({ path }) => path));
    const deleted = [...original.files.keys()].filter((path) => !left.has(path));
    const { name, hash, placed } = original;
    return {
      from: name,
      ...defined({ placed }),
      hash,
      unchanged,
      changed: Object.fromEntries(changed),
      created: Object.fromEntries(created),
      deleted,
    };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return { fault: `can't be read: ${code}` };
  }
}

function isSame(
  folder: string,
  { path, kind, size, isExecutable }: Parameters<typeof readEntry>[1],
  before: FileContent,
): boolean {
  if (kind === 'link' || size !== before.bytes.length || isExecutable !== before.isExecutable) return false;
  return readWithoutLinks(join(folder, path)).equals(before.bytes);
}

/** Makes all folders accessible: a closed one could be neither read nor removed. */
function openFolders(folder: string): void {
  const folders = [folder];
  for (const one of folders) {
    chmodSync(one, 0o700);
    for (const entry of readdirSync(one, { withFileTypes: true })) {
      if (entry.isDirectory()) folders.push(join(one, entry.name));
    }
  }
}

function removeFolder(base: string): void {
  try {
    rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    openFolders(base);
    rmSync(base, { recursive: true, force: true, maxRetries: 3 });
  }
}

let isSwept = false;

/** Removes the copies of processes killed more than a day ago. */
export function removeAbandonedCopies(nowMs: number): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    const path = join(tmpdir(), name);
    if (owner !== undefined && isAbandoned(path, Number(owner), nowMs)) removeFolder(path);
  }
}

const dayMs = 24 * 60 * 60 * 1000;

/** True for an old copy without its process. Age matters: processes of another container may share the folder. */
function isAbandoned(path: string, owner: number, nowMs: number): boolean {
  try {
    const stats = lstatSync(path);
    const isMine = getuid === undefined || stats.uid === getuid();
    if (nowMs - stats.mtimeMs < dayMs || !isMine || !stats.isDirectory()) return false;
    kill(owner, 0);
    return false;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code === 'ESRCH';
  }
}
