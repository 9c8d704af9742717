import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attemptOr } from '../attempt.ts';
import { findAliased } from '../path-aliases.mjs';
import { escapeRegex } from '../patterns/regex.ts';
import { toSlashes } from '../to-slashes.ts';
import type { CodeFiles } from './code-files.ts';
import { findInputs, listFiles } from './find-inputs.ts';
import { fileNamesOf, findPackage, findPackageImports, foldersAbove } from './find-packages.ts';
import { findPythonFiles, isStandardPython, pythonLocks } from './python-modules.ts';
import { type CommandReader, readCommand } from './read-command.ts';
import { type ComputedImport, readJavaScript, readPython, readRuby, type ScriptImports } from './script-imports.ts';
import { type Language, languageOf } from './script-language.ts';
import { readShell } from './shell-commands.ts';
import { hole } from './split-script.ts';

/** Where a piece of own code starts: a module, a package or the words of a command. */
export interface CodeStart {
  /** The working folder of a command; patterns of `inputs` start here. Absolute. */
  readonly folder: string;
  readonly file?: string;
  readonly package?: string;
  readonly argv?: readonly string[];
  /** Further files and folders that the user names. Absolute. */
  readonly named?: readonly string[];
  /** The patterns of `inputs`. */
  readonly inputs?: readonly string[];
}

/** What a piece of own code reads. An answer of it depends on all of that. */
export interface CodeReads {
  /** Files whose content counts, the first one first. */
  readonly files: readonly string[];
  /** Files that only decide which files are read, such as a tsconfig.json or a lockfile. */
  readonly manifests: readonly string[];
  /** Paths that were tried but are no files. */
  readonly missing: readonly string[];
  /** A file that starts to match one counts too. */
  readonly globs: readonly { readonly pattern: string; readonly folder: string }[];
  /** Name, version and content of each installed package. */
  readonly packages: readonly string[];
  /** What can't be followed, and no `inputs` name. */
  readonly unfollowed: readonly UnfollowedRead[];
}

export interface UnfollowedRead {
  /** Absolute; undefined for a word of the command itself. */
  readonly file?: string;
  readonly line?: number;
  /** The call or the word as it is written. */
  readonly shown: string;
}

/**
 * Finds what a piece of own code reads. The cache, the hash of a case and `--changed` all go by it, so that an edit that
 * one of them sees is seen by the others.
 */
export function findReads(start: CodeStart, files: CodeFiles): CodeReads {
  return new Follower(start, files).follow();
}

/** A line for each file and package, as it is hashed. */
export function describeReads(
  { files, packages }: CodeReads,
  project: { relative(path: string): string; hash(path: string): string | undefined },
): readonly string[] {
  return [...files.map((path) => `${project.relative(path)} ${project.hash(path) ?? ''}`), ...packages];
}

/** `agent.mjs:3: import(name)`, for messages. */
export function describeUnfollowed({ file, line, shown }: UnfollowedRead, display: (path: string) => string): string {
  if (file === undefined) return shown;
  return `${display(file)}${line === undefined ? '' : `:${line}`}: ${shown}`;
}

type Unfollowed = UnfollowedRead & { readonly pattern?: RegExp };

/** Walks from the start of a piece of code to all that it reads. */
class Follower implements CommandReader {
  readonly files: CodeFiles;
  readonly #start: CodeStart;
  readonly #followed = new Map<string, Language | undefined>();
  readonly #manifests = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #globs: { readonly pattern: string; readonly folder: string }[] = [];
  readonly #packages = new Set<string>();
  readonly #unfollowed: Unfollowed[] = [];
  /** Folders that Python scripts add to `sys.path`. */
  readonly #searched = new Set<string>();
  /** The script that is being read, for what can't be followed in it. */
  #place: { readonly file?: string; readonly line?: number } = {};

  constructor(start: CodeStart, files: CodeFiles) {
    this.#start = start;
    this.files = files;
  }

