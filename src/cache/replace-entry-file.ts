import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../lib/storage-error.ts';
import { tempFolder } from './entry-files.ts';

/** Writes an entry under another name and renames it, so that a reader sees a whole entry or none; the last writer wins. */
export function replaceEntryFile(folder: string, path: string, line: string): void {
  written += 1;
  const temp = join(tempFolder(folder), `${writerId}-${written}.tmp`);
  try {
    writeThrough(temp, path, line);
  } catch (error) {
    // A folder is missing: it is the first entry there, or another process has just cleared the cache.
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(temp), { recursive: true });
    mkdirSync(dirname(path), { recursive: true });
    writeThrough(temp, path, line);
  }
}

// A process id is not unique among threads, nor among containers that share a folder.
const writerId = randomBytes(6).toString('hex');
let written = 0;

function writeThrough(temp: string, path: string, line: string): void {
  try {
    writeFileSync(temp, `${line}\n`);
    renameSync(temp, path);
  } catch (error) {
    rmSync(temp, { force: true });
    throw error;
  }
}
