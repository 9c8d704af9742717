import { relative } from 'node:path';
import { openCodeFiles } from '../../files/code-files.ts';
import { boundaryOf } from '../../files/project-boundary.ts';
import type { Endpoint } from '../../model/suite/provider.ts';
import { type CodeStart, describeReads, describeUnfollowed, findReads } from '../../text/code/find-reads.ts';
import { sha256Hex } from '../../text/sha256.ts';
import { toSlashes } from '../../text/to-slashes.ts';

export interface HashedCode extends Pick<Endpoint, 'files' | 'globs' | 'unfollowed'> {
  /** A hash of all that the code reads. */
  readonly hash: string;
  readonly files: readonly string[];
}

/** Hashes what a provider's own code reads. Nothing outside of the project is read. */
export function hashCode(start: CodeStart, projectRoot: string): HashedCode {
  const files = openCodeFiles(boundaryOf(projectRoot));
  const reads = findReads(start, files);
  const display = (path: string) => toSlashes(relative(projectRoot, path));
  const lines = describeReads(reads, { relative: display, hash: (path) => files.hash(path) });
  const unfollowed = reads.unfollowed.map((read) => describeUnfollowed(read, display));
  return {
    // Two programs that can't be followed are never known to be the same as one that can.
    hash: `${unfollowed.length === 0 ? 'code' : 'part'}-${sha256Hex(lines.join('\n')).slice(0, 32)}`,
    files: [...reads.files, ...reads.manifests, ...reads.missing],
    globs: reads.globs,
    ...(unfollowed.length === 0 ? {} : { unfollowed }),
  };
}

const credentialName = /(?:^|_)(?:(?:API)?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

/** True for a variable name that only keys have. */
export function isCredentialName(name: string): boolean {
  return credentialName.test(name);
}

/**
 * Hashes the variables that a program gets, as part of the adapter's version. For credentials only the name counts:
 * their value does not change the answer.
 */
export function hashEnv(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): readonly string[] {
  if (names.length === 0) return [];
  const values = [...new Set(names)]
    .toSorted()
    .map((name) => [name, isCredentialName(name) ? null : (env[name] ?? null)]);
  return [`env-${sha256Hex(JSON.stringify(values)).slice(0, 12)}`];
}
