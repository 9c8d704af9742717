import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withFileLock } from '../files/file-lock.ts';
import { StorageError, withStorageErrors } from '../files/storage-error.ts';
import { importAnswers } from '../importing/import-answers.ts';
import { exitCodes } from '../model/exit-code.ts';
import { initFiles } from './init-files.ts';
import type { Io } from './io.ts';
import { writeFile } from './write-file.ts';

/** `llmcheck init`: writes files that are not there yet, and says what to do next. */
export async function initCommand(folder: string, flags: { readonly force?: boolean }, io: Io): Promise<number> {
  const root = resolve(io.cwd, folder);
  const written: string[] = [];
  for (const [path, text] of Object.entries(initFiles)) {
    const target = join(root, path);
    const isKept = () => isThere(target) && flags.force !== true;
    const write = () => {
      // Another process may have been faster.
      if (isKept()) return false;
      writeFile(target, [text]);
      return true;
    };
    if (isKept() || !withFileLock(target, write)) {
      io.stdout.write(`kept     ${path} (it was there; --force overwrites)\n`);
      continue;
    }
    written.push(path);
    io.stdout.write(`wrote    ${path}\n`);
  }
  const ignore = join(root, '.gitignore');
  if (!isIgnored(ignore) && withFileLock(ignore, () => ignoreState(ignore)))
    io.stdout.write('wrote    .gitignore: .llmcheck/\n');
  const recordings = 'evals/recordings/greeting.jsonl';
  if (written.includes(recordings) && written.includes('evals/greeting.eval.yaml')) {
    const path = join(root, recordings);
    await importAnswers({ path, text: readFileSync(path, 'utf8'), cwd: root, env: io.env, now: io.now });
  }
  io.stdout.write('\nNext: llmcheck run    (no key needed: it answers from the recordings)\n');
  return exitCodes.passed;
}

/** Adds the folder of runs and cache to a `.gitignore`; false where it is there. */
function ignoreState(path: string): boolean {
  if (isIgnored(path)) return false;
  const text = readText(path);
  writeFile(path, [`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}.llmcheck/\n`]);
  return true;
}

function isIgnored(path: string): boolean {
  return /^\/?\.llmcheck\/?$/m.test(readText(path));
}

function readText(path: string): string {
  return withStorageErrors('Reading', path, () => (existsSync(path) ? readFileSync(path, 'utf8') : ''));
}

/** Throws a `StorageError` where something is there that is no file: it can be neither kept nor written. */
function isThere(path: string): boolean {
  // Below a file Node finds nothing, and writing says so.
  if (!existsSync(path)) return false;
  if (statSync(path).isDirectory()) throw new StorageError('Writing', path, 'EISDIR');
  return true;
}
