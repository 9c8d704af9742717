import { dirname, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { tryParseJson } from '../../json/parse-json.ts';
import { sha256Hex } from '../sha256.ts';
import type { CodeFiles } from './code-files.ts';

export interface FoundPackages {
  /** Files of packages that are linked from the project itself, and so are its own code. */
  readonly local: readonly string[];
  /** What stands for each installed package: its name and version, and a hash of the file that is imported. */
  readonly versions: readonly string[];
  /** Manifests and lockfiles that decide which files are read. */
  readonly manifests: readonly string[];
}

/** The endings and files that Node, a bundler or TypeScript try for a path that an import names. */
const endings = [
  '',
  '.js',
  '.ts',
  '.mjs',
  '.cjs',
  '.mts',
  '.cts',
  '.tsx',
  '.jsx',
  '.json',
  '/index.js',
  '/index.ts',
  '/index.mjs',
];

/** The files that an imported path may mean: TypeScript may name the one that a compiler would write. */
export function fileNamesOf(path: string): readonly string[] {
  const names = endings.map((ending) => path.replace(/\/$/, '') + ending);
  const source = path.replace(/\.([cm]?)jsx?$/, '.$1ts');
  return source === path ? names : [...names, source, source.replace(/\.ts$/, '.tsx')];
}

/** The paths of a `#name` that the nearest package.json maps, and the names of packages among them. */
export function findPackageImports(specifier: string, file: string, files: CodeFiles) {
  const found = findManifest(dirname(file), files);
  if (found === undefined) return { paths: [], packages: [], manifests: [] };
  const { manifest, path } = found;
  const targets = isJsonObject(manifest['imports']) ? findTargets(manifest['imports'], specifier) : [];
  return {
    paths: targets.filter((target) => target.startsWith('.')).map((target) => resolve(dirname(path), target)),
    packages: targets.filter((target) => !target.startsWith('.')),
    manifests: [path],
  };
}

/** Finds a package that a file imports, and all packages that it depends on. */
export function findPackage(specifier: string, file: string, files: CodeFiles): FoundPackages {
  const search = new PackageSearch(files);
  search.add(specifier, dirname(file));
  return { local: [...search.local], versions: [...search.versions].sort(), manifests: [...search.manifests] };
}

class PackageSearch {
  readonly local = new Set<string>();
  readonly versions = new Set<string>();
  readonly manifests = new Set<string>();
  readonly #files: CodeFiles;
  readonly #visited = new Set<string>();

  constructor(files: CodeFiles) {
    this.#files = files;
  }

  add(specifier: string, folder: string): void {
    const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
    const subpath = `.${specifier.slice(name.length)}`;
    const own = findManifest(folder, this.#files);
    // A package may import itself by its name.
    if (own?.manifest['name'] === name) {
      this.#addLocal(dirname(own.path), own.manifest, subpath);
      return;
    }
    const at = this.#findInstalled(name, folder);
    if (at === undefined) {
      this.#addLocked(name, folder);
      return;
    }
    const path = join(at, 'package.json');
    const manifest = readObject(path, this.#files) ?? {};
    if (!isInstalled(at)) {
      this.#addLocal(at, manifest, subpath);
      return;
    }
    const entries = entriesOf(at, manifest, subpath, this.#files).map((entry) => this.#files.hash(entry)?.slice(0, 16));
    this.versions.add(`${name}@${textOf(manifest['version'])} ${entries.join(' ')}`);
    const lock = this.#findLock(folder);
    if (lock !== undefined) this.manifests.add(lock);
    this.#addDependencies(at, manifest);
  }

  #addLocal(folder: string, manifest: JsonObject, subpath: string): void {
    this.manifests.add(join(folder, 'package.json'));
    for (const entry of entriesOf(folder, manifest, subpath, this.#files)) this.local.add(entry);
  }

  /** The packages on which an installed one depends count by their versions. */
  #addDependencies(folder: string, manifest: JsonObject): void {
    if (this.#visited.has(folder)) return;
    this.#visited.add(folder);
    for (const key of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
      for (const name of Object.keys(isJsonObject(manifest[key]) ? manifest[key] : {})) {
        const at = this.#findInstalled(name, folder);
        if (at === undefined) continue;
        const own = readObject(join(at, 'package.json'), this.#files) ?? {};
        if (!isInstalled(at)) this.#addLocal(at, own, '.');
        else this.versions.add(`${name}@${textOf(own['version'])}`);
        this.#addDependencies(at, own);
      }
    }
  }

  #findInstalled(name: string, folder: string): string | undefined {
    for (const above of foldersAbove(folder, this.#files.boundary)) {
      const at = join(above, 'node_modules', name);
      if (this.#files.isFile(join(at, 'package.json'))) return this.#files.realPath(at);
    }
    return undefined;
  }

  /** Of a package that is not installed in a folder, the lines of the lockfile count that name it. */
  #addLocked(name: string, folder: string): void {
    const lock = this.#findLock(folder);
    const text = lock === undefined ? undefined : this.#files.readText(lock);
    if (lock === undefined || text === undefined) return;
    this.manifests.add(lock);
    const lines = text.split('\n');
    const named = lines.flatMap((line, index) => (namesPackage(line, name) ? lines.slice(index, index + 3) : []));
    if (named.length > 0) this.versions.add(`${name} ${sha256Hex(named.join('\n')).slice(0, 16)}`);
  }

  #findLock(folder: string): string | undefined {
    return foldersAbove(folder, this.#files.boundary)
      .flatMap((above) => lockfiles.map((name) => join(above, name)))
      .find((path) => this.#files.isFile(path));
  }
}

const lockfiles = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'deno.lock'];

/** True for a line such as `"node_modules/a": {`, `a@^1.0:`, `a:` or `"a": [`. */
function namesPackage(line: string, name: string): boolean {
  const at = line.indexOf(name);
  return at !== -1 && !/[\w@.-]$/.test(line.slice(0, at)) && /^["']?[@:]/.test(line.slice(at + name.length));
}

function isInstalled(folder: string): boolean {
  return /[/\\]node_modules[/\\]/.test(folder);
}

/** The files that an import of a package may mean, under whatever conditions. */
function entriesOf(folder: string, manifest: JsonObject, subpath: string, files: CodeFiles): readonly string[] {
  const { exports } = manifest;
  const isMap = isJsonObject(exports) && Object.keys(exports).some((key) => key.startsWith('.'));
  const mains = ['main', 'module', 'browser'].flatMap((key) => targetsOf(manifest[key], ''));
  const plain = subpath === '.' ? [...mains, 'index'] : [subpath];
  const exported = isMap ? findTargets(exports, subpath) : subpath === '.' ? targetsOf(exports, '') : [];
  const targets = exported.length > 0 ? exported : plain;
  return targets.flatMap((target) => fileNamesOf(resolve(folder, target)).find((path) => files.isFile(path)) ?? []);
}

/** The targets of a key in `imports` or `exports`: of the key itself, else of the patterns that match it. */
function findTargets(map: JsonObject, key: string): readonly string[] {
  if (Object.hasOwn(map, key)) return targetsOf(map[key], '');
  return Object.entries(map).flatMap(([pattern, target]) => {
    const [start = '', end] = pattern.split('*');
    const fits = end !== undefined && key.length >= pattern.length && key.startsWith(start) && key.endsWith(end);
    return fits ? targetsOf(target, key.slice(start.length, key.length - end.length)) : [];
  });
}

function targetsOf(target: JsonValue | undefined, star: string): readonly string[] {
  if (typeof target === 'string') return [target.replaceAll('*', () => star)];
  if (typeof target !== 'object' || target === null) return [];
  return Object.values(target).flatMap((value) => targetsOf(value, star));
}

function findManifest(folder: string, files: CodeFiles) {
  for (const above of foldersAbove(folder, files.boundary)) {
    const path = join(above, 'package.json');
    const manifest = files.isFile(path) ? readObject(path, files) : undefined;
    if (manifest !== undefined) return { path, manifest };
  }
  return undefined;
}

export function readObject(path: string, files: CodeFiles): JsonObject | undefined {
  const value = tryParseJson(files.readText(path) ?? '');
  return isJsonObject(value) ? value : undefined;
}

/** The folder and those above it, up to the boundary. */
export function foldersAbove(folder: string, boundary: string): readonly string[] {
  const folders: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    folders.push(at);
    if (at === boundary || at === dirname(at)) return folders;
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '?';
}
