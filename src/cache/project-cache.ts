import { existsSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDistrusted, isLink, statePath } from '../files/state-folder.ts';
import { readOrUndefined, unlessRefused } from '../files/write-files.ts';
import { AnswerLog, readFolder } from './answer-log.ts';
import { markLine, parseEntry } from './cache-entry.ts';
import { type CacheStore, openCacheStore } from './cache-store.ts';
import { openMachineMarks } from './machine-mark.ts';

interface ProjectCacheOptions {
  readonly onWarning: (message: string) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Opens the stored answers of a project. */
export function openProjectCache(root: string, { onWarning, random }: ProjectCacheOptions): CacheStore {
  const marks = openMachineMarks({ path: statePath(root, 'machine-key'), random });
  return openCacheStore(answersFolder(root), { onWarning, marks });
}

/** The folder of the stored answers. Answers of older versions are moved there. */
export function answersFolder(root: string): string {
  const folder = statePath(root, 'answers');
  const oldFolder = statePath(root, 'cache');
  if (existsSync(oldFolder) && !isDistrusted(oldFolder)) moveOldAnswers(oldFolder, folder);
  return folder;
}

/** Older versions had a file for each answer. A disk that refuses leaves the files where they are. */
function moveOldAnswers(oldFolder: string, folder: string): void {
  unlessRefused(() => {
    const log = new AnswerLog(folder);
    for (const path of oldFiles(oldFolder)) {
      if (isLink(path) || isDistrusted(path)) continue;
      const [line = '', mark] = (readOrUndefined(path) ?? '').split('\n');
      const parsed = parseEntry(line);
      if (parsed.ok && !log.places.has(parsed.entry.key)) {
        // A mark of another machine is not accepted when the answer is read.
        log.append(parsed.entry.key, mark === '' ? line : markLine(line, () => mark));
      }
      rmSync(path);
      // A folder that is not empty stays.
      unlessRefused(() => rmdirSync(dirname(path)), undefined);
    }
    log.close();
    rmdirSync(oldFolder);
  }, undefined);
}

function* oldFiles(oldFolder: string): Generator<string> {
  for (const { name } of readFolder(oldFolder)) {
    if (!/^[\da-f]{2}$/.test(name) || isLink(join(oldFolder, name))) continue;
    for (const file of readFolder(join(oldFolder, name))) {
      if (/^[\da-f]{64}\.json$/.test(file.name)) yield join(oldFolder, name, file.name);
    }
  }
}
