import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withFileLock } from '../../files/file-lock.ts';
import { StorageError, withStorageErrors } from '../../files/storage-error.ts';
import { importAnswers } from '../../importing/import-answers.ts';
import { exitCodes } from '../../model/exit-code.ts';
import type { Io } from '../io.ts';
import { writeFile } from '../output/write-file.ts';
import type { DefineCommand } from './define.ts';
import { initFiles } from './init-files.ts';

export const define: DefineCommand = (command, { io, exit }) => {
  command
    .argument('[folder]', 'where to write', '.')
    .option('--force', 'overwrite files that exist')
    .addHelpText('after', '\nExamples:\n  $ llmcheck init && llmcheck run\n  $ llmcheck init my-project')
    .action(async (folder: string, { force = false }: { readonly force?: boolean }) => {
      await init(resolve(io.cwd, folder), force, io);
      exit(exitCodes.passed);
    });
};

/** Writes files that are not there yet, and says what to do next. */
async function init(root: string, force: boolean, io: Io): Promise<void> {
  const written = new Set<string>();
  for (const [path, text] of Object.entries(initFiles)) {
    if (writeNew(join(root, path), text, force)) {
      written.add(path);
      io.stdout.write(`wrote    ${path}\n`);
    } else io.stdout.write(`kept     ${path} (it was there; --force overwrites)\n`);
  }
  const ignore = join(root, '.gitignore');
  if (!isIgnored(ignore) && withFileLock(ignore, () => ignoreState(ignore)))
    io.stdout.write('wrote    .gitignore: .llmcheck/\n');
  const recordings = 'evals/recordings/greeting.jsonl';
  if (written.has(recordings) && written.has('evals/greeting.eval.yaml')) {
    const path = join(root, recordings);
    await importAnswers({ path, text: readFileSync(path, 'utf8'), cwd: root, env: io.env, now: io.now });
  }
  io.stdout.write('\nNext: llmcheck run    (no key needed: it answers from the recordings)\n');
}

/** False where the file was there and is kept. */
function writeNew(path: string, text: string, force: boolean): boolean {
  const isKept = () => isFile(path) && !force;
  if (isKept()) return false;
  return withFileLock(path, () => {
    // Another process may have written it in the meantime.
    if (isKept()) return false;
    writeFile(path, [text]);
    return true;
  });
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

/** Throws a `StorageError` for a folder: it can be neither kept nor written. */
function isFile(path: string): boolean {
  // Where a parent is a file, nothing exists here, and writing reports it.
  if (!existsSync(path)) return false;
  if (statSync(path).isDirectory()) throw new StorageError('Writing', path, 'EISDIR');
  return true;
}