  follow(): CodeReads {
    const { folder, file, package: name, argv, named = [], inputs = [] } = this.#start;
    if (file !== undefined) this.addFile(file);
    if (name !== undefined) this.addPackage(name, join(folder, 'x'));
    if (argv !== undefined) readCommand(argv, [folder], this);
    for (const path of named) {
      if (this.files.isFolder(path)) this.addFolder(path);
      else if (!this.addFile(path)) this.#missing.add(path);
    }
    const { paths } = findInputs(inputs, folder, this.files);
    for (const path of paths) this.addFile(path);
    const positive = inputs.filter((pattern) => !pattern.startsWith('!'));
    this.#globs.push(...positive.map((pattern) => ({ pattern: this.#asGlob(pattern), folder })));
    // Files that the walk adds are walked too.
    for (const [path, language] of this.#followed) this.#read(path, language);
    return {
      files: [...this.#followed.keys()],
      manifests: [...this.#manifests].filter((path) => !this.#followed.has(path)),
      missing: [...this.#missing].filter((path) => !this.#followed.has(path)),
      globs: this.#globs,
      packages: [...this.#packages].sort(),
      unfollowed: this.#findUncovered(paths),
    };
  }

  addFile(path: string, language?: Language): boolean {
    if (!this.files.isFile(path)) return false;
    if (!this.#followed.has(path)) this.#followed.set(path, language);
    return true;
  }

  /** Adds the first of some paths that is a file. A file that comes in before it would be taken in its place. */
  addFirst(paths: readonly string[], language?: Language): boolean {
    const found = paths.find((path) => this.files.isFile(path));
    for (const path of found === undefined ? paths : paths.slice(0, paths.indexOf(found))) this.#missing.add(path);
    return found !== undefined && this.addFile(found, language);
  }

  addFolder(folder: string): void {
    for (const path of listFiles(folder, this.files)) this.addFile(path);
    this.#globs.push({ pattern: '**', folder });
  }

  addPackage(specifier: string, file: string): void {
    const { local, versions, manifests } = findPackage(specifier, file, this.files);
    for (const path of local) this.addFile(path);
    for (const version of versions) this.#packages.add(version);
    for (const path of manifests) this.#manifests.add(path);
  }

  addManifest(path: string): void {
    this.#manifests.add(path);
  }

  addUnfollowed(shown: string): void {
    this.#unfollowed.push({ ...this.#place, shown });
  }

  /** Reads code that a command has in one of its words. */
  addText(text: string, language: Language): void {
    this.#readText(text, language, join(this.#start.folder, 'x'));
  }

  #read(path: string, known: Language | undefined): void {
    if (/[/\\]node_modules[/\\]/.test(this.files.realPath(path))) return;
    const language = known ?? languageOf(path, () => this.files.readText(path));
    if (language === undefined) return;
    this.#place = { file: path };
    if (language === 'other') {
      this.addUnfollowed(`the imports of a ${extname(path)} file are not known`);
      return;
    }
    const text = this.files.readText(path);
    if (text !== undefined) this.#readText(text, language, path);
  }

  #readText(text: string, language: Language, path: string): void {
    switch (language) {
      case 'javascript':
        this.#addImports(readJavaScript(text), path, (specifier) => this.#addJavaScript(specifier, path));
        break;
      case 'python':
        this.#addImports(readPython(text), path, (name) => this.#addPython(name, path));
        break;
      case 'ruby':
        this.#addImports(readRuby(text), path, (name) => this.#addRuby(name, path));
        break;
      case 'shell':
        this.#readShell(text, path);
        break;
      case 'other':
        break;
    }
  }

  #readShell(text: string, path: string): void {
    const folders = [this.#start.folder, dirname(path)];
    for (const { words, line } of readShell(text)) {
      const [first, folder] = words;
      if (first === 'cd' && folder !== undefined) folders.push(resolve(this.#start.folder, folder));
      else {
        if (this.#place.file !== undefined) this.#place = { file: path, line };
        readCommand(words, folders, this);
      }
    }
  }

  #addImports(found: ScriptImports, path: string, add: (specifier: string) => boolean): void {
    const { imports, computed, scripts, searched = [] } = found;
    for (const folder of searched) this.#searched.add(resolve(dirname(path), folder));
    for (const specifier of imports) add(specifier);
    for (const name of scripts) {
      for (const folder of [dirname(path), this.#start.folder]) this.addFile(resolve(folder, name));
    }
    for (const call of computed) {
      if (call.candidates.some(add)) continue;
      this.#unfollowed.push({ ...this.#place, line: call.line, shown: call.shown, ...compilePattern(call, path) });
    }
  }

  #addJavaScript(specifier: string, file: string): boolean {
    if (/^(?:\.{1,2}(?:\/|$)|\/|file:)/.test(specifier)) return this.#addPath(specifier, file);
    if (/^[a-z][a-z+.-]*:/.test(specifier)) return true;
    if (specifier.startsWith('#')) {
      const { paths, packages, manifests } = findPackageImports(specifier, file, this.files);
      for (const path of manifests) this.#manifests.add(path);
      for (const name of packages) this.addPackage(name, file);
      // Each condition of a mapping may be the one that holds.
      if (paths.length + packages.length > 0)
        return paths.map((path) => this.addFirst(fileNamesOf(path))).some(Boolean);
    }
    const aliased = findAliased(specifier, file, (path) => this.#readConfig(path));
    if (aliased.map((path) => this.addFirst(fileNamesOf(path))).some(Boolean)) return true;
    this.addPackage(specifier, file);
    return true;
  }

  #addPath(specifier: string, file: string): boolean {
    const plain = specifier.startsWith('file:')
      ? attemptOr(() => fileURLToPath(specifier), TypeError, specifier)
      : specifier;
    const path = resolve(dirname(file), plain);
    const query = plain.search(/[?#]/);
    const names =
      query === -1 || this.files.isFile(path) ? fileNamesOf(path) : [resolve(dirname(file), plain.slice(0, query))];
    if (this.addFirst(names)) return true;
    // What a program opens is named from its working folder.
    return this.addFile(resolve(this.#start.folder, plain));
  }

  #readConfig(path: string): string | undefined {
    const text = this.files.isFile(path) ? this.files.readText(path) : undefined;
    if (text !== undefined) this.#manifests.add(path);
    return text;
  }

  #addPython(name: string, file: string): boolean {
    if (/[/\\]/.test(name)) return this.#addPath(name, file);
    const { found, tried } = findPythonFiles(name, file, [this.#start.folder, ...this.#searched], this.files);
    for (const path of found) this.addFile(path);
    if (found.length > 0) return true;
    for (const path of tried) this.#missing.add(path);
    if (!name.startsWith('.') && !isStandardPython(name)) this.#addLocks(file, pythonLocks);
    return true;
  }

  #addRuby(name: string, file: string): boolean {
    const places = name.startsWith('./') ? [dirname(file), this.#start.folder] : [this.#start.folder];
    const libraries = foldersAbove(dirname(file), this.files.boundary).map((folder) => join(folder, 'lib'));
    const paths = [...places, ...libraries].map((folder) => resolve(folder, name));
    const found = paths.flatMap((path) => [path, `${path}.rb`]).find((path) => this.files.isFile(path));
    if (found !== undefined) return this.addFile(found);
    this.#addLocks(file, ['Gemfile.lock']);
    return true;
  }

  /** Packages of other languages count by the lockfile as a whole: their names differ from what is imported. */
  #addLocks(file: string, names: readonly string[]): void {
    for (const folder of foldersAbove(dirname(file), this.files.boundary)) {
      const locks = names.map((name) => join(folder, name)).filter((path) => this.files.isFile(path));
      for (const path of locks) this.addFile(path);
      if (locks.length > 0) return;
    }
  }

  #asGlob(pattern: string): string {
    const isFolder = this.files.isFolder(resolve(this.#start.folder, pattern));
    return isFolder ? `${pattern.replace(/\/$/, '')}/**` : pattern;
  }

  /** What `inputs` name may be what could not be followed: where a part of the path is known, a file must fit it. */
  #findUncovered(inputs: readonly string[]): readonly UnfollowedRead[] {
    const open = this.#unfollowed.filter(
      ({ pattern }) => !inputs.some((path) => pattern === undefined || pattern.test(toSlashes(path))),
    );
    const known = new Set<string>();
    return open.flatMap(({ file, line, shown }) => {
      const read = { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), shown };
      const text = JSON.stringify(read);
      if (known.has(text)) return [];
      known.add(text);
      return [read];
    });
  }
}

function compilePattern({ pattern }: ComputedImport, file: string): { readonly pattern?: RegExp } {
  if (pattern === undefined) return {};
  const [known = '', ...others] = pattern.split(hole);
  const start = resolve(dirname(file), known.replace(/[^/]*$/, ''));
  const rest = [known.replace(/^.*\//, ''), ...others].map(escapeRegex).join('.*');
  return { pattern: new RegExp(`^${escapeRegex(toSlashes(start))}/${rest}(?:\\.[a-z]+|/.*)?$`) };
}
