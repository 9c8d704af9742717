import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { extname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { Attachment } from '../model/completion.ts';

/** Media types of files that a message can carry, by suffix. */
const mediaTypes: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.pdf': 'application/pdf',
  '.wav': 'audio/wav',
  '.mp3': 'audio/mp3',
};

const maxFileBytes = 50 * 1024 * 1024;

export interface ReadFile {
  readonly attachment: Attachment;
  readonly content: Buffer;
}

/** Why a file can't be attached, as the end of a sentence about it. */
export interface FileFault {
  readonly code: 'file-unreadable' | 'file-outside-project' | 'invalid-value';
  readonly fault: string;
}

/** Reads and describes a file below the root. `path` is relative to the root or absolute. */
export function readAttachment(path: string, projectRoot: string): ReadFile | FileFault {
  const suffix = extname(path).toLowerCase();
  const mediaType = Object.hasOwn(mediaTypes, suffix) ? mediaTypes[suffix] : undefined;
  if (mediaType === undefined) {
    return { code: 'invalid-value', fault: `is no image, PDF or sound (${Object.keys(mediaTypes).join(', ')})` };
  }
  try {
    const root = realpathSync(projectRoot);
    const file = realpathSync(resolve(projectRoot, path));
    const below = relative(root, file);
    if (leavesRoot(below)) {
      return { code: 'file-outside-project', fault: 'is outside the project' };
    }
    const content = readFileSync(file);
    if (content.length > maxFileBytes) {
      return { code: 'invalid-value', fault: `is larger than ${maxFileBytes / 1024 / 1024} MiB` };
    }
    const sha256 = createHash('sha256').update(content).digest('hex');
    return {
      attachment: { path: below.split(sep).join('/'), mediaType, bytes: content.length, sha256 },
      content,
    };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return {
      code: 'file-unreadable',
      fault: error.code === 'ENOENT' ? 'does not exist' : `can't be read: ${error.message}`,
    };
  }
}

/** True for a path, relative to a root, that is outside of it. On Windows that is an absolute path for another drive. */
export function leavesRoot(relativePath: string): boolean {
  return relativePath === '..' || relativePath.startsWith(`..${sep}`) || isAbsolute(relativePath);
}
