import { basename, dirname, join, relative, resolve } from 'node:path';
import { isJsonObject } from '../../json/json.ts';
import { nameSet } from '../name-set.ts';
import type { CodeFiles } from './code-files.ts';
import { fileNamesOf, foldersAbove, readObject } from './find-packages.ts';
import { findPythonFiles } from './python-modules.ts';
import { type Language, languageOfProgram } from './script-language.ts';
import { hasExpansion, readShell, withoutExpansion } from './shell-commands.ts';

/** Takes what a command names. */
export interface CommandReader {
  readonly files: CodeFiles;
  addFile(path: string, language?: Language): boolean;
  addFirst(paths: readonly string[], language?: Language): boolean;
  addFolder(folder: string): void;
  addPackage(specifier: string, file: string): void;
  addManifest(path: string): void;
  addText(text: string, language: Language): void;
  addUnfollowed(shown: string): void;
}

/** Flags of Node and Ruby whose word is loaded before the script. */
const loadsBefore = /^(?:-r|--require|--import|--loader|--experimental-loader)$/;

/** Programs that start what a project or an environment has installed. */
const runners = nameSet('uv poetry pipenv pdm');

/** Programs that run what they build or fetch: no file of the project says what that is. */
const opaque = nameSet('cargo docker docker-compose dotnet go gradle just make mvn podman rake task');

const packageManagers = nameSet('npm pnpm yarn bun');

/** Finds what the words of a command name. They start from each of the folders, the first of which it runs in. */
export function readCommand(words: readonly string[], folders: readonly string[], reader: CommandReader): void {
  new CommandWords(words, folders, reader).read();
}

class CommandWords {
  readonly #words: readonly string[];
  readonly #folders: readonly string[];
  readonly #reader: CommandReader;
  /** The language of the program that reads the next words. */
  #language: Language | undefined;
  #hasEntry = false;

  constructor(words: readonly string[], folders: readonly string[], reader: CommandReader) {
    this.#words = words;
    this.#folders = folders;
    this.#reader = reader;
  }

