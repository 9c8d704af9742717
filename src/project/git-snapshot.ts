import { relative, resolve, sep } from 'node:path';
import { defined } from '../json/defined.ts';
import { UserError } from '../model/errors.ts';
import { bytesOfText, type FileText, type ProjectFiles, type ProjectPlace } from '../suite/files.ts';
import type { ProjectSnapshot } from '../suite/load.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';
import { sha256Hex } from '../text/sha256.ts';
import type { GitRef } from './git-files.ts';
import { matchGlobs } from './match-glob.ts';

/** The project as it stands at a commit: nothing is checked out, and what no suite names is not read. */
export function openGitSnapshot(ref: GitRef, place: ProjectPlace, cwd: string): ProjectSnapshot {
  const { root, boundary } = place;
  const files = new Set(ref.listFiles(boundary));
  const display = (path: string): string => `git:${ref.name}:${relative(cwd, path).split(sep).join('/')}`;
  const configPath = place.configPath ?? resolve(root, 'llmcheck.config.yaml');
  const snapshot: ProjectFiles = {
    root,
    display,
    // Git answers for what lies outside of its repository when it is asked for the file.
    findFault: () => undefined,
    findReadFault: () => undefined,
    relative: (path) => relative(root, path).split(sep).join('/'),
    readText: (path) => readText(ref, path, display(path)),
    async read(path) {
      const found = readText(ref, path, display(path));
      if ('text' in found && needsTemplateEngine(found.text)) await loadTemplateEngine();
      return found;
    },
    readBytes(path) {
      const found = readText(ref, path, display(path));
      return Promise.resolve('text' in found ? { bytes: bytesOfText(found.text) } : found);
    },
    hash(path) {
      const found = files.has(path) ? readText(ref, path, display(path)) : undefined;
      return found !== undefined && 'text' in found ? sha256Hex(found.text) : undefined;
    },
    glob: (patterns, folder) => Promise.resolve({ paths: matchGlobs(patterns, folder, files), faults: [] }),
  };
  return {
    place: { root, boundary, ...(files.has(configPath) ? { configPath } : {}) },
    files: snapshot,
    kindOf: (path) => {
      if (files.has(path)) return 'file';
      return [...files].some((file) => file.startsWith(path + sep)) ? 'folder' : undefined;
    },
  };
}

function readText(ref: GitRef, path: string, shown: string): FileText {
  try {
    const text = ref.readFile(path);
    return text === undefined ? { fault: { code: 'file-unreadable', message: `${shown} does not exist` } } : { text };
  } catch (error) {
    const [problem] = error instanceof UserError ? error.problems : [];
    if (problem === undefined) throw error;
    const { code, message, hint } = problem;
    return { fault: { code, message, ...defined({ hint }) } };
  }
}
