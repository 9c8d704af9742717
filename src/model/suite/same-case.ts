import { compareText } from '../../text/compare-text.ts';
import { sha256Hex } from '../../text/sha256.ts';

const filesBegin = '@';

/** True if two results with these hashes belong to the same case and can be compared. */
export function isSameCase(one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  return withoutFiles(one) === withoutFiles(other) && hasSameFiles(one, other);
}

/**
 * Adds the attached files of a case's request to the case hash, as `@path:content` with both hashed. The paths are as
 * the case names them, from the suite file's folder.
 */
export function addFiles(caseHash: string, files: ReadonlyMap<string, string>): string {
  if (files.size === 0) return caseHash;
  const parts = Array.from(
    files,
    ([path, sha256]) => `${filesBegin}${sha256Hex(path).slice(0, 8)}:${sha256.slice(0, 12)}`,
  );
  return [caseHash, ...parts.sort(compareText)].join('');
}

/** The hash of the case as its suite defines it. */
export function withoutFiles(caseHash: string): string {
  const start = caseHash.indexOf(filesBegin);
  return start === -1 ? caseHash : caseHash.slice(0, start);
}

/**
 * False if a file in both hashes has different content. A file in only one hash is ignored: the prompt may attach other
 * files now, or an older version hashed no files.
 */
export function hasSameFiles(one: string, other: string): boolean {
  const files = readFiles(one);
  return [...readFiles(other)].every(([path, content]) => (files.get(path) ?? content) === content);
}

function readFiles(caseHash: string): ReadonlyMap<string, string> {
  const [, ...parts] = caseHash.split(filesBegin);
  return new Map(
    parts.map((part) => {
      const [path = '', content = ''] = part.split(':');
      return [path, content];
    }),
  );
}

/** The part of a case hash that names its checks and threshold. */
export function checksHashOf(caseHash: string): string {
  return withoutFiles(caseHash).split('.')[1] ?? '';
}

/** The part of a case hash that does not depend on checks. */
export function inputsHashOf(caseHash: string): string {
  return withoutFiles(caseHash).split('.')[0] ?? caseHash;
}