  get #folder(): string {
    return this.#folders[0] ?? '.';
  }

  read(): void {
    const [first = ''] = this.#words;
    if (opaque.has(programName(first))) this.#reader.addUnfollowed(`what ${programName(first)} runs`);
    for (let index = 0; index < this.#words.length; index += 1) {
      const word = this.#words[index] ?? '';
      const name = programName(word);
      if (packageManagers.has(name)) this.#readScript(name, this.#words.slice(index + 1));
      const next = this.#words[index + 1] ?? '';
      if (name === 'npx' || name === 'bunx') this.#readPackage(this.#words.slice(index + 1));
      if (word === '--run' && this.#language === 'javascript') this.#runScript(next);
      // The file of the interpreter itself is a program of the system.
      this.#language = this.#hasEntry ? this.#language : (languageOfProgram(name) ?? this.#language);
      if (this.#isCode(word)) {
        this.#reader.addText(next, this.#language ?? 'shell');
        this.#hasEntry = true;
        index += 1;
      } else if (!this.#isModule(word, next)) this.#readWord(word, this.#words[index - 1] ?? '');
    }
    if (runners.has(programName(first)) && !this.#hasEntry) this.#reader.addUnfollowed(`what ${first} runs`);
  }

  /** True for the flag before code: `node -e`, `python -c`, `sh -c`. */
  #isCode(word: string): boolean {
    if (this.#hasEntry || this.#language === undefined) return false;
    if (this.#language === 'python' || this.#language === 'shell') return /^-[a-z]*c$/.test(word);
    return /^(?:-e|-p|-pe|--eval|--print)$/.test(word);
  }

  /** Follows `-m package` of Python. */
  #isModule(word: string, next: string): boolean {
    if (this.#language !== 'python' || this.#hasEntry) return false;
    const [, joined] = /^-m([\w.]*)$/.exec(word) ?? [];
    if (joined === undefined) return false;
    const name = joined === '' ? next : joined;
    const { files } = this.#reader;
    for (const folder of this.#folders) {
      for (const module of [name, `${name}.__main__`]) {
        for (const path of findPythonFiles(module, join(folder, 'x'), [folder], files).found) {
          this.#hasEntry = this.#reader.addFile(path, 'python') || this.#hasEntry;
        }
      }
    }
    return true;
  }

  #readWord(word: string, before: string): void {
    if (hasExpansion(word) && this.#readExpanded(word, before)) return;
    const parts = partsOf(word);
    for (const [index, part] of parts.entries()) {
      const isWhole = index === 0;
      for (const folder of this.#folders) {
        const path = resolve(folder, part);
        const isEntry = isWhole && !this.#hasEntry && !word.startsWith('-') && !loadsBefore.test(before);
        const names = isEntry && this.#language === 'javascript' ? fileNamesOf(path) : [path];
        const file = names.find((name) => this.#reader.files.isFile(name));
        if (file !== undefined) {
          this.#reader.addFirst(names, isEntry && !/\.\w+$/.test(file) ? this.#language : undefined);
          if (isEntry && this.#language !== undefined) this.#hasEntry = true;
          return;
        }
        if (
          isPathLike(part) &&
          this.#reader.files.isFolder(path) &&
          this.#readFolder(path, { part, word, before, isEntry })
        )
          return;
      }
      if (isWhole && looksLikeFile(part)) this.#reader.addFirst([resolve(this.#folder, part)]);
    }
  }

  /** A folder that is run counts by its entry, any other by all its files. */
  #readFolder(
    path: string,
    { part, word, before, isEntry }: { part: string; word: string; before: string; isEntry: boolean },
  ): boolean {
    if (isEntry && this.#language === 'javascript') {
      this.#hasEntry = true;
      const manifest = join(path, 'package.json');
      const main = readObject(manifest, this.#reader.files)?.['main'];
      this.#reader.addManifest(manifest);
      return this.#reader.addFirst(fileNamesOf(resolve(path, typeof main === 'string' ? main : 'index')));
    }
    if (isEntry && this.#language === 'python') {
      this.#hasEntry = true;
      return this.#reader.addFirst([join(path, '__main__.py')]);
    }
    if (
      /^--(?:allow-|prefix|project|cwd|directory)/.test(word) ||
      /^(?:-C|--prefix|--project|--cwd|--directory)$/.test(before)
    )
      return true;
    const holdsAll = !relative(path, this.#folder).startsWith('..');
    if (!holdsAll) this.#reader.addFolder(path);
    // The folder of the suite holds what a run writes, too.
    else if (part === word || word.endsWith(`=${part}`)) this.#reader.addUnfollowed(`the folder ${part}`);
    return true;
  }

  /** A word that a shell fills in. False where the rest of it is read as it is. */
  #readExpanded(word: string, before: string): boolean {
    const rest = withoutExpansion(word);
    const isFound = rest !== '' && this.#folders.some((folder) => this.#reader.addFile(resolve(folder, rest)));
    if (isFound) {
      this.#hasEntry ||= this.#language !== undefined;
      return true;
    }
    const isScript =
      /^(?:\.|source)$/.test(before) || (this.#language !== undefined && !this.#hasEntry && !word.startsWith('-'));
    if (isScript && !/^\$[@*]$/.test(word)) this.#reader.addUnfollowed(`${before} ${word}`.trim());
    return isScript;
  }

  /** Follows `npm run NAME`, `yarn NAME` and the like. */
  #readScript(manager: string, words: readonly string[]): void {
    const names = words.filter((word) => !word.startsWith('-'));
    const [first = '', second = ''] = names;
    const name = /^run(?:-script)?$/.test(first) ? second : first;
    if (manager === 'npm' && name === first && !/^(?:start|test)$/.test(first)) return;
    if (/^(?:exec|dlx|x)$/.test(first)) this.#readPackage(words.slice(words.indexOf(first) + 1));
    else this.#runScript(name);
  }

  #runScript(name: string): void {
    const { files } = this.#reader;
    for (const folder of foldersAbove(this.#folder, files.boundary)) {
      const path = join(folder, 'package.json');
      const scripts = files.isFile(path) ? readObject(path, files)?.['scripts'] : undefined;
      if (!isJsonObject(scripts)) continue;
      for (const key of [`pre${name}`, name, `post${name}`]) {
        const text = Object.hasOwn(scripts, key) ? scripts[key] : undefined;
        if (typeof text !== 'string') continue;
        this.#reader.addFile(path);
        for (const { words } of readShell(text)) readCommand(words, [dirname(path)], this.#reader);
      }
      return;
    }
  }

  #readPackage(words: readonly string[]): void {
    const name = words.find((word) => !word.startsWith('-'));
    if (name !== undefined && languageOfProgram(name) === undefined) {
      this.#reader.addPackage(name.replace(/(?!^)@.*$/, ''), join(this.#folder, 'x'));
    }
  }
}

/** The word, and the parts of it that may name files: `--config=a.json`, `@body.json`, `-Cfile`, `a.json,b.json`. */
function partsOf(word: string): readonly string[] {
  const parts = [word, ...word.split(/[=,:;@]/)];
  const equals = word.indexOf('=');
  if (equals !== -1) parts.push(word.slice(equals + 1));
  if (/^-[A-Za-z]./.test(word)) parts.push(word.slice(2));
  return [...new Set(parts)].filter((part, index) => index === 0 || (part !== '' && !part.startsWith('-')));
}

/** `run` as the name of a subcommand is no folder, although there may be one of that name. */
function isPathLike(part: string): boolean {
  return part !== '' && !part.startsWith('-');
}

function looksLikeFile(part: string): boolean {
  return /^[\w./-]+\.[a-z]\w{0,4}$/i.test(part) && !part.startsWith('-');
}

function programName(word: string): string {
  return basename(word).replace(/\.(?:exe|cmd|bat)$/i, '');
}
